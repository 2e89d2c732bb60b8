import { useQuery } from "@tanstack/react-query";
import { formatCount } from "@/lib/format";

/** The root of a Datanet's version, from the chain; null where it is not known any more. */
export function useRoot(datanet: number, leaves: number) {
  return useQuery({
    queryKey: ["datanet", datanet, "root", leaves],
    queryFn: async (): Promise<string | null> => {
      const { getChain } = await import("@/chain/client");
      const version = await getChain().api.apis.DatanetsApi.version_at(datanet, BigInt(leaves), {
        at: "best",
      });
      return version ? version.root.replace(/^0x/, "") : null;
    },
    enabled: leaves > 0,
    // A version never changes.
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** A submission as the chain keeps it; null once it keeps nothing of it. */
export function useChainSubmission({ id, datanet }: { id: number; datanet: number }) {
  return useQuery({
    queryKey: ["submission", String(id), "chain"],
    queryFn: async () => {
      const { getChain } = await import("@/chain/client");
      const { DatanetsApi } = getChain().api.apis;
      const key = { type: "Number", value: BigInt(id) } as const;
      return (await DatanetsApi.submission(datanet, key, { at: "best" })) ?? null;
    },
    refetchInterval: 12_000,
  });
}

/** What a Datanet's committees are paid from, and how fast it may be used up; from the chain. */
export function useBudget(datanet: number, enabled = true) {
  return useQuery({
    queryKey: ["datanet", datanet, "budget"],
    queryFn: async () => {
      const { getChain } = await import("@/chain/client");
      return getChain().api.apis.CommitteeApi.budget(datanet, { at: "best" });
    },
    enabled,
    refetchInterval: 12_000,
  });
}

/** Who decides, in words. */
export function sayThreshold(threshold: number, curators: number): string {
  if (curators === 0) return "Committees decide, drawn from reviewers' seats";
  if (curators === 1) return "One curator decides alone";
  if (threshold === curators && curators === 2) return "Both curators must agree";
  if (threshold === curators) return `All ${formatCount(curators)} curators must agree`;
  if (threshold === 1) return `Any one of ${formatCount(curators)} curators decides`;
  return `${formatCount(threshold)} of ${formatCount(curators)} curators must agree`;
}
