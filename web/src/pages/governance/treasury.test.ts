import { expect, it } from "vitest";
import { periodOf, type Spend, saySpend } from "./treasury";

const OPEN = 10n ** 18n;

it("has a period of 28 days of governance, in which no more is paid than a twentieth of what may vote", () => {
  // A day of three blocks: votes are locked for 21 blocks, a period has 84.
  const active = 6_000_000n * OPEN;
  expect(periodOf(100, 21, active, [1, 100_000n * OPEN])).toEqual({ left: 200_000n * OPEN, next: 168 });
  expect(periodOf(168, 21, active, [1, 100_000n * OPEN])).toEqual({ left: 300_000n * OPEN, next: 252 });
  expect(periodOf(170, 21, 0n, [2, OPEN]).left).toBe(0n);
});

it("pays what is due, and says of the rest why it waits", () => {
  const spend: Spend = { id: 0, amount: 10n, to: "5…", from: 100, until: 200, paid: false };
  const money = { left: 50n, treasury: 1000n };
  expect(saySpend(spend, 150, money)).toBe("due");
  expect(saySpend(spend, 99, money)).toBe("not yet");
  expect(saySpend(spend, 201, money)).toBe("ran out");
  expect(saySpend(spend, 150, { ...money, left: 9n })).toBe("next period");
  // The treasury's account itself stays.
  expect(saySpend(spend, 150, { ...money, treasury: 10n })).toBe("too little");
  expect(saySpend({ ...spend, paid: true }, 300, money)).toBe("paid");
});
