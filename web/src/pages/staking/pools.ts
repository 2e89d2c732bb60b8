// Nomination pools, and what somebody types who is in one, makes one or runs one.

import { formatCount, formatOpen, parseOpen } from "@/lib/format";
import { commission } from "./stakes";

/** A pool as people choose one, and as those run it who may. */
export interface Pool {
  id: number;
  name: string;
  state: "Open" | "Blocked" | "Destroying";
  members: number;
  bonded: bigint;
  /** Plancks on their way out, or free and not withdrawn yet. */
  unbonding: bigint;
  /** Parts of a billion that are kept of its payouts. */
  commission: number;
  /** Who gets what is kept; null where nothing is. */
  payee: string | null;
  /** The account that nominates for it. */
  account: string;
  /** The account into which its payouts flow. */
  rewardAccount: string;
  targets: readonly string[];
  /** Who made it, and leaves it last. */
  maker: string;
  /** Who may change everything about it, who else chooses validators, and who else closes it. */
  root: string | null;
  nominator: string | null;
  bouncer: string | null;
}

/** What pools ask for on this network. */
export interface Terms {
  /** Least plancks with which an account joins, and with which one makes a pool. */
  join: bigint;
  make: bigint;
  /** Pools that there are, and the most of them; null without a limit. */
  count: number;
  most: number | null;
  /** Most that a pool may keep of its payouts, in parts of a billion. */
  keeps: number;
}

/** What a pool is called: its name is its maker's, so its number stands beside it. */
export const called = ({ id, name }: Pick<Pool, "id" | "name">) => (name ? `${id}: ${name}` : `Pool ${id}`);

/** What an account may do for a pool. */
export function rolesIn({ root, nominator, bouncer }: Pool, account: string) {
  const all = root === account;
  const [backs, closes] = [all || nominator === account, all || bouncer === account];
  return { all, backs, closes, any: backs || closes };
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

/**
 * What is typed to take out of a pool, in its points; all that leaves less than the least. Who made it `stays` with
 * the least of one who makes a pool until all others have left.
 */
export function readLeave(
  typed: string,
  { bonded, points }: Pick<Member, "bonded" | "points">,
  least: bigint,
  stays = false,
): { points: bigint | null; problem?: string } {
  const amount = parseOpen(typed);
  if (!amount) return { points: null, problem: SUCH };
  if (amount > bonded) {
    return {
      points: null,
      problem: `${formatOpen(bonded, 4)} OPEN of yours are in it; take out that or less.`,
    };
  }
  if (stays && bonded - amount < least) {
    return {
      points: null,
      problem: `${formatOpen(bonded - amount, 4)} OPEN would stay. Who made a pool keeps ${formatOpen(least)} OPEN in it until it ends and all others have left.`,
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

/** Bytes of a pool's name, at most: `MaxMetadataLen` of runtime/src/staking/pools.rs. */
const MOST_NAME = 128;

/** What is typed as a pool's name, as the chain keeps it; or what is wrong with it. */
export function readName(typed: string): { name: Uint8Array | null; problem?: string } {
  const name = new TextEncoder().encode(typed.trim());
  if (name.length > MOST_NAME) {
    return {
      name: null,
      problem: `The name has ${formatCount(name.length)} bytes, and may have ${MOST_NAME}. Letters with marks take two or more.`,
    };
  }
  return { name };
}

/** What is typed to make a pool with, or what is wrong with it. `deposit` keeps its reward account alive. */
export function readMake(
  typed: string,
  { free, deposit, terms }: { free: bigint; deposit: bigint; terms: Terms },
): Read {
  if (terms.most !== null && terms.count >= terms.most) {
    return {
      amount: null,
      problem: `There are ${formatCount(terms.count)} pools, as many as the network takes. Join one, or wait until one has ended.`,
    };
  }
  const amount = parseOpen(typed);
  if (!amount) return { amount: null, problem: SUCH };
  if (amount < terms.make) {
    return {
      amount: null,
      problem: `${formatOpen(amount)} OPEN are too little: who makes a pool begins it with ${formatOpen(terms.make)} OPEN at least.`,
    };
  }
  if (amount + deposit > free) {
    return {
      amount: null,
      problem: `${formatOpen(amount)} OPEN and ${formatOpen(deposit)} OPEN for its reward account are more than is free: ${formatOpen(free, 4)} OPEN. Leave some for fees.`,
    };
  }
  return { amount };
}

/** What is typed as a pool's commission in percent, in parts of a billion; or what is wrong with it. */
export function readKeeps(typed: string, most: number): { parts: number | null; problem?: string } {
  const text = typed.trim().replace(/\s*%$/, "");
  const parts = Math.round(Number(text) * 1e7);
  if (text === "" || !(parts >= 0 && parts <= most)) {
    return { parts: null, problem: `Write a percentage from 0 to ${commission(most).replace(/\s%$/, "")}.` };
  }
  return { parts };
}

/** What a pool's reward account has, and what is written of it. */
export interface Rewards {
  balance: bigint;
  recorded: bigint;
  claimed: bigint;
  keptPaid: bigint;
  keptWaits: bigint;
}

/** Plancks that a pool has kept of its payouts and not paid yet, as `claim_commission` counts them. */
export function keptOf({ balance, recorded, claimed, keptPaid, keptWaits }: Rewards, parts: number): bigint {
  const since = balance + claimed + keptPaid - recorded;
  return keptWaits + (since > 0n ? (since * BigInt(parts)) / 1_000_000_000n : 0n);
}
