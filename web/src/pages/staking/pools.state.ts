import { useQuery } from "@tanstack/react-query";
import type { Member, Pool } from "./pools";

const at = { at: "best" } as const;

/** Numbers of pools that the chain is asked for at once. */
const PAGE = 100;
/** Numbers that are looked at: the newest ones. */
const LOOKED_AT = 500;

/** What pools ask for, and those that there are. */
export function usePools() {
  return useQuery({
    queryKey: ["staking", "pools"],
    queryFn: async () => {
      const { getChain } = await import("@/chain/client");
      const { NominationApi } = getChain().api.apis;
      const terms = await NominationApi.terms(at);
      const first = Math.max(1, terms.last + 1 - LOOKED_AT);
      const starts = Array.from(
        { length: Math.ceil((terms.last + 1 - first) / PAGE) },
        (_, n) => first + n * PAGE,
      );
      const found = await Promise.all(starts.map((start) => NominationApi.pools(start, PAGE, at)));
      const text = new TextDecoder();
      return {
        least: terms.min_join,
        pools: found.flat().map(
          (pool): Pool => ({
            ...{ id: pool.id, name: text.decode(pool.name), state: pool.state.type, members: pool.members },
            ...{ bonded: pool.bonded, account: pool.account, targets: pool.targets },
            commission: pool.commission?.[0] ?? 0,
          }),
        ),
      };
    },
    refetchInterval: 12_000,
  });
}

/** An account's part of a pool; null for who is in none. */
export function useMember(account: string) {
  return useQuery({
    queryKey: ["staking", "member", account],
    queryFn: async (): Promise<Member | null> => {
      const { getChain } = await import("@/chain/client");
      const found = await getChain().api.apis.NominationApi.member(account, at);
      if (!found) return null;
      const { pool, points, bonded, rewards } = found;
      return {
        ...{ pool, points, bonded, rewards },
        unbonding: found.unbonding.map(([amount, era]) => ({ amount, era })),
      };
    },
    enabled: account !== "",
    refetchInterval: 6000,
  });
}

/** Spans of slashes of a pool's account, which who withdraws has to name. */
export async function spansOf(pool: string): Promise<number> {
  const { getChain } = await import("@/chain/client");
  const spans = await getChain().api.query.Staking.SlashingSpans.getValue(pool, at);
  return spans ? spans.prior.length + 1 : 0;
}
