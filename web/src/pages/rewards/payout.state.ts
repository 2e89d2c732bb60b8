import { useQuery } from "@tanstack/react-query";
import { decodeAddress, encodeAddress } from "@/accounts/address";

/** Where an account's rewards are paid. */
export interface Payout {
  to: string;
  /** To whom they are paid from a block on. */
  next: { to: string; from: number } | null;
}

/** Where an account's rewards are paid; null where it is itself. */
export async function readPayout(account: string): Promise<Payout | null> {
  const { getChain } = await import("@/chain/client");
  const payout = await getChain().api.apis.LeaderboardApi.payout(account, { at: "best" });
  if (!payout) return null;
  const [to, from] = payout.next ?? [];
  return { to: payout.to, next: to && from !== undefined ? { to, from } : null };
}

export function usePayout(account: string) {
  return useQuery({
    queryKey: ["rewards", account, "payout"],
    queryFn: () => readPayout(account),
    refetchInterval: 12_000,
  });
}

/** What naming another account holds, and the notice in blocks. */
export async function payoutTerms(): Promise<{ deposit: bigint; notice: number }> {
  const { getChain } = await import("@/chain/client");
  const { Leaderboard } = getChain().api.constants;
  const [deposit, notice, period] = await Promise.all([
    Leaderboard.PayoutDeposit(),
    Leaderboard.Notice(),
    Leaderboard.PeriodLength(),
  ]);
  return { deposit, notice: Math.max(notice, period) };
}

/** An account that is typed as where rewards go, or what is wrong with it. */
export function readTarget(
  text: string,
  now: string,
): { to: string; problem: null } | { to: null; problem: string } {
  const key = decodeAddress(text);
  if (!key) {
    return {
      to: null,
      problem: text.trim() ? "This is no account; it may be mistyped." : "Write an account.",
    };
  }
  const to = encodeAddress(key);
  return to === now ? { to: null, problem: "They are paid to that account already." } : { to, problem: null };
}
