// Referenda as the chain has them, in a person's words: where each is, what it needs, and what a vote locks.

import type { Tone } from "@/components/ui/Badge";
import { formatOpen } from "@/lib/format";

/** Parts of a whole, as the chain counts them. */
const BILLION = 1_000_000_000n;

/** How much must agree, falling over the decision period. */
export interface Curve {
  type: string;
  value: unknown;
}

/** Periods in blocks, deposits in plancks. */
export interface Track {
  id: number;
  name: string;
  decisionDeposit: bigint;
  prepare: number;
  decide: number;
  confirm: number;
  enact: number;
  approval: Curve;
  support: Curve;
}

export interface Tally {
  ayes: bigint;
  nays: bigint;
  support: bigint;
}

export interface Deposit {
  who: string;
  amount: bigint;
}

/** A referendum that is not over. */
export interface Ongoing {
  track: number;
  origin: string;
  proposal: { inline: Uint8Array } | { hash: string; length: number };
  submitted: number;
  submissionDeposit: Deposit;
  decisionDeposit: Deposit | null;
  deciding: { since: number; confirming: number | null } | null;
  queued: boolean;
  tally: Tally;
}

/** What is left of one that is over. */
export interface Over {
  how: "approved" | "rejected" | "cancelled" | "timed-out" | "killed";
  block: number;
  submissionDeposit: Deposit | null;
  decisionDeposit: Deposit | null;
}

export interface Referendum {
  id: number;
  ongoing: Ongoing | null;
  over: Over | null;
}

/** The part of OPEN, or of votes, in billionths; nothing of nothing is nothing. */
export const part = (of: bigint, whole: bigint): number =>
  whole === 0n ? 0 : Number((of * BILLION) / whole) / Number(BILLION);

/** How much must agree when a part of the decision period is over; null for a shape that is not read here. */
export function needed(curve: Curve, passed: number): number | null {
  if (curve.type !== "LinearDecreasing") return null;
  const { length, floor, ceil } = curve.value as { length: number; floor: number; ceil: number };
  const way = length === 0 ? 1 : Math.min(passed, length / 1e9) / (length / 1e9);
  return (ceil - way * (ceil - floor)) / 1e9;
}

/** How approval and support stand to what the track asks for at a block. */
export function standing({ tally, deciding }: Ongoing, track: Track, active: bigint, block: number) {
  const passed = deciding ? Math.min(1, Math.max(0, (block - deciding.since) / track.decide)) : 0;
  return {
    approval: { has: part(tally.ayes, tally.ayes + tally.nays), needs: needed(track.approval, passed) },
    support: { has: part(tally.support, active), needs: needed(track.support, passed) },
  };
}

interface Saying {
  label: string;
  tone: Tone;
  means: string;
  /** The block at which that ends; null where nothing is waited for. */
  until: number | null;
}

/** Where a referendum is. `timeout` is how long one waits for its decision deposit. */
export function sayReferendum(
  { ongoing, over }: Referendum,
  track: Track | undefined,
  timeout: number,
): Saying {
  if (over) {
    const said: Record<Over["how"], [string, Tone, string]> = {
      approved: ["approved", "good", "It is carried out after the enactment, as its origin and no more."],
      rejected: ["refused", "bad", "It did not stand above its track’s lines in time."],
      cancelled: ["cancelled", "neutral", "It was called off; deposits come back, and votes are free."],
      "timed-out": ["ran out", "neutral", "Nobody placed its decision deposit in time."],
      killed: ["killed", "bad", "It was called off as an abuse; its deposits went to the treasury."],
    };
    const [label, tone, means] = said[over.how];
    return { label, tone, means, until: null };
  }
  if (!ongoing || !track) return { label: "unknown", tone: "neutral", means: "", until: null };
  const { deciding, decisionDeposit, submitted, queued } = ongoing;
  if (deciding?.confirming !== null && deciding?.confirming !== undefined) {
    return {
      label: "confirming",
      tone: "good",
      means: "It stands above its track’s lines, and passes if it still does at the end of the confirmation.",
      until: deciding.confirming,
    };
  }
  if (deciding) {
    return {
      label: "being decided",
      tone: "info",
      means: "It passes once approval and support stand above the lines for the whole confirmation.",
      until: deciding.since + track.decide,
    };
  }
  if (queued) {
    return {
      label: "in the queue",
      tone: "warn",
      means: "Its track decides as many at once as it may; the one with the most ayes comes next.",
      until: null,
    };
  }
  if (!decisionDeposit) {
    return {
      label: "needs a deposit",
      tone: "warn",
      means: "It is decided once somebody places the decision deposit. Votes can be cast already.",
      until: submitted + timeout,
    };
  }
  return {
    label: "being prepared",
    tone: "info",
    means: "So that everybody hears of it before it is decided. Votes can be cast already.",
    until: submitted + track.prepare,
  };
}

