// Who judges a Datanet: as its owner types it, and as the chain takes it.

import { formatOpen, parseOpen } from "@/lib/format";
import { readAccounts } from "./admission.state";
import { whole } from "./whole";

export const MAX_CURATORS = 16;

/** Curators whom the owner names, or committees drawn from a kind's seats or the Datanet's own. */
export type Judges = "curators" | "modality" | "own";

export type ChainPolicy =
  | { type: "Curators"; value: { members: string[]; threshold: number } }
  | { type: "Committee"; value: { own_seats: boolean } };

export interface CuratorsText {
  /** An account a line. */
  curators: string;
  threshold: string;
}

/** Which curators decide, as it is typed, or what is wrong with it. */
export function readPolicy({ curators, threshold }: CuratorsText): {
  policy: { curators: string[]; threshold: number } | null;
  problems: Partial<Record<keyof CuratorsText, string>>;
} {
  const problems: Partial<Record<keyof CuratorsText, string>> = {};
  const { accounts, problem } = readAccounts(curators);
  if (problem) problems.curators = problem;
  else if (accounts.length === 0) problems.curators = "Name at least one account that decides.";
  else if (accounts.length > MAX_CURATORS) {
    problems.curators = `${accounts.length} accounts; at most ${MAX_CURATORS} can decide.`;
  }
  const agree = whole(threshold);
  if (agree === null || agree < 1) problems.threshold = "At least one curator must agree.";
  else if (!problems.curators && agree > accounts.length) {
    problems.threshold = `There are ${accounts.length} curators: no more can agree.`;
  }
  const good = Object.keys(problems).length === 0;
  return { policy: good ? { curators: accounts, threshold: agree ?? 0 } : null, problems };
}

/** How many files a day committees are drawn for, as it is typed. */
export interface BudgetText {
  filesADay: string;
  /** Percent of them that one account may submit. */
  share: string;
}

/** What the chain says where an owner says nothing: `BudgetTerms::DEFAULT` of primitives/src/committee/budget.rs. */
export const usualTerms = { files_a_day: 1000, share: 10 } as const;

/** How many files a day, or what is wrong with each field. */
export function readTerms({ filesADay, share }: BudgetText): {
  terms: { files_a_day: number; share: number } | null;
  problems: Partial<Record<keyof BudgetText, string>>;
} {
  const problems: Partial<Record<keyof BudgetText, string>> = {};
  const [files, percent] = [whole(filesADay), whole(share)];
  if (files === null || files < 1 || files > 0xffff_ffff) {
    problems.filesADay = "Write a whole number from 1 to 4,294,967,295.";
  }
  if (percent === null || percent < 1 || percent > 100) {
    problems.share = "Write a percentage from 1 to 100.";
  }
  if (Object.keys(problems).length > 0) return { terms: null, problems };
  return { terms: { files_a_day: files ?? 0, share: percent ?? 0 }, problems };
}

/** What a committee is paid for a file, in plancks. */
export const filePrice = ({ pay, size }: { pay: bigint; size: number }) => pay * BigInt(size);

/** Files of one account that a budget sets money aside for in any case (`BudgetTerms::LEAST_SET_ASIDE`). */
const LEAST_AT_A_TIME = 5n;

/** How many files of one account may have the review budget set aside at a time: `BudgetTerms::most_reserved` of the chain. */
export function filesAtATime(
  { budget, terms }: { budget: { available: bigint; reserved: bigint }; terms: { share: number } },
  rules: { pay: bigint; size: number },
): bigint {
  const each = filePrice(rules);
  const most = ((budget.available + budget.reserved) / 100n) * BigInt(Math.min(terms.share, 100));
  const files = each > 0n ? most / each : 0n;
  return files > LEAST_AT_A_TIME ? files : LEAST_AT_A_TIME;
}

/** What is paid into a review budget, or what is wrong with it. Nothing typed is nothing paid. */
export function readBudget(typed: string, price: bigint): { amount: bigint | null; problem?: string } {
  if (typed.trim() === "") return { amount: 0n };
  const amount = parseOpen(typed);
  if (amount === null) return { amount: null, problem: "Write an amount of OPEN, such as 25 or 0.5." };
  if (amount > 0n && amount < price) {
    return {
      amount: null,
      problem: `${formatOpen(amount)} OPEN pay for no file: a committee costs ${formatOpen(price)} OPEN. Pay in at least that, or nothing for now.`,
    };
  }
  return { amount };
}
