import { describe, expect, it } from "vitest";
import { encodeAddress } from "@/accounts/address";
import type { Preview } from "@/api/types";
import { commitmentOf, encodeOpinions, type Opinion, possessionOf, revealOf, saidOf } from "./sealed";

const bytes = (byte: string) => byte.repeat(32);
const PROOF = "1e6af897149e725b3edb832429508c7f18688511ac46adcc2c08df05ed730e8b";

const preview = { units: 1481, textRoot: bytes("04"), extractor: 2 } as Preview;
const opinions: Opinion[] = [
  { said: saidOf({ accept: true, score: 80 }, preview), possession: PROOF },
  { said: saidOf({ accept: false, reason: "duplicate" }, preview), possession: PROOF },
  { said: saidOf(null, null), possession: bytes("00") },
];
const vote = {
  draw: 7,
  seed: bytes("02"),
  address: encodeAddress(new Uint8Array(32).fill(1)),
  opinions,
  salt: bytes("09"),
};

describe("a sealed vote", () => {
  it("is what the chain computes", async () => {
    // The vector of primitives/tests/chain_primitives/committee/votes.rs.
    expect(await possessionOf(vote.seed, new Blob(["a file"]))).toBe(PROOF);
    expect(await commitmentOf(vote)).toBe("0e24348cf9f1fce1178012087e2c142ce169deb16d359d4482eac7a655a1dcdc");
  });

  it("is bound to draw, seed, account, words and salt", async () => {
    const others = [
      vote,
      { ...vote, draw: 8 },
      { ...vote, seed: bytes("03") },
      { ...vote, address: encodeAddress(new Uint8Array(32).fill(3)) },
      { ...vote, opinions: opinions.slice(1) },
      { ...vote, salt: bytes("08") },
    ];
    expect(new Set(await Promise.all(others.map(commitmentOf))).size).toBe(others.length);
  });

  it("has one length byte and a word for each file", () => {
    const encoded = encodeOpinions(opinions);
    expect(encoded[0]).toBe(12);
    expect(encoded.length).toBe(1 + (1 + 1 + 8 + 32 + 2 + 32) + (2 + 32) + (1 + 32));
  });

  it("says by a proof that a file is here and cannot be compared", async () => {
    const here: Opinion[] = [{ said: saidOf(null, null), possession: PROOF }];
    expect(encodeOpinions(here)[1]).toBe(3);
    // The vector of primitives/tests/chain_primitives/committee/votes.rs.
    expect(await commitmentOf({ ...vote, opinions: here })).toBe(
      "00cdf93057a9a429ae5e312bfb323cd1163ef6fcc66ff2fd7e66c588ebeafc93",
    );
    expect(revealOf({ ...vote, opinions: here }).opinions[0]).toMatchObject({
      verdict: { type: "Unavailable" },
      possession: `0x${PROOF}`,
    });
  });

  it("is revealed in the chain's words", () => {
    const revealed = revealOf(vote);
    expect(revealed.draw).toBe(7n);
    expect(revealed.opinions.map(({ verdict }) => verdict.type)).toEqual(["Accept", "Reject", "Unavailable"]);
    expect(revealed.opinions[0]?.verdict.value).toMatchObject({ score: 80, units: 1481n, extractor: 2 });
    expect(revealed.opinions[1]?.verdict.value).toMatchObject({ type: "Duplicate" });
  });
});
