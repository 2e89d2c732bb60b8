import { describe, expect, it } from "vitest";
import { askForKeys, readCommission, readKeys } from "./validator";

const [babe, grandpa, proof] = ["a1".repeat(32), "b2".repeat(32), "c3".repeat(128)];
const keys = { babe: `0x${babe}`, grandpa: `0x${grandpa}`, proof: `0x${proof}` };
const result = { keys: `0x${babe}${grandpa}`, proof: `0x${proof}` };

describe("session keys", () => {
  it("are read from a node’s answer, whole or in part", () => {
    expect(readKeys(JSON.stringify({ jsonrpc: "2.0", id: 1, result }))).toEqual({ keys });
    expect(readKeys(` ${JSON.stringify(result, null, 2)}\n`)).toEqual({ keys });
    expect(readKeys(`0x${babe}${grandpa}\n"0x${proof.toUpperCase()}"`)).toEqual({ keys });
  });

  it("come with the node’s proof", () => {
    const answer = JSON.stringify({ jsonrpc: "2.0", id: 1, result: result.keys });
    expect(readKeys(answer).problem).toContain("author_rotateKeysWithOwner");
    expect(readKeys(result.keys).problem).toContain("without the proof");
    expect(readKeys(JSON.stringify(result).slice(0, -4)).problem).toContain("not the whole answer");
    expect(readKeys(JSON.stringify({ ...result, proof: "0x12" })).problem).toContain("keys and proof");
    expect(readKeys("").keys).toBeNull();
  });

  it("are refused by a node in its own words", () => {
    const error = { code: -32601, message: "RPC call is unsafe to be called externally" };
    expect(readKeys(JSON.stringify({ id: 1, error })).problem).toBe(
      "The node refused: RPC call is unsafe to be called externally.",
    );
  });

  it("are asked for an account", () => {
    expect(askForKeys(new Uint8Array(32).fill(1))).toContain(`"params":["0x${"01".repeat(32)}"]`);
  });
});

it("takes a commission of the network’s least or more", () => {
  expect(readCommission("5", 0)).toEqual({ parts: 50_000_000 });
  expect(readCommission(" 2.5 %", 0)).toEqual({ parts: 25_000_000 });
  expect(readCommission("101", 0).problem).toContain("from 0 to 100");
  expect(readCommission("", 0).problem).toContain("such as 5");
  expect(readCommission("4", 50_000_000).problem).toContain("least commission is 5 %");
});
