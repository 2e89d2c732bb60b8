import { useQuery } from "@tanstack/react-query";
import type { WaitingSlash } from "./propose";

const at = { at: "best" } as const;

/** Slashes that are not taken yet, those that are taken first before the others. */
export async function waitingSlashes(): Promise<WaitingSlash[]> {
  const { getChain } = await import("@/chain/client");
  const eras = await getChain().api.query.Staking.UnappliedSlashes.getEntries(at);
  return eras
    .flatMap(({ keyArgs: [era], value }) =>
      value.map(
        ({ validator, own, others }, place): WaitingSlash => ({
          ...{ era, place, validator, own, backers: others.length },
          others: others.reduce((sum, [, amount]) => sum + amount, 0n),
        }),
      ),
    )
    .sort((one, other) => one.era - other.era || one.place - other.place);
}

/** The same, for who reads that one is to be cancelled. */
export function useWaitingSlashes() {
  return useQuery({
    queryKey: ["governance", "slashes"],
    queryFn: waitingSlashes,
    refetchInterval: 12_000,
  });
}
