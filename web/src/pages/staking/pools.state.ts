import { useQuery } from "@tanstack/react-query";
import { keptOf, type Member, type Pool, type Terms } from "./pools";

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
      const { apis, constants } = getChain().api;
      const { NominationApi } = apis;
      const [terms, deposit] = await Promise.all([
        NominationApi.terms(at),
        constants.Balances.ExistentialDeposit(),
      ]);
      const first = Math.max(1, terms.last + 1 - LOOKED_AT);
      const starts = Array.from(
        { length: Math.ceil((terms.last + 1 - first) / PAGE) },
        (_, n) => first + n * PAGE,
      );
      const found = await Promise.all(starts.map((start) => NominationApi.pools(start, PAGE, at)));
      const text = new TextDecoder();
      const asked: Terms = {
        ...{ join: terms.min_join, make: terms.min_create, count: terms.pools },
        ...{ most: terms.max_pools ?? null, keeps: terms.max_commission },
      };
      return {
        terms: asked,
        /** What keeps the reward account of a new pool alive. */
        deposit,
        pools: found.flat().map(
          (pool): Pool => ({
            ...{ id: pool.id, name: text.decode(pool.name), state: pool.state.type, members: pool.members },
            ...{ bonded: pool.bonded, unbonding: pool.unbonding, targets: pool.targets },
            ...{ account: pool.account, rewardAccount: pool.reward_account, maker: pool.depositor },
            ...{ commission: pool.commission?.[0] ?? 0, payee: pool.commission?.[1] ?? null },
            ...{ root: pool.root ?? null, nominator: pool.nominator ?? null, bouncer: pool.bouncer ?? null },
          }),
        ),
      };
    },
    refetchInterval: 12_000,
  });
}

async function readMember(account: string): Promise<Member | null> {
  const { getChain } = await import("@/chain/client");
  const found = await getChain().api.apis.NominationApi.member(account, at);
  if (!found) return null;
  const { pool, points, bonded, rewards } = found;
  return {
    ...{ pool, points, bonded, rewards },
    unbonding: found.unbonding.map(([amount, era]) => ({ amount, era })),
  };
}

/** An account's part of a pool; null for who is in none. */
export function useMember(account: string) {
  return useQuery({
    queryKey: ["staking", "member", account],
    queryFn: () => readMember(account),
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

/** The number that the next pool gets, as long as it is listened to: somebody else may take it meanwhile. */
export async function followNextPool(): Promise<{ number: () => number; stop: () => void }> {
  const { getChain } = await import("@/chain/client");
  const { LastPoolId } = getChain().api.query.NominationPools;
  let last = await LastPoolId.getValue(at);
  const listening = LastPoolId.watchValue(at).subscribe({
    next: ({ value }) => {
      last = value;
    },
    // The number that was asked for stays: who was too late is refused, and nothing is done.
    error: () => undefined,
  });
  return { number: () => last + 1, stop: () => listening.unsubscribe() };
}

/** Plancks that a pool has kept of its payouts and not paid to its payee yet. */
export function useKept({ id, rewardAccount, commission }: Pool) {
  return useQuery({
    queryKey: ["staking", "kept", id, commission],
    queryFn: async () => {
      const { getChain } = await import("@/chain/client");
      const { NominationPools, System } = getChain().api.query;
      const [rewards, { data }] = await Promise.all([
        NominationPools.RewardPools.getValue(id, at),
        System.Account.getValue(rewardAccount, at),
      ]);
      if (!rewards) return 0n;
      return keptOf(
        {
          // What keeps the account alive is frozen, and no payout.
          balance: data.free > data.frozen ? data.free - data.frozen : 0n,
          recorded: rewards.last_recorded_total_payouts,
          claimed: rewards.total_rewards_claimed,
          keptPaid: rewards.total_commission_claimed,
          keptWaits: rewards.total_commission_pending,
        },
        commission,
      );
    },
    refetchInterval: 12_000,
  });
}

/** Members of a pool that are looked at at once. */
const MEMBERS = 20;

/** Accounts in a pool that is blocked or ends, and what each has there: some of them, and how many there are more. */
export function useMembers(pool: number, shown: boolean) {
  return useQuery({
    queryKey: ["staking", "members", pool],
    queryFn: async () => {
      const { getChain } = await import("@/chain/client");
      const all = await getChain().api.query.NominationPools.PoolMembers.getEntries(at);
      const accounts = all.filter(({ value }) => value.pool_id === pool).map(({ keyArgs }) => keyArgs[0]);
      const looked = accounts.slice(0, MEMBERS);
      const parts = await Promise.all(looked.map(readMember));
      return {
        members: looked.flatMap((account, n) => (parts[n] ? [{ account, member: parts[n] }] : [])),
        more: accounts.length - looked.length,
      };
    },
    enabled: shown,
    refetchInterval: 12_000,
  });
}
