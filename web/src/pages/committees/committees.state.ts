import { useQuery } from "@tanstack/react-query";
import { useGet, useList } from "@/api/queries";
import type { Datanet, Draw, List, Reviewer, SeatPool, Settlement } from "@/api/types";
import type { Api } from "@/chain/client";
import { chainPool, poolKey } from "@/review/committee";

type SeatsView = NonNullable<Awaited<ReturnType<Api["apis"]["CommitteeApi"]["seats"]>>>;

/** The pools that everybody may join. */
export const modalityPools: readonly SeatPool[] = ["text", "image", "audio"].map((modality) => ({
  modality,
  datanet: null,
}));

/** Most seats of one transaction: `MAX_SEATS` of pallets/review. */
export const MOST_SEATS = 64;

/** Most addresses at which an account serves, and bytes of one: `MAX_ADDRESSES` and `MAX_ADDRESS` of primitives. */
export const MOST_ADDRESSES = 4;
const MOST_ADDRESS_BYTES = 128;

/** Accounts that a modality's pool needs for its verdicts to count over all Datanets, in committees. */
export const GLOBAL_FACTOR = 5;

export function useReviewer(account: string, enabled = true) {
  return useGet<Reviewer>(["seats", account], `/v1/accounts/${account}/seats`, undefined, enabled);
}

export function useSettlements(account: string) {
  return useList<Settlement>(["settlements", account], `/v1/accounts/${account}/settlements`, { limit: 50 });
}

/** Draws whose committee an account sits on, newest first. */
export function useMyDraws(account: string) {
  return useList<Draw>(["draws", "mine"], "/v1/draws", { member: account, limit: 50 });
}

export function useDraws(datanet: number | null) {
  return useList<Draw>(["draws", "all"], "/v1/draws", { datanet, limit: 50 });
}

/** Datanets whose owners want seats of their own. */
export function useOwnSeatDatanets() {
  const datanets = useGet<List<Datanet>>(["datanets", "choice"], "/v1/datanets", { limit: 100 });
  return (
    datanets.data?.items.filter(({ committee, status }) => committee === "datanet" && status !== "closed") ??
    []
  );
}

const utf8 = new TextDecoder();

export interface PoolSeats {
  pool: SeatPool;
  /** Seats of all, and accounts that have some. */
  size: { seats: number; accounts: number };
  /** The account's own; null where it has none. */
  own: SeatsView | null;
  /** Where it says that it serves what it judges with them. */
  served: string[];
}

/** Pools as the chain has them now, with an account's own seats. */
export function usePools(pools: readonly SeatPool[], account: string | null) {
  return useQuery({
    queryKey: ["pools", pools.map(poolKey).join(), account],
    queryFn: async (): Promise<PoolSeats[]> => {
      const { getChain } = await import("@/chain/client");
      const { api } = getChain();
      const { CommitteeApi } = api.apis;
      const at = { at: "best" } as const;
      return Promise.all(
        pools.map(async (pool) => {
          const named = chainPool(pool);
          const [size, own, served] = await Promise.all([
            CommitteeApi.pool_size(named, at),
            account ? CommitteeApi.seats(named, account, at) : undefined,
            account ? api.query.Review.ServedAt.getValue(named, account, at) : undefined,
          ]);
          return { pool, size, own: own ?? null, served: served?.map((one) => utf8.decode(one)) ?? [] };
        }),
      );
    },
    placeholderData: (before) => before,
    refetchInterval: 12_000,
  });
}

/** What can be done with an account's seats, and what they wait for. */
export function seatFacts({ reviewer, placed, uncovered }: SeatsView, seat: bigint) {
  const all = reviewer.seats + reviewer.leaving;
  const lost = seat * BigInt(all) - reviewer.held;
  return {
    /** Seats that are asked for and have no place yet. */
    entering: Math.max(0, reviewer.seats - placed),
    /** Seats that can be drawn for calls: those that are given up are drawn for challenges alone. */
    drawable: Math.max(0, Math.min(placed - uncovered, placed - (reviewer.left ? 0 : reviewer.leaving))),
    uncovered,
    leaving: reviewer.leaving,
    /** Draws that those which leave still judge. */
    judging: reviewer.left ? reviewer.open_before : reviewer.open,
    lost: lost > 0n ? lost : 0n,
    canGiveUp: reviewer.leaving === 0 && reviewer.seats > 0,
    canWithdraw: reviewer.leaving > 0 && reviewer.left && reviewer.open_before === 0,
  };
}

/** A number of seats that was typed; null if it is none. */
export function readSeats(text: string, most = MOST_SEATS): number | null {
  const seats = /^\s*\d{1,3}\s*$/.test(text) ? Number(text) : 0;
  return seats >= 1 && seats <= most ? seats : null;
}

/** Addresses as reviewers' programs dial them: a number, a TCP or QUIC port, and who answers there. */
const multiaddr =
  /^\/ip[46]\/[0-9a-fA-F.:]+\/(?:tcp\/\d{1,5}|udp\/\d{1,5}\/quic-v1)\/p2p\/[1-9A-HJ-NP-Za-km-z]+$/;

/** Addresses that were typed, one a line; null if one is none, or there are too many. */
export function readAddresses(text: string): string[] | null {
  const all = text.split(/\s+/).filter((one) => one !== "");
  const good = all.every((one) => multiaddr.test(one) && one.length <= MOST_ADDRESS_BYTES);
  return good && all.length <= MOST_ADDRESSES ? all : null;
}

/** What a member still has to do in a draw. */
export function todo(draw: Draw, account: string): "seal" | "reveal" | "wait" | null {
  const member = draw.members.find((one) => one.account === account);
  if (!member) return null;
  if (draw.state === "committing") return member.committed ? "wait" : "seal";
  if (draw.state === "revealing") return member.revealed || !member.committed ? "wait" : "reveal";
  return null;
}
