import { describe, expect, it } from "vitest";
import { newSalt, promiseOf } from "./promise";

const bytes = (byte: string) => byte.repeat(32);

describe("a promise of a file", () => {
  it("is what clients of other languages compute", async () => {
    // The vector of primitives/tests/chain_primitives/precommit.rs.
    const made = await promiseOf(new Uint8Array(32).fill(1), 2, bytes("03"), bytes("04"));
    expect(made).toBe("e287d6a5182bbe3bd643b10a3e17e3495f4f4450bdd50fffb716f7a6e6432d95");
  });

  it("changes with each part", async () => {
    const one = new Uint8Array(32).fill(1);
    const made = await Promise.all([
      promiseOf(one, 2, bytes("03"), bytes("04")),
      promiseOf(new Uint8Array(32).fill(9), 2, bytes("03"), bytes("04")),
      promiseOf(one, 9, bytes("03"), bytes("04")),
      promiseOf(one, 2, bytes("09"), bytes("04")),
      promiseOf(one, 2, bytes("03"), bytes("09")),
    ]);
    expect(new Set(made).size).toBe(5);
  });

  it("has a salt of 32 bytes, each time another", () => {
    expect(newSalt()).toMatch(/^[0-9a-f]{64}$/);
    expect(newSalt()).not.toBe(newSalt());
  });
});
