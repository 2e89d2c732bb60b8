import { useQuery } from "@tanstack/react-query";
import type { Pool } from "@/api/types";
import { formatOpen, parseOpen } from "@/lib/format";

/** What is typed about a pool, in OPEN. */
export interface FundingText {
  amount: string;
  perPeriod: string;
  maxPerPoint: string;
}

export interface Terms {
  per_period: bigint;
  max_per_point: bigint;
}

type Problems = Partial<Record<keyof FundingText, string>>;

/** Terms that are typed, or what is wrong with each. */
export function readTerms(text: Pick<FundingText, "perPeriod" | "maxPerPoint">): {
  terms: Terms | null;
  problems: Problems;
} {
  const per_period = parseOpen(text.perPeriod);
  const max_per_point = parseOpen(text.maxPerPoint);
  const problems: Problems = {};
  // A pool that releases nothing a period or nothing a point never pays.
  if (!per_period) problems.perPeriod = "Write how much OPEN a period may pay, more than 0.";
  if (!max_per_point) problems.maxPerPoint = "Write how much OPEN one point may bring, more than 0.";
  return { terms: per_period && max_per_point ? { per_period, max_per_point } : null, problems };
}

/** An amount that is typed, or what is wrong with it. */
export function readAmount(
  text: string,
  minimum: bigint,
): { amount: bigint; problem: null } | { amount: null; problem: string } {
  const amount = parseOpen(text);
  if (amount === null) return { amount: null, problem: "Write an amount of OPEN, such as 25 or 0.5." };
  if (amount < minimum) {
    return { amount: null, problem: `At least ${formatOpen(minimum)} OPEN must be paid in at once.` };
  }
  return { amount, problem: null };
}

/** The terms of a pool; null before its first funding, which brings them. */
export function termsOf(pool: Pool | null): Terms | null {
  if (!pool || pool.perPeriod === "0" || pool.maxPerPoint === "0") return null;
  return { per_period: BigInt(pool.perPeriod), max_per_point: BigInt(pool.maxPerPoint) };
}

/** What the chain says about pools. */
export function usePoolRules() {
  return useQuery({
    queryKey: ["pool-rules"],
    queryFn: async () => {
      const { getChain } = await import("@/chain/client");
      const { Leaderboard } = getChain().api.constants;
      const [minimum, period] = await Promise.all([Leaderboard.MinimumFunding(), Leaderboard.PeriodLength()]);
      return { minimum, period };
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
}
