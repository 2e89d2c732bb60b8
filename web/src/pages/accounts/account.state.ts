import { useQuery } from "@tanstack/react-query";

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
