import { describe, expect, it } from "vitest";
import {
  leftOf,
  periodOf,
  periodOptions,
  readWhich,
  sayPoints,
  sayShare,
  unsettled,
} from "./leaderboard.state";

const ended = (period: number) => ({
  period,
  points: "1",
  rate: "1",
  closed: { block: 1, time: 0, extrinsic: null },
});

describe("the period of a board", () => {
  it("is read from the address, where nonsense means all time", () => {
    expect(readWhich("current")).toBe("current");
    expect(readWhich("17")).toBe(17);
    for (const text of [null, "", "all", "-1", "1.5", "9999999999", "<b>"])
      expect(readWhich(text)).toBe("all");
  });

  it("waits for the chain where it is the current one", () => {
    expect(periodOf("current", undefined)).toBeNull();
    expect(periodOf("current", 8)).toBe("8");
    expect(periodOf(3, undefined)).toBe("3");
    expect(periodOf("all", undefined)).toBe("all");
  });

  it("can be chosen once each, also where only an address knows it", () => {
    const values = (which: ReturnType<typeof readWhich>) =>
      periodOptions(8, [ended(8), ended(6), ended(2)], which).map(({ value }) => value);
    expect(values("all")).toEqual(["all", "current", "6", "2"]);
    expect(values(5)).toEqual(["all", "current", "6", "2", "5"]);
  });

  it("that ended without a touch of the pool can be chosen too", () => {
    const pool = (period: number, points: string) => ({
      ...{ totalIn: "0", claimed: "0", owed: "0", available: "0", perPeriod: "1", maxPerPoint: "1" },
      ...{ shares: "0", unowned: "0" },
      ...{ period, points },
    });
    expect(unsettled(pool(7, "12"), 8)).toBe(7);
    expect(unsettled(pool(8, "12"), 8)).toBeNull();
    expect(unsettled(pool(7, "0"), 8)).toBeNull();
    expect(unsettled(pool(7, "12"), undefined)).toBeNull();
    expect(unsettled(null, 8)).toBeNull();
  });

  it("ends after its blocks", () => {
    expect(leftOf({ best: 12, nextPeriodAt: 20 })).toBe("24 s");
    expect(leftOf({ best: 21, nextPeriodAt: 20 })).toBe("0 s");
  });
});

it("points count no more units than the Datanet pays", () => {
  expect(sayPoints({ score: 80, units: 500 }, 1000)).toEqual({ score: 80, counted: 500, capped: false });
  expect(sayPoints({ score: 80, units: 5000 }, 1000)).toEqual({ score: 80, counted: 1000, capped: true });
});

it("a share of all points is a percentage, however small", () => {
  expect(sayShare(1)).toBe("100.0%");
  expect(sayShare(0.1234)).toBe("12.3%");
  expect(sayShare(0.0000001)).toBe("under 0.1%");
  expect(sayShare(0)).toBe("0.0%");
});
