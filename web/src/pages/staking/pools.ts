// Nomination pools, and what somebody types about one's part of one.

import { formatOpen, parseOpen } from "@/lib/format";

/** A pool as people choose one. */
export interface Pool {
  id: number;
  name: string;
  state: "Open" | "Blocked" | "Destroying";
  members: number;
  bonded: bigint;
  /** Parts of a billion that are kept of its payouts. */
  commission: number;
  /** The account that nominates for it. */
  account: string;
  targets: readonly string[];
}

/** An account's part of a pool. */
export interface Member {
  pool: number;
  points: bigint;
  /** Plancks that the points are worth. */
  bonded: bigint;
  unbonding: readonly { amount: bigint; era: number }[];
  rewards: bigint;
}

type Read = { amount: bigint | null; problem?: string };

const SUCH = "Write an amount of OPEN, such as 25 or 0.5.";

/** What is typed to bring into a pool, or what is wrong with it. */
export function readJoin(typed: string, { free, least }: { free: bigint; least: bigint }): Read {
  const amount = parseOpen(typed);
  if (!amount) return { amount: null, problem: SUCH };
  if (amount > free) {
    return {
      amount: null,
      problem: `${formatOpen(amount)} OPEN are more than is free: ${formatOpen(free, 4)} OPEN. Leave some for fees.`,
    };
  }
  if (amount < least) {
    return { amount: null, problem: `Who joins brings ${formatOpen(least)} OPEN at least.` };
  }
  return { amount };
}

/** What is typed to take out of a pool, in its points; all that leaves less than the least. */
export function readLeave(
  typed: string,
  { bonded, points }: Pick<Member, "bonded" | "points">,
  least: bigint,
): { points: bigint | null; problem?: string } {
  const amount = parseOpen(typed);
  if (!amount) return { points: null, problem: SUCH };
  if (amount > bonded) {
    return {
      points: null,
      problem: `${formatOpen(bonded, 4)} OPEN of yours are in it; take out that or less.`,
    };
  }
  if (amount < bonded && bonded - amount < least) {
    return {
      points: null,
      problem: `${formatOpen(bonded - amount, 4)} OPEN would stay; who is in a pool has ${formatOpen(least)} OPEN in it. Take out all, or less.`,
    };
  }
  return { points: amount === bonded ? points : (amount * points) / bonded };
}
