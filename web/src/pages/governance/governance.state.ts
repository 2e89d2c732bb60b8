import { useQuery } from "@tanstack/react-query";
import type { Api } from "@/chain/client";
import { convictionNumber, type Delegation } from "./delegation";
import { type Ongoing, type Over, type OwnVote, type Referendum, readVote, type Track } from "./referenda";
import type { Spend } from "./treasury";

type Proposal = NonNullable<Referendum["ongoing"]>["proposal"];

type ChainReferendum = NonNullable<
  Awaited<ReturnType<Api["query"]["Referenda"]["ReferendumInfoFor"]["getValue"]>>
>;

/** What does not change while the page is open: tracks, deposits and periods, as this network says. */
export function useGovernance() {
  return useQuery({
    queryKey: ["governance", "rules"],
    queryFn: async () => {
      const { getChain } = await import("@/chain/client");
      const { Referenda, ConvictionVoting } = getChain().api.constants;
      const [tracks, timeout, submissionDeposit, lockingPeriod] = await Promise.all([
        Referenda.Tracks(),
        Referenda.UndecidingTimeout(),
        Referenda.SubmissionDeposit(),
        ConvictionVoting.VoteLockingPeriod(),
      ]);
      return {
        timeout,
        submissionDeposit,
        lockingPeriod,
        tracks: tracks.map(
          ([id, track]): Track => ({
            id,
            // Filled up with zeros by the chain.
            name: track.name.replaceAll("\0", ""),
            decisionDeposit: track.decision_deposit,
            prepare: track.prepare_period,
            decide: track.decision_period,
            confirm: track.confirm_period,
            enact: track.min_enactment_period,
            approval: track.min_approval,
            support: track.min_support,
          }),
        ),
      };
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export type Governance = NonNullable<ReturnType<typeof useGovernance>["data"]>;

const ends = {
  Approved: "approved",
  Rejected: "rejected",
  Cancelled: "cancelled",
  TimedOut: "timed-out",
} as const;

/** The name of an origin: `Root`, or of ours. */
function originName(origin: { type: string; value?: unknown }): string {
  const inner = origin.value as { type?: unknown } | undefined;
  return typeof inner?.type === "string" ? inner.type : origin.type;
}

function read(id: number, info: ChainReferendum): Referendum {
  if (info.type === "Ongoing") {
    const { value } = info;
    const { proposal } = value;
    return {
      id,
      over: null,
      ongoing: {
        track: value.track,
        origin: originName(value.origin),
        proposal:
          proposal.type === "Inline"
            ? { inline: bytesOf(proposal.value) }
            : proposal.type === "Lookup"
              ? { hash: hexOf(proposal.value.hash), length: proposal.value.len }
              : { hash: hexOf(proposal.value.hash), length: 0 },
        submitted: value.submitted,
        submissionDeposit: value.submission_deposit,
        decisionDeposit: value.decision_deposit ?? null,
        deciding: value.deciding
          ? { since: value.deciding.since, confirming: value.deciding.confirming ?? null }
          : null,
        queued: value.in_queue,
        tally: value.tally,
      },
    };
  }
  if (info.type === "Killed") {
    const over: Over = { how: "killed", block: info.value, submissionDeposit: null, decisionDeposit: null };
    return { id, ongoing: null, over };
  }
  const [block, submissionDeposit, decisionDeposit] = info.value;
  return {
    id,
    ongoing: null,
    over: {
      how: ends[info.type],
      block,
      submissionDeposit: submissionDeposit ?? null,
      decisionDeposit: decisionDeposit ?? null,
    },
  };
}

/** Bytes in hexadecimal, as the chain writes them. */
export const hexOf = (value: string | Uint8Array) =>
  typeof value === "string"
    ? value
    : `0x${[...value].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;

/** The bytes of what the chain gives. */
export function bytesOf(value: string | Uint8Array): Uint8Array {
  if (typeof value !== "string") return value;
  return Uint8Array.from(value.slice(2).match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

/** The newest referenda, newest first, with the OPEN that may vote; as the chain has them now. */
export function useReferenda(most: number) {
  return useQuery({
    queryKey: ["referenda", most],
    queryFn: async () => {
      const { getChain } = await import("@/chain/client");
      const { query } = getChain().api;
      const at = { at: "best" } as const;
      const [count, active] = await Promise.all([query.Referenda.ReferendumCount.getValue(at), activeOpen()]);
      const ids = Array.from({ length: Math.min(most, count) }, (_, n) => count - 1 - n);
      const found = await query.Referenda.ReferendumInfoFor.getValues(
        ids.map((id) => [id] as [number]),
        at,
      );
      return {
        count,
        active,
        referenda: ids.flatMap((id, n) => {
          const info = found[n];
          return info ? [read(id, info)] : [];
        }),
      };
    },
    placeholderData: (before) => before,
    refetchInterval: 6000,
  });
}

/** OPEN that may vote: what is issued less what the treasury holds. */
export async function activeOpen(): Promise<bigint> {
  const { getChain } = await import("@/chain/client");
  const { Balances } = getChain().api.query;
  const at = { at: "best" } as const;
  const [issued, inactive] = await Promise.all([
    Balances.TotalIssuance.getValue(at),
    Balances.InactiveIssuance.getValue(at),
  ]);
  return issued > inactive ? issued - inactive : 0n;
}

/** Referenda by their numbers, as the chain has them now. */
export function useReferendaOf(ids: readonly number[]) {
  return useQuery({
    queryKey: ["referenda", "of", ids.join()],
    queryFn: async () => {
      const { getChain } = await import("@/chain/client");
      const { ReferendumInfoFor } = getChain().api.query.Referenda;
      const found = await ReferendumInfoFor.getValues(
        ids.map((id) => [id] as [number]),
        { at: "best" },
      );
      return new Map(
        ids.flatMap((id, n) => {
          const info = found[n];
          return info ? [[id, read(id, info)] as const] : [];
        }),
      );
    },
    enabled: ids.length > 0,
    placeholderData: (before) => before,
    refetchInterval: 6000,
  });
}

/**
 * What a referendum was until it ended: the chain forgets that, and the node knows it of the block before. Null where the
 * node keeps no state of so long ago.
 */
export function useBefore({ id, over }: Referendum) {
  return useQuery({
    queryKey: ["referenda", "before", id, over?.block],
    queryFn: async (): Promise<Ongoing | null> => {
      const { getChain } = await import("@/chain/client");
      const { client, api } = getChain();
      const at = await client._request<string | null>("chain_getBlockHash", [(over?.block ?? 0) - 1]);
      if (!at) return null;
      const found = await api.query.Referenda.ReferendumInfoFor.getValue(id, { at });
      return found ? read(id, found).ongoing : null;
    },
    enabled: over !== null && over.block > 0,
    retry: 1,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** A referendum as the chain has it now; null for a number that none has. */
export function useReferendum(id: number) {
  return useQuery({
    queryKey: ["referenda", "one", id],
    queryFn: async () => {
      const { getChain } = await import("@/chain/client");
      const found = await getChain().api.query.Referenda.ReferendumInfoFor.getValue(id, { at: "best" });
      return { referendum: found ? read(id, found) : null, active: await activeOpen() };
    },
    enabled: Number.isInteger(id),
    refetchInterval: 6000,
  });
}

/** What is proposed, read from its bytes; null where the chain does not have them. */
export function useProposal(proposal: Proposal | undefined) {
  return useQuery({
    queryKey: [
      "referenda",
      "proposal",
      proposal && ("inline" in proposal ? hexOf(proposal.inline) : proposal.hash),
    ],
    queryFn: async () => {
      if (!proposal) return null;
      const bytes = "inline" in proposal ? proposal.inline : await preimage(proposal);
      if (!bytes) return null;
      const { getDecoder } = await import("@/calls/decode");
      return (await getDecoder()).decode(bytes);
    },
    enabled: proposal !== undefined,
    retry: 1,
    staleTime: 60_000,
  });
}

/** The bytes behind a hash; null where the chain does not have them. */
export async function preimage({
  hash,
  length,
}: {
  hash: string;
  length: number;
}): Promise<Uint8Array | null> {
  const { getChain } = await import("@/chain/client");
  const { PreimageFor } = getChain().api.query.Preimage;
  const found = await PreimageFor.getValue([hash as `0x${string}`, length], { at: "best" });
  return found ? bytesOf(found) : null;
}

/** What an account has voted, what that locks, and what it may vote with. */
export function useOwnVotes(account: string | null, tracks: readonly Track[]) {
  return useQuery({
    queryKey: ["referenda", "votes", account, tracks.length],
    queryFn: async () => {
      const { getChain } = await import("@/chain/client");
      const { query } = getChain().api;
      const at = { at: "best" } as const;
      const who = account ?? "";
      const [voting, locks, holdings, holds] = await Promise.all([
        query.ConvictionVoting.VotingFor.getValues(
          tracks.map(({ id }) => [who, id] as [string, number]),
          at,
        ),
        query.ConvictionVoting.ClassLocksFor.getValue(who, at),
        query.System.Account.getValue(who, at),
        query.Balances.Holds.getValue(who, at),
      ]);
      const votes: OwnVote[] = [];
      const delegations: Delegation[] = [];
      const received: { track: number; votes: bigint; capital: bigint }[] = [];
      const priors = new Map<number, { until: number; amount: bigint }>();
      for (const [n, { id }] of tracks.entries()) {
        const one = voting[n];
        if (!one) continue;
        const [until, amount] = one.value.prior;
        if (amount > 0n) priors.set(id, { until, amount });
        const { votes: weight, capital } = one.value.delegations;
        if (capital > 0n) received.push({ track: id, votes: weight, capital });
        if (one.type === "Delegating") {
          const { target, balance, conviction } = one.value;
          delegations.push({ track: id, target, amount: balance, conviction: convictionNumber(conviction) });
        } else {
          votes.push(...one.value.votes.map(([referendum, vote]) => readVote(referendum, id, vote)));
        }
      }
      const budget = holds.some(
        ({ id, amount }) => id.type === "Training" && id.value.type === "JobBudget" && amount > 0n,
      );
      return {
        votes,
        delegations,
        /** What others have delegated to it. */
        received,
        priors,
        locks: new Map(locks),
        /** All of its OPEN votes, what is held and locked too. */
        may: budget ? 0n : holdings.data.free + holdings.data.reserved,
        budget,
      };
    },
    enabled: account !== null && tracks.length > 0,
    refetchInterval: 6000,
  });
}

export type Votes = NonNullable<ReturnType<typeof useOwnVotes>["data"]>;

/** What the treasury has, what it paid in its last period, and spends that were approved, the newest first. */
export function useTreasury() {
  return useQuery({
    queryKey: ["governance", "treasury"],
    queryFn: async () => {
      const { getChain } = await import("@/chain/client");
      const { query, constants } = getChain().api;
      const at = { at: "best" } as const;
      const pot = await constants.Treasury.pot_account();
      const [account, active, paid, spends] = await Promise.all([
        query.System.Account.getValue(pot, at),
        activeOpen(),
        query.Origins.Paid.getValue(at),
        query.Treasury.Spends.getEntries(at),
      ]);
      return {
        treasury: account.data.free,
        active,
        paid,
        spends: spends
          .map(
            ({ keyArgs: [id], value }): Spend => ({
              ...{ id, amount: value.amount, to: value.beneficiary },
              ...{ from: value.valid_from, until: value.expire_at, paid: value.status.type === "Attempted" },
            }),
          )
          .sort((one, other) => other.id - one.id),
      };
    },
    refetchInterval: 12_000,
  });
}
