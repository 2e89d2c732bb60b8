import { sign, verify } from "@scure/sr25519";
import { describe, expect, it } from "vitest";
import { decodeAddress } from "./address";
import { readKeyFile, writeKeyFile } from "./keyFile";
import { fromWords, generate } from "./secret";

// The phrase of Substrate's development keys, whose account is known.
const known = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";
const account = "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV";

describe("keys of words", () => {
  it("are those that every wallet makes of them", async () => {
    expect((await fromWords(known)).address).toBe(account);
    expect((await fromWords(`  ${known.toUpperCase().replaceAll(" ", "\n ")} `)).address).toBe(account);
  });

  it("name the word that is none, and notice a wrong order", async () => {
    await expect(fromWords(known.replace("lake", "laek"))).rejects.toThrow("“laek” is no word");
    await expect(fromWords(known.split(" ").reverse().join(" "))).rejects.toThrow("no recovery phrase");
  });

  it("are new each time", async () => {
    const [one, other] = await Promise.all([generate(), generate()]);
    expect(one.words?.split(" ")).toHaveLength(12);
    expect(one.address).not.toBe(other.address);
  });
});

// Opening one costs a second or two on purpose.
describe("key files", { timeout: 60_000 }, () => {
  it("bring the same key back", async () => {
    const secret = await fromWords(known);
    const file = await writeKeyFile(secret, "Ada", "a password");
    const read = await readKeyFile(file, "a password");
    expect(read.address).toBe(account);
    expect(read.name).toBe("Ada");
    const message = new TextEncoder().encode("hello");
    expect(verify(message, sign(read.key, message), decodeAddress(account) as Uint8Array)).toBe(true);
    await expect(readKeyFile(file, "another")).rejects.toThrow("password does not open");
  });

  it("are refused when they are something else", async () => {
    await expect(readKeyFile("{}", "x")).rejects.toThrow("damaged");
    await expect(readKeyFile("x".repeat(20_000), "x")).rejects.toThrow("too large");
    const file = JSON.parse(await writeKeyFile(await generate(), "Ada", "x"));
    file.encoding.content[1] = "ed25519";
    await expect(readKeyFile(JSON.stringify(file), "x")).rejects.toThrow("ed25519");
  });
});
