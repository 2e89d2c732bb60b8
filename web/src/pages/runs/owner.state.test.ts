import { describe, expect, it } from "vitest";
import {
  type ChainJob,
  cancelPay,
  readMoreTime,
  readRaise,
  trainingBlocks,
  type Windows,
} from "./owner.state";

const windows: Windows = { take: 20, heartbeat: 60, progress: 600, block_seconds: 3 };
const OPEN = 10n ** 18n;

/** A job that trains since block 100, at 2^4 tokens a second, with a price of 2 OPEN. */
const training = (step: number) =>
  ({
    token_ceiling: 4800n,
    state: {
      type: "Training",
      value: {
        assignment: { worker: "5F", price: 2n * OPEN, rate: 4 },
        heartbeat_by: 0,
        step,
        total_steps: 10,
        taken_at: 100,
        progressed_at: 100,
      },
    },
  }) as Pick<ChainJob, "state" | "token_ceiling">;

describe("calling a job off", () => {
  it("takes as long as the declared speed says", () => {
    expect(trainingBlocks(windows, 4800n, 4)).toBe(100n);
    expect(trainingBlocks(windows, 4801n, 4)).toBe(101n);
    expect(trainingBlocks(windows, 1n, 15)).toBe(1n);
  });

  it("pays the smaller of steps and time, half at most, and nothing before it trains", () => {
    expect(cancelPay(training(2), windows, 150)).toBe((2n * OPEN * 2n) / 10n);
    expect(cancelPay(training(9), windows, 110)).toBe((2n * OPEN * 10n) / 100n);
    expect(cancelPay(training(9), windows, 10_000)).toBe(OPEN);
    expect(cancelPay(training(9), windows, 100)).toBe(0n);
    const queued = { token_ceiling: 1n, state: { type: "Queued", value: undefined } };
    expect(cancelPay(queued as Pick<ChainJob, "state" | "token_ceiling">, windows, 9)).toBe(0n);
  });
});

describe("offering more", () => {
  const job = { price_per_token: 10n ** 15n, token_ceiling: 1000n, budget: OPEN };

  it("holds the difference, by whole plancks a token", () => {
    expect(readRaise("1.5", job)).toEqual({
      price: 15n * 10n ** 14n,
      budget: 15n * 10n ** 17n,
      more: 5n * 10n ** 17n,
      problem: null,
    });
  });

  it("is refused where it is not more", () => {
    expect(readRaise("1", job).problem).toContain("1 OPEN");
    expect(readRaise("lots", job).problem).toContain("amount of OPEN");
  });
});

describe("more time", () => {
  const own = { job: { deadline: 1000 }, best: 500, mostBlocks: 201_600 };

  it("is counted from the deadline", () => {
    expect(readMoreTime("2", own)).toEqual({ deadline: 3400, problem: null });
    expect(readMoreTime("0.5", own)).toEqual({ deadline: 1600, problem: null });
  });

  it("ends 7 days from now", () => {
    expect(readMoreTime("168", own).problem).toContain("167 h more at most");
    expect(readMoreTime("0", own).problem).toContain("Write hours");
    expect(readMoreTime("soon", own).problem).toContain("Write hours");
  });
});
