// What the treasury owes, and when it pays.

import { periodLimit } from "./propose";

/** Days of governance of a period of the treasury: `SPEND_PERIOD` of runtime/src/governance. */
const PERIOD_DAYS = 28;
/** Days of governance for which a vote with the least conviction is locked, from which a day's length follows. */
const LOCKING_DAYS = 7;

/** A spend that was approved. */
export interface Spend {
  id: number;
  amount: bigint;
  to: string;
  from: number;
  until: number;
  /** Whether it was paid; such a one is forgotten when somebody asks for it. */
  paid: boolean;
}

/** What spends of the current period may still be paid, and the block at which the next one begins. */
export function periodOf(
  block: number,
  lockingPeriod: number,
  active: bigint,
  [last, paid]: readonly [number, bigint],
): { left: bigint; next: number } {
  const length = Math.max(1, (lockingPeriod / LOCKING_DAYS) * PERIOD_DAYS);
  const period = Math.floor(block / length);
  const limit = periodLimit(active);
  const used = last === period ? paid : 0n;
  return { left: limit > used ? limit - used : 0n, next: (period + 1) * length };
}

/** Where a spend is. */
export function saySpend(
  spend: Spend,
  block: number,
  { left, treasury }: { left: bigint; treasury: bigint },
): "paid" | "ran out" | "not yet" | "next period" | "too little" | "due" {
  if (spend.paid) return "paid";
  if (block > spend.until) return "ran out";
  if (block < spend.from) return "not yet";
  if (spend.amount > left) return "next period";
  return spend.amount >= treasury ? "too little" : "due";
}
