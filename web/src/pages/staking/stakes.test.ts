import { describe, expect, it } from "vitest";
import { commission, inOrder, leaving, readBond, readUnbond, seatTakes, type Validator } from "./stakes";

const OPEN = 10n ** 18n;
const validator = (account: string, change: Partial<Validator>): Validator => ({
  ...{ account, commission: 0, blocked: false, elected: null, points: 0, now: false, stands: true },
  ...change,
});
const behind = (total: bigint) => ({ total, own: 0n, nominators: 0 });

it("puts those first who make blocks, then those elected, by points and stake", () => {
  const rows = inOrder([
    validator("stands", {}),
    validator("poor", { elected: behind(1n), now: true, points: 20 }),
    validator("rich", { elected: behind(9n), now: true, points: 20 }),
    validator("busy", { elected: behind(1n), now: true, points: 40 }),
    validator("next", { elected: behind(5n) }),
  ]);
  expect(rows.map(({ account }) => account)).toEqual(["busy", "rich", "poor", "next", "stands"]);
});

it("takes half of the median of those who make blocks for a seat", () => {
  const makers = [1n, 9n, 4n].map((total, n) =>
    validator(`v${n}`, { elected: behind(total * OPEN), now: true }),
  );
  expect(seatTakes([...makers, validator("out", { elected: behind(100n * OPEN) })])).toBe(2n * OPEN);
  // Of two in the middle the lower counts, as in the chain's own elections.
  expect(seatTakes(makers.slice(1))).toBe(2n * OPEN);
  expect(seatTakes(makers, true)).toBe((8n * OPEN) / 5n);
  expect(seatTakes([])).toBe(0n);
});

it("writes commissions in percent", () => {
  expect([0, 50_000_000, 1_000_000_000, 12_345_678].map(commission)).toEqual([
    ...["0 %", "5 %", "100 %", "1.2346 %"],
  ]);
});

describe("what is bonded", () => {
  const facts = { free: 100n * OPEN, active: 0n, least: 10n * OPEN };

  it("is no more than is free, and enough to nominate with", () => {
    expect(readBond("10", facts)).toEqual({ amount: 10n * OPEN });
    expect(readBond("5", { ...facts, active: 5n * OPEN })).toEqual({ amount: 5n * OPEN });
    expect(readBond("9.5", facts).problem).toContain("needs 10 OPEN");
    expect(readBond("101", facts).problem).toContain("100 OPEN");
    expect(readBond("", facts).problem).toContain("such as 25");
  });

  it("leaves nothing below what it takes, as long as it backs somebody", () => {
    const own = { active: 20n * OPEN, least: 10n * OPEN, does: "nominates" as const };
    expect(readUnbond("10", own)).toEqual({ amount: 10n * OPEN });
    expect(readUnbond("15", own).problem).toContain("5 OPEN would stay bonded; who nominates needs 10");
    expect(readUnbond("20", { ...own, does: "nothing" })).toEqual({ amount: 20n * OPEN });
    expect(readUnbond("21", own).problem).toContain("20 OPEN are bonded");
  });

  it("is free from its era on", () => {
    const parts = [
      { amount: 1n, era: 4 },
      { amount: 2n, era: 5 },
      { amount: 4n, era: 6 },
    ];
    expect(leaving(parts, 5)).toEqual({ due: 3n, waits: [{ amount: 4n, era: 6 }] });
  });
});
