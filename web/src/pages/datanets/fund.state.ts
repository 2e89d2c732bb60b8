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

/** How many shares leave for an amount that is typed, or what is wrong with it. */
export function readLeaving(
  text: string,
  share: { shares: bigint; worth: bigint },
): { shares: bigint; problem: null } | { shares: null; problem: string } {
  const amount = parseOpen(text);
  if (amount === null) return { shares: null, problem: "Write an amount of OPEN, such as 25 or 0.5." };
  // What is worth nothing any more may leave all the same.
  if (amount >= share.worth) return { shares: share.shares, problem: null };
  const shares = (share.shares * amount) / share.worth;
  if (shares === 0n) return { shares: null, problem: "Write more than 0." };
  return { shares, problem: null };
}

/** The terms of a pool; null before its Datanet's owner has set them. */
export function termsOf(pool: Pool | null): Terms | null {
  if (!pool || pool.perPeriod === "0" || pool.maxPerPoint === "0") return null;
  return { per_period: BigInt(pool.perPeriod), max_per_point: BigInt(pool.maxPerPoint) };
}

/** Why funders may leave, in words. */
export const waysOut: Readonly<Record<string, string>> = {
  Closed: "the Datanet is closed",
  Dead: "nobody earned points for long",
  Terms: "terms wait that pay out faster",
  Policy: "other curators wait",
};

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

/** A pool as the chain has it now: what waits, what a payment has to name, and what an account owns of it. */
export function useChainPool(datanet: number, account: string | undefined) {
  return useQuery({
    queryKey: ["datanet", datanet, "chain-pool", account ?? null],
    queryFn: async () => {
      const { getChain } = await import("@/chain/client");
      const { LeaderboardApi } = getChain().api.apis;
      const at = { at: "best" } as const;
      const [pool, policy, share] = await Promise.all([
        LeaderboardApi.pool_view(datanet, at),
        LeaderboardApi.waiting_policy(datanet, at),
        account ? LeaderboardApi.share(datanet, account, at) : undefined,
      ]);
      return { pool: pool ?? null, policy: policy ?? null, share: share ?? null };
    },
    refetchInterval: 12_000,
  });
}

export type ChainPool = NonNullable<NonNullable<ReturnType<typeof useChainPool>["data"]>["pool"]>;
export type ChainShare = NonNullable<NonNullable<ReturnType<typeof useChainPool>["data"]>["share"]>;
export type WaitingPolicy = NonNullable<NonNullable<ReturnType<typeof useChainPool>["data"]>["policy"]>;

/** The terms of a pool on the chain; null before its Datanet's owner has set them. */
export function chainTerms(pool: Pick<ChainPool, "rules"> | null): Terms | null {
  const terms = pool?.rules.terms;
  return terms && terms.per_period > 0n ? terms : null;
}
