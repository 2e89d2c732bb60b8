import { useQuery } from "@tanstack/react-query";
import type { BarReason } from "./owner.state";

const at = { at: "best" } as const;

/** Entries of a closed Datanet that one transaction clears: `MAX_CLEARED` of pallets/datanets. */
export const MOST_CLEARED = 50;

/** An account that a Datanet takes no files of. */
export interface Barred {
  account: string;
  reason: BarReason;
  since: number;
}

/** Whom a Datanet's owner invited and barred, in the order of addresses, as the chain has it now. */
export function useEntries(datanet: number) {
  return useQuery({
    queryKey: ["datanet", datanet, "entries"],
    queryFn: async () => {
      const { getChain } = await import("@/chain/client");
      const { query, constants } = getChain().api;
      const [invitations, bars, deposit] = await Promise.all([
        query.Datanets.Invitations.getEntries(datanet, at),
        query.Datanets.Bars.getEntries(datanet, at),
        constants.Datanets.EntryDeposit(),
      ]);
      return {
        invited: invitations.map(({ keyArgs }) => keyArgs[1]).sort(),
        barred: bars
          .map(
            ({ keyArgs, value }): Barred => ({
              ...{ account: keyArgs[1], reason: value.reason.type, since: value.since },
            }),
          )
          .sort((one, other) => (one.account < other.account ? -1 : 1)),
        /** Plancks held for each of them. */
        deposit,
      };
    },
  });
}

/** How many invitations and bars a Datanet has, and what is held for all of them. */
export function useListing(datanet: number, enabled: boolean) {
  return useQuery({
    queryKey: ["datanet", datanet, "listing"],
    queryFn: async () => {
      const { getChain } = await import("@/chain/client");
      return getChain().api.query.Datanets.Listed.getValue(datanet, at);
    },
    enabled,
  });
}

/** What is held for all invitations and bars of a Datanet on who takes it over. */
export async function entriesDeposit(datanet: number): Promise<bigint> {
  const { getChain } = await import("@/chain/client");
  const { query, constants } = getChain().api;
  const [listing, deposit] = await Promise.all([
    query.Datanets.Listed.getValue(datanet, at),
    constants.Datanets.EntryDeposit(),
  ]);
  return deposit * BigInt(listing.entries);
}
