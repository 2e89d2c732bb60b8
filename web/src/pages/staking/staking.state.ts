import { useQuery } from "@tanstack/react-query";
import type { Stake, Validator } from "./stakes";

const at = { at: "best" } as const;

/** The era, who is elected and who stands, and what stakers need; as the chain has it now. */
export function useStaking() {
  return useQuery({
    queryKey: ["staking"],
    queryFn: async () => {
      const { getChain } = await import("@/chain/client");
      const { query, constants } = getChain().api;
      const { Staking, Session } = query;
      const active = await Staking.ActiveEra.getValue(at);
      const era = active?.index ?? 0;
      const [
        makers,
        session,
        began,
        stakes,
        preferences,
        standing,
        points,
        total,
        paid,
        wanted,
        leastNominator,
        leastValidator,
        leastCommission,
        nominators,
        sessions,
        bonding,
        blocks,
      ] = await Promise.all([
        Session.Validators.getValue(at),
        Session.CurrentIndex.getValue(at),
        Staking.ErasStartSessionIndex.getValue(era, at),
        Staking.ErasStakersOverview.getEntries(era, at),
        Staking.ErasValidatorPrefs.getEntries(era, at),
        Staking.Validators.getEntries(at),
        Staking.ErasRewardPoints.getValue(era, at),
        Staking.ErasTotalStake.getValue(era, at),
        era > 0 ? Staking.ErasValidatorReward.getValue(era - 1, at) : undefined,
        Staking.ValidatorCount.getValue(at),
        Staking.MinNominatorBond.getValue(at),
        Staking.MinValidatorBond.getValue(at),
        Staking.MinCommission.getValue(at),
        Staking.CounterForNominators.getValue(at),
        constants.Staking.SessionsPerEra(),
        constants.Staking.BondingDuration(),
        constants.Babe.EpochDuration(),
      ]);
      const validators = new Map<string, Validator>();
      const of = (account: string): Validator => {
        const known = validators.get(account);
        if (known) return known;
        const made: Validator = {
          ...{ account, commission: 0, blocked: false, elected: null },
          ...{ points: 0, now: false, stands: false },
        };
        validators.set(account, made);
        return made;
      };
      for (const account of makers) of(account).now = true;
      for (const { keyArgs, value } of stakes) {
        const { total, own, nominator_count } = value;
        of(keyArgs[1]).elected = { total, own, nominators: nominator_count };
      }
      for (const { keyArgs, value } of preferences) of(keyArgs[1]).commission = value.commission;
      // What holds for the next election is what somebody who backs it wants to know.
      for (const { keyArgs, value } of standing) {
        Object.assign(of(keyArgs[0]), { ...value, stands: true });
      }
      for (const [account, earned] of points.individual) of(account).points = earned;
      return {
        era,
        validators: [...validators.values()],
        total,
        paid: paid ?? null,
        wanted,
        leastNominator,
        leastValidator,
        leastCommission,
        nominators,
        bonding,
        /** Blocks of an era. */
        length: sessions * Number(blocks),
        /** Sessions of this era that are not over. */
        left: began === undefined ? null : Math.max(0, began + sessions - session),
        sessionLength: Number(blocks),
      };
    },
    refetchInterval: 12_000,
  });
}

export type Staking = NonNullable<ReturnType<typeof useStaking>["data"]>;

/** An account's stake; null for one that has bonded nothing. */
export function useStake(of: string | null) {
  const account = of ?? "";
  return useQuery({
    queryKey: ["staking", "own", account],
    queryFn: async () => {
      const { getChain } = await import("@/chain/client");
      const { Staking, System } = getChain().api.query;
      const [ledger, validating, nominations, spans, holdings] = await Promise.all([
        Staking.Ledger.getValue(account, at),
        // Who does not validate has preferences too, the default ones: what tells is whether any are stored.
        Staking.Validators.getEntries(at),
        Staking.Nominators.getValue(account, at),
        Staking.SlashingSpans.getValue(account, at),
        System.Account.getValue(account, at),
      ]);
      const validates = validating.some(({ keyArgs }) => keyArgs[0] === account);
      const stake: Stake | null = ledger
        ? {
            active: ledger.active,
            unlocking: ledger.unlocking.map(({ value, era }) => ({ amount: value, era })),
            does: validates ? "validates" : nominations ? "nominates" : "nothing",
            targets: nominations?.targets ?? [],
          }
        : null;
      return {
        stake,
        free: holdings.data.free,
        /** Who takes out all says how many spans of slashes are cleared then. */
        spans: spans ? spans.prior.length + 1 : 0,
      };
    },
    enabled: of !== null,
    refetchInterval: 6000,
  });
}

/** The session keys that an account has set, and what is held for them. */
export function useSessionKeys(account: string) {
  return useQuery({
    queryKey: ["staking", "keys", account],
    queryFn: async () => {
      const { getChain } = await import("@/chain/client");
      const { query, constants } = getChain().api;
      const [keys, deposit] = await Promise.all([
        query.Session.NextKeys.getValue(account, at),
        constants.Session.KeyDeposit(),
      ]);
      return { set: keys ?? null, deposit };
    },
    refetchInterval: 12_000,
  });
}

export type SessionKeys = NonNullable<ReturnType<typeof useSessionKeys>["data"]>;
