// Votes that are delegated: as they are typed, and as the chain has them.

import { readAddress } from "@/accounts/address";
import { readAmount } from "./amount";
import { convictions } from "./referenda";

/** What is typed about a delegation. */
export interface DelegationText {
  to: string;
  amount: string;
  conviction: number;
  /** Tracks that it is for. */
  tracks: readonly number[];
}

export type DelegationProblems = Partial<Record<"to" | "amount" | "tracks", string>>;

/** A delegation that is typed, or what is wrong with each field. */
export function readDelegation(
  typed: DelegationText,
  { own, may }: { own: string; may: bigint },
): { delegation: { to: string; amount: bigint } | null; problems: DelegationProblems } {
  const problems: DelegationProblems = {};
  const to = readAddress(typed.to);
  if (!to) {
    problems.to = typed.to.trim() ? "This is no account; it may be mistyped." : "Write an account.";
  } else if (to === own) {
    problems.to = "That is your own account, which votes already.";
  }
  const { amount, problem } = readAmount(typed.amount, may);
  if (problem) problems.amount = problem;
  if (typed.tracks.length === 0) problems.tracks = "Choose at least one track.";
  if (!to || amount === null || Object.keys(problems).length > 0) return { delegation: null, problems };
  return { delegation: { to, amount }, problems };
}

/** What a delegation weighs. */
export const weighs = (amount: bigint, conviction: number) =>
  (amount * BigInt(convictions[conviction]?.tenths ?? 0)) / 10n;

/** A vote that somebody else casts. */
export interface Delegation {
  track: number;
  target: string;
  amount: bigint;
  conviction: number;
}

/** A conviction as `convictions` counts them. */
export const convictionNumber = ({ type }: { type: string }) =>
  Math.max(
    0,
    convictions.findIndex((one) => one.type === type),
  );
