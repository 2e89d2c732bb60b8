import { useGet, useList } from "@/api/queries";
import type { BoardEntry, Datanet, List, Network, Period, Pool, Submission } from "@/api/types";
import { formatDuration } from "@/lib/format";

/** A block comes every three seconds. */
const BLOCK_TIME = 3000;

/** Which board: of all time, of the period that runs, or of one that ended. */
export type Which = "all" | "current" | number;

/** What an address names; anything else is all time. */
export function readWhich(text: string | null): Which {
  if (text === "current") return "current";
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : "all";
}

/** The period as the gateway takes it; null while the current one is not known. */
export function periodOf(which: Which, current: number | undefined): string | null {
  if (which === "current") return current === undefined ? null : String(current);
  return String(which);
}

/** How long the current period still runs, in words. */
export function leftOf({ nextPeriodAt, best }: Pick<Network, "nextPeriodAt" | "best">): string {
  return formatDuration(Math.max(0, nextPeriodAt - best) * BLOCK_TIME);
}

/**
 * The last period with points, where it has ended and its rate is not set: the chain sets it when somebody next
 * claims, pays in or is accepted.
 */
export function unsettled(pool: Pool | null | undefined, current: number | undefined): number | null {
  if (!pool || current === undefined || pool.points === "0" || pool.period >= current) return null;
  return pool.period;
}

/** The periods that one can choose: all time, the current one, and those that ended with points. */
export function periodOptions(
  current: number | undefined,
  ended: readonly Pick<Period, "period">[],
  which: Which,
): { value: string; label: string }[] {
  const options = [
    { value: "all", label: "All time" },
    { value: "current", label: current === undefined ? "Current period" : `Current period, ${current}` },
    // The one that is running has no rate yet, and is named above.
    ...ended
      .filter(({ period }) => period !== current)
      .map(({ period }) => ({ value: String(period), label: `Period ${period}` })),
  ];
  // A period that an address names, though nobody earned points in it or it is far back.
  if (!options.some(({ value }) => value === String(which))) {
    options.push({ value: String(which), label: `Period ${which}` });
  }
  return options;
}

/** What a file's points come of: its score by its units, of which no more than the Datanet's most count. */
export function sayPoints({ score, units }: Pick<Submission, "score" | "units">, maxUnits: number) {
  return { score: score ?? 0, counted: Math.min(units ?? 0, maxUnits), capped: (units ?? 0) > maxUnits };
}

function useDatanetList() {
  return useGet<List<Datanet>>(["datanets", "choice"], "/v1/datanets", { limit: 100 });
}

/** The Datanet that an address names, or the first one. The list has only the first hundred. */
export function useChosen(wanted: string | null) {
  const list = useDatanetList();
  const named = wanted !== null && /^\d{1,9}$/.test(wanted) ? Number(wanted) : undefined;
  const one = useGet<Datanet>(
    ["datanet", String(named)],
    `/v1/datanets/${named}`,
    undefined,
    named !== undefined,
  );
  return { list, chosen: named === undefined ? { ...list, data: list.data?.items[0] } : one };
}

export function useNetwork() {
  return useGet<Network>(["network"], "/v1/network");
}

/** Ended periods of a Datanet with their rates, the latest first. */
export function usePeriods(datanet: number, enabled = true) {
  return useList<Period>(["periods", datanet], `/v1/datanets/${datanet}/periods`, { limit: 100 }, enabled);
}

/** The periods of a Datanet that one can choose. */
export function usePeriodOptions(datanet: Datanet | undefined, which: Which) {
  const network = useNetwork();
  const periods = usePeriods(datanet?.id ?? 0, datanet !== undefined);
  const current = network.data?.period;
  const open = unsettled(datanet?.pool, current);
  const ended: Pick<Period, "period">[] = periods.data ?? [];
  return periodOptions(current, open === null ? ended : [{ period: open }, ...ended], which);
}

export function useBoard(datanet: number, period: string | null) {
  return useList<BoardEntry>(
    ["board", datanet],
    `/v1/datanets/${datanet}/board`,
    { period, limit: 50 },
    period !== null,
  );
}

/** An account's own line on a board, which may be far down; null where it has no points on it. */
export function useOwnEntry(datanet: number, account: string, period: string | null) {
  const own = useGet<List<BoardEntry>>(
    ["board", datanet, "own"],
    `/v1/datanets/${datanet}/board`,
    { period, account },
    period !== null,
  );
  return own.data === undefined ? undefined : (own.data.items[0] ?? null);
}

/** A part of a whole in words: 0.1234 as 12.3%. */
export function sayShare(share: number): string {
  if (share > 0 && share < 0.001) return "under 0.1%";
  return `${(share * 100).toFixed(1)}%`;
}

/** The accepted submissions that brought an account its points. */
export function useWhy(account: string, datanet: number, period: string | null) {
  return useList<Submission>(
    ["why", account],
    `/v1/accounts/${encodeURIComponent(account)}/why`,
    { datanet, period, limit: 100 },
    period !== null,
  );
}
