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

/** What can be claimed now, in all and where. */
export function claimableOf(rewards: readonly Reward[]): { datanets: number[]; total: bigint } {
  const open = rewards.filter(({ claimable }) => BigInt(claimable) > 0n);
  return {
    datanets: open.map(({ datanet }) => datanet),
    total: open.reduce((sum, { claimable }) => sum + BigInt(claimable), 0n),
  };
}

/** What a transaction that claimed has paid, in words. `failed`: somebody else was first, which costs nothing. */
export function sayClaimed({ events }: TransactionResult): { text: string; failed: boolean } {
  let paid = 0n;
  let claims = 0;
  let failures = 0;
  for (const { type, value } of events) {
    if (type === "Leaderboard" && value.type === "Claimed") {
      claims += 1;
      paid += BigInt((value.value as { amount: bigint }).amount);
    }
    if (type === "Utility" && value.type === "ItemFailed") failures += 1;
  }
  const text = `${formatOpen(paid)} OPEN paid from ${plural(claims, "Datanet")}`;
  return failures === 0
    ? { text, failed: false }
    : { text: `${text}; ${plural(failures, "claim")} had nothing left to claim`, failed: true };
}
