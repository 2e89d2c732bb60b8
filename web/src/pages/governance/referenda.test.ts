import { describe, expect, it } from "vitest";
import {
  freeFrom,
  needed,
  type Ongoing,
  type Over,
  percent,
  readVote,
  sayReferendum,
  sayVote,
  standing,
  type Track,
  voteByte,
} from "./referenda";

const OPEN = 10n ** 18n;
const falling = (ceil: number, floor: number) => ({
  type: "LinearDecreasing",
  value: { length: 1_000_000_000, floor: floor * 10_000_000, ceil: ceil * 10_000_000 },
});
const track: Track = {
  ...{ id: 3, name: "small_spender", decisionDeposit: 50n * OPEN },
  ...{ prepare: 10, decide: 100, confirm: 20, enact: 10 },
  ...{ approval: falling(80, 50), support: falling(10, 1) },
};
const ongoing: Ongoing = {
  ...{ track: 3, origin: "SmallSpender", proposal: { inline: new Uint8Array() }, submitted: 1000 },
  ...{ submissionDeposit: { who: "5…", amount: OPEN }, decisionDeposit: null, deciding: null, queued: false },
  tally: { ayes: 0n, nays: 0n, support: 0n },
};
const state = (change: Partial<Ongoing>) =>
  sayReferendum({ id: 0, over: null, ongoing: { ...ongoing, ...change } }, track, 500);
const ended = (how: Over["how"]) => ({
  id: 0,
  ongoing: null,
  over: { how, block: 5000, submissionDeposit: null, decisionDeposit: null },
});

describe("what a track asks for", () => {
  it("falls in a line over the decision period, and no further", () => {
    expect(needed(track.approval, 0)).toBe(0.8);
    expect(needed(track.approval, 0.5)).toBeCloseTo(0.65);
    expect(needed(track.approval, 1)).toBe(0.5);
    expect(needed(track.approval, 3)).toBe(0.5);
    expect(needed({ type: "Reciprocal", value: {} }, 0)).toBeNull();
  });

  it("is compared with approval among votes, and support among all OPEN that may vote", () => {
    const tally = { ayes: 30n * OPEN, nays: 10n * OPEN, support: 50n * OPEN };
    const deciding = { since: 2000, confirming: null };
    const { approval, support } = standing({ ...ongoing, tally, deciding }, track, 1000n * OPEN, 2050);
    expect(approval.has).toBe(0.75);
    expect(approval.needs).toBeCloseTo(0.65);
    expect(support.has).toBe(0.05);
    expect(support.needs).toBeCloseTo(0.055);
    // Before it is decided the lines are where they begin; of no votes there is no approval.
    const before = standing(ongoing, track, 0n, 9999);
    expect([before.approval, before.support]).toEqual([
      { has: 0, needs: 0.8 },
      { has: 0, needs: 0.1 },
    ]);
  });
});

describe("where a referendum is", () => {
  it("is said with the block at which that ends", () => {
    const decisionDeposit = { who: "5…", amount: 50n * OPEN };
    expect(state({})).toMatchObject({ label: "needs a deposit", until: 1500 });
    expect(state({ decisionDeposit })).toMatchObject({ label: "being prepared", until: 1010 });
    expect(state({ decisionDeposit, queued: true })).toMatchObject({ label: "in the queue", until: null });
    const deciding = { since: 2000, confirming: null };
    expect(state({ decisionDeposit, deciding })).toMatchObject({ label: "being decided", until: 2100 });
    expect(state({ deciding: { since: 2000, confirming: 2040 } })).toMatchObject({
      label: "confirming",
      until: 2040,
    });
    expect(sayReferendum(ended("timed-out"), undefined, 500)).toMatchObject({
      label: "ran out",
      until: null,
    });
  });
});

describe("a vote", () => {
  it("is written as the chain writes it, and read again", () => {
    expect(voteByte(true, 2)).toBe(0x82);
    expect(readVote(7, 3, { type: "Standard", value: { vote: 0x82, balance: 5n } })).toMatchObject({
      ...{ referendum: 7, track: 3, ayes: 5n, nays: 0n, conviction: 2 },
    });
    expect(
      readVote(7, 3, { type: "Standard", value: { vote: voteByte(false, 0), balance: 5n } }),
    ).toMatchObject({
      ...{ ayes: 0n, nays: 5n, conviction: 0 },
    });
    const split = readVote(7, 3, { type: "SplitAbstain", value: { aye: OPEN, nay: 0n, abstain: 2n * OPEN } });
    expect(sayVote(split)).toBe("1 OPEN for, 2 OPEN abstain");
  });

  it("locks for longer only where its side won", () => {
    const aye = readVote(0, 3, { type: "Standard", value: { vote: voteByte(true, 3), balance: 5n } });
    expect(freeFrom(aye, { id: 0, ongoing, over: null }, 100)).toBeNull();
    expect(freeFrom(aye, ended("approved"), 100)).toBe(5400);
    expect(freeFrom(aye, ended("rejected"), 100)).toBe(5000);
    expect(freeFrom(aye, ended("cancelled"), 100)).toBe(5000);
    const split = readVote(0, 3, { type: "Split", value: { aye: 5n, nay: 5n } });
    expect(freeFrom(split, ended("approved"), 100)).toBe(5000);
  });
});

it("writes small parts with enough digits", () => {
  expect([0, 0.5, 0.0123, 0.000012].map(percent)).toEqual(["0 %", "50 %", "1.23 %", "0.0012 %"]);
});
