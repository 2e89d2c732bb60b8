// Stakes as the chain has them, in a person's words; and what somebody types about one's own.

import { formatOpen, parseOpen } from "@/lib/format";

/** Parts of a commission, as the chain counts them. */
const BILLION = 1_000_000_000;

/** Validators that one nominator backs, at most: `MaxNominations` of runtime/src/staking/. */
export const MOST_BACKED = 16;

/** Somebody who stands for election, or makes blocks now. */
export interface Validator {
  account: string;
  /** Parts of a billion that it keeps of its stakers' payouts. */
  commission: number;
  /** Whether nobody may back it. */
  blocked: boolean;
  /** What stands behind it in this era; null where it was not elected. */
  elected: { total: bigint; own: bigint; nominators: number } | null;
  /** What it earned of this era: 20 for a block. */
  points: number;
  /** Whether it makes blocks in this session. */
  now: boolean;
  /** Whether it stands for the next election. */
  stands: boolean;
}

/** A part of a bond on its way out. */
export interface Unlocking {
  amount: bigint;
  era: number;
}

/** Where an account stands. */
export interface Stake {
  /** Plancks that count in the next election. */
  active: bigint;
  unlocking: readonly Unlocking[];
  does: "validates" | "nominates" | "nothing";
  targets: readonly string[];
}

/** Parts of a billion in percent. */
export const commission = (parts: number) =>
  `${Number(((parts / BILLION) * 100).toFixed(4)).toLocaleString("en", { maximumFractionDigits: 4 })} %`;

/** Validators in the order in which people look: those that make blocks, those elected, then by points and stake. */
export function inOrder(validators: readonly Validator[]): Validator[] {
  const stake = ({ elected }: Validator) => elected?.total ?? 0n;
  return [...validators].sort(
    (one, other) =>
      Number(other.now) - Number(one.now) ||
      Number(other.elected !== null) - Number(one.elected !== null) ||
      other.points - one.points ||
      (stake(one) === stake(other) ? 0 : stake(one) < stake(other) ? 1 : -1),
  );
}

/**
 * What has to stand behind somebody for a seat: half of what those have who make blocks now, by the median, the lower
 * of two in the middle (`least_backing` in primitives/src/staking.rs), and a fifth less for one that `sits` (`least_to_stay`).
 * It moves with them until the election.
 */
export function seatTakes(validators: readonly Validator[], sits = false): bigint {
  const backing = validators
    .flatMap(({ now, elected }) => (now && elected ? [elected.total] : []))
    .sort((one, other) => (one < other ? -1 : 1));
  const least = (backing[Math.floor((backing.length - 1) / 2)] ?? 0n) / 2n;
  return sits ? least - least / 5n : least;
}

/** What can be withdrawn in an era, and what is still on its way. */
export function leaving(unlocking: readonly Unlocking[], era: number): { due: bigint; waits: Unlocking[] } {
  const due = unlocking.filter((part) => part.era <= era).reduce((sum, { amount }) => sum + amount, 0n);
  return { due, waits: unlocking.filter((part) => part.era > era) };
}

/** What is typed to bond, or what is wrong with it. `least` is what a staker has to have bonded. */
export function readBond(
  typed: string,
  { free, active, least }: { free: bigint; active: bigint; least: bigint },
): { amount: bigint | null; problem?: string } {
  const amount = parseOpen(typed);
  if (amount === null || amount === 0n) {
    return { amount: null, problem: "Write an amount of OPEN, such as 25 or 0.5." };
  }
  if (amount > free) {
    return {
      amount: null,
      problem: `${formatOpen(amount)} OPEN are more than is free: ${formatOpen(free, 4)} OPEN. Leave some for fees.`,
    };
  }
  if (active + amount < least) {
    return {
      amount: null,
      problem: `${formatOpen(active + amount, 4)} OPEN would be bonded; who nominates needs ${formatOpen(least)} OPEN at least.`,
    };
  }
  return { amount };
}

/** What is typed to unbond, or what is wrong with it. */
export function readUnbond(
  typed: string,
  { active, least, does }: { active: bigint; least: bigint; does: Stake["does"] },
): { amount: bigint | null; problem?: string } {
  const amount = parseOpen(typed);
  if (amount === null || amount === 0n) {
    return { amount: null, problem: "Write an amount of OPEN, such as 25 or 0.5." };
  }
  if (amount > active) {
    return { amount: null, problem: `${formatOpen(active, 4)} OPEN are bonded; unbond that or less.` };
  }
  if (does !== "nothing" && active - amount < least) {
    return {
      amount: null,
      problem: `${formatOpen(active - amount, 4)} OPEN would stay bonded; who ${does} needs ${formatOpen(least)} OPEN. Stand back first, or unbond less.`,
    };
  }
  return { amount };
}
