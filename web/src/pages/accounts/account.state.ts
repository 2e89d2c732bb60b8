import { useQuery } from "@tanstack/react-query";
import { decodeAddress, encodeAddress } from "@/accounts/address";
import { parseOpen } from "@/lib/format";

/** What an account has on chain now, read from the chain itself: what one signs next depends on it. */
export interface Holdings {
  free: bigint;
  held: bigint;
  registered: boolean;
}

export function useHoldings(address: string) {
  return useQuery({
    queryKey: ["account", address, "holdings"],
    queryFn: async (): Promise<Holdings> => {
      const { getChain } = await import("@/chain/client");
      const { api } = getChain();
      const [account, quota] = await Promise.all([
        api.query.System.Account.getValue(address, { at: "best" }),
        api.apis.DatanetsApi.quota(address, { at: "best" }),
      ]);
      return { free: account.data.free, held: account.data.reserved, registered: quota.registered };
    },
    refetchInterval: 12_000,
  });
}

/** The block in which a sponsor ended its part; null while it stands. */
export function useSponsorshipEnded(contributor: string) {
  return useQuery({
    queryKey: ["account", contributor, "sponsorship"],
    queryFn: async () => {
      const { getChain } = await import("@/chain/client");
      const { Ended } = getChain().api.query.Datanets;
      return (await Ended.getValue(contributor, { at: "best" })) ?? null;
    },
  });
}

/** What becoming a contributor holds, as the chain says. */
export async function contributorHold(): Promise<bigint> {
  const { getChain } = await import("@/chain/client");
  return getChain().api.constants.Datanets.ContributorHold();
}

// As the gateway names them: pallet and reason.
const holds: Readonly<Record<string, string>> = {
  "datanets.datanet": "For Datanets",
  "datanets.contributor": "For contributors",
  "training.base-model-deposit": "For base models",
  "training.worker-bond": "As a worker",
  "training.job-budget": "For jobs",
  "training.job-deposit": "Deposits of jobs",
  "leaderboard.payout": "For where rewards are paid",
};

/** What something is held for, in words; what is not known, by its name. */
export function sayHold(reason: string): string {
  return (
    holds[reason] ??
    reason
      .replace(".", ": ")
      .replace(/([a-z])([A-Z])/g, "$1 $2")
      .toLowerCase()
  );
}

/** What is typed about a transfer. */
export interface TransferText {
  to: string;
  amount: string;
}

/** A transfer that is typed, or what is wrong with each field. */
export function readTransfer(
  text: TransferText,
  from: string,
): {
  transfer: { to: string; amount: bigint } | null;
  problems: Partial<Record<keyof TransferText, string>>;
} {
  const problems: Partial<Record<keyof TransferText, string>> = {};
  const key = decodeAddress(text.to);
  const to = key && encodeAddress(key);
  if (!to) problems.to = text.to.trim() ? "This is no account; it may be mistyped." : "Write an account.";
  else if (to === from) problems.to = "This is the account that sends.";
  const amount = parseOpen(text.amount);
  if (amount === null) problems.amount = "Write an amount of OPEN, such as 25 or 0.5.";
  else if (amount === 0n) problems.amount = "Write more than 0.";
  return { transfer: to && to !== from && amount ? { to, amount } : null, problems };
}
