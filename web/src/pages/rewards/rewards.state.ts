import { useEffect } from "react";
import { useGet, useList } from "@/api/queries";
import { queryClient } from "@/api/queryClient";
import type { Event, Network, Reward } from "@/api/types";
import type { TransactionResult } from "@/chain/transactions";
import { formatOpen, plural } from "@/lib/format";

/** The reward period that runs. */
export function usePeriod() {
  return useGet<Network>(["network"], "/v1/network");
}

/** An account's rewards, Datanet by Datanet. */
export function useRewards(account: string) {
  const period = usePeriod().data?.period;
  useEffect(() => {
    // The end of a period makes its points claimable, and no event says so.
    if (period !== undefined) void queryClient.invalidateQueries({ queryKey: ["rewards"] });
  }, [period]);
  return useList<Reward>(["rewards", account], `/v1/accounts/${encodeURIComponent(account)}/rewards`, {
    limit: 100,
  });
}

/** What an account was paid, or the points that it earned, newest first. */
export function useRewardEvents(account: string, kind: "Leaderboard.Claimed" | "Leaderboard.PointsEarned") {
  return useList<Event>(["rewards", account, kind], "/v1/events", { account, kind, limit: 20 });
}

/** Datanets of one claim, at most: `MAX_CLAIMS` of pallets/leaderboard. */
export const MOST_CLAIMS = 20;

/** What can be claimed now, in all and where; of more than `most` Datanets the first ones. */
export function claimableOf(
  rewards: readonly Reward[],
  most = Number.POSITIVE_INFINITY,
): { datanets: number[]; total: bigint; more: number } {
  const open = rewards.filter(({ claimable }) => BigInt(claimable) > 0n);
  const taken = open.slice(0, most);
  return {
    datanets: taken.map(({ datanet }) => datanet),
    total: taken.reduce((sum, { claimable }) => sum + BigInt(claimable), 0n),
    more: open.length - taken.length,
  };
}

/** What a claim from so many Datanets has paid, in words. `failed`: somebody else was first, which costs nothing. */
export function sayClaimed({ events }: TransactionResult, asked: number): { text: string; failed: boolean } {
  const claims = events.filter(({ type, value }) => type === "Leaderboard" && value.type === "Claimed");
  const paid = claims.reduce(
    (sum, { value }) => sum + BigInt((value.value as { amount: bigint }).amount),
    0n,
  );
  const text = `${formatOpen(paid)} OPEN paid from ${plural(claims.length, "Datanet")}`;
  const failed = asked - claims.length;
  return failed <= 0
    ? { text, failed: false }
    : { text: `${text}; ${plural(failed, "Datanet")} had nothing left to claim`, failed: true };
}
