import { useGet, useList } from "@/api/queries";
import type { GlobalEntry, GlobalPeriod, List, Network } from "@/api/types";
import { periodOf, periodOptions, type Which } from "../leaderboard/leaderboard.state";

/** The current period, and that as the gateway takes it; null while it is not known. */
export function usePeriod(which: Which) {
  const network = useGet<Network>(["network"], "/v1/network");
  return { network, period: periodOf(which, network.data?.period) };
}

export function useGlobalBoard(period: string | null) {
  return useList<GlobalEntry>(["board", "global"], "/v1/board", { period, limit: 50 }, period !== null);
}

/** An account's own line, which may be far down; null where it has no points there. */
export function useOwnGlobal(account: string | undefined, period: string | null) {
  const own = useGet<List<GlobalEntry>>(
    ["board", "global", "own"],
    "/v1/board",
    { period, account },
    period !== null && account !== undefined,
  );
  return own.data === undefined ? undefined : (own.data.items[0] ?? null);
}

/** The periods that one can choose. */
export function useGlobalPeriods(which: Which, current: number | undefined) {
  const periods = useList<GlobalPeriod>(["board", "global", "periods"], "/v1/board/periods", { limit: 100 });
  return periodOptions(current, periods.data ?? [], which);
}
