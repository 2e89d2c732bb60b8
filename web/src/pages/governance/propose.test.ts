import { describe, expect, it } from "vitest";
import { encodeAddress } from "@/accounts/address";
import {
  type Bounds,
  blobProblem,
  callHash,
  type Draft,
  emptyDraft,
  periodLimit,
  preimageDeposit,
  readHash,
  readPreimage,
  readProposal,
} from "./propose";

const OPEN = 10n ** 18n;
const to = encodeAddress(new Uint8Array(32).fill(7));
const slash = { validator: to, own: 5n * OPEN, others: 0n, backers: 0 };
const bounds: Bounds = {
  slashes: [
    { ...slash, era: 20, place: 0 },
    { ...slash, era: 20, place: 1 },
  ],
  ...{ active: 60_000_000n * OPEN, mostValidators: 100, extractor: 3, referenda: 2, spends: 0 },
};
const read = (change: Partial<Draft>) => readProposal({ ...emptyDraft, ...change }, bounds);

describe("a spend", () => {
  it("goes to the track that is decided most easily for its amount", () => {
    const origin = (amount: string) => read({ to, amount }).proposed?.origin;
    expect([origin("10,000"), origin("10000.1"), origin("1000000"), origin("1000001")]).toEqual([
      ...["SmallSpender", "BigSpender", "BigSpender", "Root"],
    ]);
  });

  it("is no more than a period pays", () => {
    expect(periodLimit(6_000_000n * OPEN)).toBe(300_000n * OPEN);
    expect(read({ to, amount: "3000001" }).problems.amount).toContain(
      "3,000,001 OPEN are more than the treasury pays in a period: 3,000,000 OPEN",
    );
  });

  it("names an account and an amount", () => {
    expect(read({ to: "", amount: "" }).problems).toMatchObject({
      to: "Write an account.",
      amount: expect.stringContaining("such as 25"),
    });
    expect(read({ to: `${to}x`, amount: "1" }).problems.to).toContain("mistyped");
  });
});

describe("a rule", () => {
  const rule = (rule: Draft["rule"], value: string) => read({ kind: "rule", rule, value });

  it("is changed by root within its bounds", () => {
    expect(rule("validators", "50").proposed).toEqual({
      origin: "Root",
      making: { type: "validators", count: 50 },
    });
    expect(rule("validators", "101").problems.value).toContain("from 1 to 100");
    expect(rule("validatorBond", "2,500").proposed?.making).toEqual({
      ...{ type: "validatorBond", amount: 2500n * OPEN },
    });
    expect(rule("commission", "2.5 %").proposed?.making).toEqual({ type: "commission", parts: 25_000_000 });
    expect(rule("commission", "").problems.value).toContain("from 0 to 100");
  });

  it("goes up by one where it is the extractor", () => {
    expect(rule("extractor", "4").proposed?.making).toEqual({ type: "extractor", version: 4 });
    expect(rule("extractor", "5").problems.value).toBe("It is 3 now, and goes up by one: write 4.");
  });
});

describe("what is undone", () => {
  it("has been there", () => {
    expect(read({ kind: "undo", index: "1" }).proposed).toEqual({
      origin: "GeneralAdmin",
      making: { type: "cancel", index: 1 },
    });
    expect(read({ kind: "undo", index: "2" }).problems.index).toContain("from 0 to 1");
    expect(read({ kind: "undo", undoing: "void", index: "0" }).problems.index).toBe(
      "There has been no spend yet.",
    );
  });
});

describe("a slash", () => {
  const undo = (slash: string, slashes = bounds.slashes) =>
    readProposal({ ...emptyDraft, kind: "undo", undoing: "slash", slash }, { ...bounds, slashes });

  it("is cancelled by its era and its place among those that wait", () => {
    expect(undo("20-1").proposed).toEqual({
      origin: "GeneralAdmin",
      making: { type: "slash", era: 20, place: 1 },
    });
    expect(undo("").proposed?.making).toEqual({ type: "slash", era: 20, place: 0 });
  });

  it("is none that was taken meanwhile, and another one never takes its place", () => {
    expect(undo("19-0").problems.slash).toContain("does not wait any more");
    expect(undo("", []).problems.slash).toBe("No slash waits.");
  });
});

describe("any call", () => {
  it("is given by bytes, or by its hash and length", () => {
    expect(read({ kind: "bytes", bytes: "0x00 07", origin: "BigSpender" }).proposed).toEqual({
      origin: "BigSpender",
      making: { type: "bytes", bytes: new Uint8Array([0, 7]) },
    });
    expect(read({ kind: "bytes", bytes: "0x007" }).problems.bytes).toContain("even number");
    expect(read({ kind: "bytes", bytes: "00".repeat(65_537) }).problems.bytes).toContain("65,537 bytes");
    const preimage = "AB".repeat(32);
    expect(read({ kind: "preimage", preimage, length: "300" }).proposed?.making).toEqual({
      ...{ type: "preimage", hash: `0x${"ab".repeat(32)}`, length: 300 },
    });
    expect(Object.keys(read({ kind: "preimage", preimage: "1" }).problems)).toEqual(["preimage", "length"]);
    expect(readHash("0x12")).toBeNull();
  });

  it("has the bytes that its hash says", () => {
    const hash = callHash(new Uint8Array([0, 7]));
    expect(hash).toMatch(/^0x[0-9a-f]{64}$/);
    expect(readPreimage("0x0007", hash).bytes).toEqual(new Uint8Array([0, 7]));
    expect(readPreimage("0x0008", hash).problem).toContain("another hash");
    expect(readPreimage("x", hash).problem).toContain("hexadecimal");
  });

  it("takes the runtime that was decided on, and no other", () => {
    const blob = new Uint8Array([1, 2, 3]);
    expect(blobProblem(blob, callHash(blob))).toBeUndefined();
    expect(blobProblem(new Uint8Array([1, 2]), callHash(blob))).toContain("another hash");
    expect(blobProblem(new Uint8Array(2_000_001), "0x")).toContain("2,000,001 bytes");
  });

  it("that is a preimage has a deposit by its length", () => {
    expect(preimageDeposit(1000)).toBe(OPEN / 5n);
  });
});