/** Convictions: the weight of a vote in tenths, and for how many locking periods it stays locked if its side wins. */
export const convictions = [
  { type: "None", tenths: 1, periods: 0 },
  { type: "Locked1x", tenths: 10, periods: 1 },
  { type: "Locked2x", tenths: 20, periods: 2 },
  { type: "Locked3x", tenths: 30, periods: 4 },
  { type: "Locked4x", tenths: 40, periods: 8 },
  { type: "Locked5x", tenths: 50, periods: 16 },
  { type: "Locked6x", tenths: 60, periods: 32 },
] as const;

/** A vote as the chain writes it: the side in the highest bit, the conviction below. */
export const voteByte = (aye: boolean, conviction: number) => (aye ? 0x80 : 0) | conviction;

/** Somebody's vote on a referendum. */
export interface OwnVote {
  referendum: number;
  track: number;
  ayes: bigint;
  nays: bigint;
  abstains: bigint;
  /** Of a vote on one side; null for one that is split. */
  conviction: number | null;
}

interface ChainVote {
  type: string;
  value: { vote?: number; balance?: bigint; aye?: bigint; nay?: bigint; abstain?: bigint };
}

/** A vote as the chain has it. */
export function readVote(referendum: number, track: number, { type, value }: ChainVote): OwnVote {
  if (type === "Standard") {
    const { vote = 0, balance = 0n } = value;
    const aye = (vote & 0x80) !== 0;
    return {
      ...{ referendum, track, abstains: 0n, conviction: vote & 0x7f },
      ...{ ayes: aye ? balance : 0n, nays: aye ? 0n : balance },
    };
  }
  const { aye = 0n, nay = 0n, abstain = 0n } = value;
  return { referendum, track, ayes: aye, nays: nay, abstains: abstain, conviction: null };
}

/** What a vote locks. */
export const lockedBy = ({ ayes, nays, abstains }: OwnVote) => ayes + nays + abstains;

/**
 * The block from which on what a vote locks is free, for a referendum that is over: at once for who lost, abstained or
 * split, and where there was no winner; null while it goes on.
 */
export function freeFrom(vote: OwnVote, { over }: Referendum, period: number): number | null {
  if (!over) return null;
  const won = (over.how === "approved" && vote.ayes > 0n) || (over.how === "rejected" && vote.nays > 0n);
  const periods = vote.conviction === null ? 0 : (convictions[vote.conviction]?.periods ?? 0);
  return won ? over.block + periods * period : over.block;
}

/** A part in percent: `12.35 %`. */
export function percent(of: number): string {
  const value = of * 100;
  const digits = value === 0 || value >= 10 ? 1 : value >= 0.1 ? 2 : 4;
  return `${Number(value.toFixed(digits)).toLocaleString("en", { maximumFractionDigits: 4 })} %`;
}

/** A track's name as people read it: `small spender`. */
export const trackName = (track: Pick<Track, "name"> | undefined) =>
  track ? track.name.replaceAll("_", " ") : "unknown";

/** What somebody voted, in words. */
export function sayVote({ ayes, nays, abstains }: OwnVote): string {
  const parts = [
    ayes > 0n ? `${formatOpen(ayes, 4)} OPEN for` : "",
    nays > 0n ? `${formatOpen(nays, 4)} OPEN against` : "",
    abstains > 0n ? `${formatOpen(abstains, 4)} OPEN abstain` : "",
  ];
  return parts.filter(Boolean).join(", ") || "nothing";
}

/** How much of it must agree over the decision period: `80 % → 50 %`. */
export function sayCurve({ value }: Curve): string {
  const { ceil, floor } = value as { ceil?: number; floor?: number };
  return ceil === undefined || floor === undefined ? "–" : `${percent(ceil / 1e9)} → ${percent(floor / 1e9)}`;
}
