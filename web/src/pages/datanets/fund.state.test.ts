import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { chainTerms, readAmount, readLeaving, readTerms, termsOf, waysOut } from "./fund.state";

const OPEN = 10n ** 18n;

describe("funding", () => {
  it("takes no less than the chain does", () => {
    expect(readAmount("1", OPEN)).toEqual({ amount: OPEN, problem: null });
    expect(readAmount("0.999", OPEN).amount).toBeNull();
    expect(readAmount("much", OPEN).problem).toContain("amount of OPEN");
  });

  it("needs terms that pay something", () => {
    expect(readTerms({ perPeriod: "10", maxPerPoint: "0.001" }).terms).toEqual({
      per_period: 10n * OPEN,
      max_per_point: OPEN / 1000n,
    });
    const { terms, problems } = readTerms({ perPeriod: "0", maxPerPoint: "" });
    expect(terms).toBeNull();
    expect(Object.keys(problems)).toEqual(["perPeriod", "maxPerPoint"]);
  });

  it("knows a pool that has points but no terms yet", () => {
    const pool = {
      ...{ totalIn: "0", claimed: "0", owed: "0", available: "0", period: 3, points: "50" },
      ...{ perPeriod: "0", maxPerPoint: "0", shares: "0", unowned: "0" },
    };
    expect(termsOf(pool)).toBeNull();
    expect(termsOf(null)).toBeNull();
    expect(termsOf({ ...pool, perPeriod: "5", maxPerPoint: "1" })).toEqual({
      per_period: 5n,
      max_per_point: 1n,
    });
  });

  it("knows a chain’s pool without terms", () => {
    const rules = {
      terms: { per_period: 0n, max_per_point: 0n },
      next_terms: undefined,
      policy: "0x00",
      next_policy: undefined,
    } as const;
    expect(chainTerms(null)).toBeNull();
    expect(chainTerms({ rules })).toBeNull();
    const terms = { per_period: 5n, max_per_point: 1n };
    expect(chainTerms({ rules: { ...rules, terms } })).toEqual(terms);
  });

  it("has words for every way out", () => {
    const source = readFileSync("../primitives/src/funding.rs", "utf8");
    const body = /pub enum WayOut \{\n([\s\S]*?)\n\}/.exec(source)?.[1] ?? "";
    const named = [...body.matchAll(/^ {4}(\w+),/gm)].map(([, name]) => name);
    expect(Object.keys(waysOut).sort()).toEqual(named.sort());
  });
});

describe("leaving a pool", () => {
  const share = { shares: 300n, worth: 150n * 10n ** 18n };

  it("takes the part of the shares that the amount is of their worth, all of them at most", () => {
    expect(readLeaving("50", share)).toEqual({ shares: 100n, problem: null });
    expect(readLeaving("150", share)).toEqual({ shares: 300n, problem: null });
    expect(readLeaving("9000", share)).toEqual({ shares: 300n, problem: null });
    expect(readLeaving("0", { shares: 5n, worth: 0n }).shares).toBe(5n);
  });

  it("is refused by what is wrong", () => {
    expect(readLeaving("x", share).problem).toContain("OPEN");
    expect(readLeaving("0", share).problem).toContain("more than 0");
  });
});
