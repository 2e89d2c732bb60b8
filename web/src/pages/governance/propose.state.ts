import { useQuery } from "@tanstack/react-query";
import type { Account } from "@/accounts/state";
import type { Call } from "@/calls/decode";
import type { Api } from "@/chain/client";
import { eventOf } from "@/chain/follow";
import { type TransactionRequest, transact } from "@/chain/transactions";
import { activeOpen, hexOf, preimage } from "./governance.state";
import {
  callHash,
  type Making,
  MOST_INLINE,
  type Origin,
  type Proposed,
  preimageDeposit,
  readHash,
} from "./propose";
import { waitingSlashes } from "./slashes.state";

const at = { at: "best" } as const;

/** What a proposal is measured by, and how the rules stand that one may change. */
export function useProposing() {
  return useQuery({
    queryKey: ["governance", "proposing"],
    queryFn: async () => {
      const { getChain } = await import("@/chain/client");
      const { query, constants } = getChain().api;
      const pot = await constants.Treasury.pot_account();
      const [
        active,
        treasury,
        mostValidators,
        validators,
        validatorBond,
        nominatorBond,
        commission,
        extractor,
        referenda,
        spends,
        era,
        slashes,
        sessions,
        session,
      ] = await Promise.all([
        activeOpen(),
        query.System.Account.getValue(pot, at),
        constants.Staking.MaxValidatorSet(),
        query.Staking.ValidatorCount.getValue(at),
        query.Staking.MinValidatorBond.getValue(at),
        query.Staking.MinNominatorBond.getValue(at),
        query.Staking.MinCommission.getValue(at),
        query.Review.CurrentExtractor.getValue(at),
        query.Referenda.ReferendumCount.getValue(at),
        query.Treasury.SpendCount.getValue(at),
        query.Staking.ActiveEra.getValue(at),
        waitingSlashes(),
        constants.Staking.SessionsPerEra(),
        constants.Babe.EpochDuration(),
      ]);
      return {
        active,
        treasury: treasury.data.free,
        /** The era, and blocks of one. */
        era: era?.index ?? 0,
        eraLength: sessions * Number(session),
        bounds: { active, mostValidators, extractor, referenda, spends, slashes },
        now: { validators, validatorBond, nominatorBond, commission, extractor },
      };
    },
    refetchInterval: 12_000,
  });
}

export type Proposing = NonNullable<ReturnType<typeof useProposing>["data"]>;

/** The transaction that a proposal would have carried out. */
function callOf(api: Api, making: Exclude<Making, { type: "bytes" | "preimage" }>) {
  const { tx } = api;
  const leave = { type: "Noop", value: undefined } as const;
  switch (making.type) {
    case "spend":
      return tx.Treasury.spend({
        ...{ asset_kind: undefined, amount: making.amount, beneficiary: making.to, valid_from: undefined },
      });
    case "upgrade":
      return tx.System.authorize_upgrade({ code_hash: making.hash });
    case "validators":
      return tx.Staking.set_validator_count({ new: making.count });
    case "commission":
      return tx.Staking.set_min_commission({ new: making.parts });
    case "extractor":
      return tx.Review.raise_extractor({ extractor: making.version });
    case "validatorBond":
    case "nominatorBond": {
      const set = { type: "Set", value: making.amount } as const;
      return tx.Staking.set_staking_configs({
        min_nominator_bond: making.type === "nominatorBond" ? set : leave,
        min_validator_bond: making.type === "validatorBond" ? set : leave,
        ...{ max_nominator_count: leave, max_validator_count: leave, chill_threshold: leave },
        ...{ min_commission: leave, max_staked_rewards: leave },
      });
    }
    case "cancel":
      return tx.Referenda.cancel({ index: making.index });
    case "kill":
      return tx.Referenda.kill({ index: making.index });
    case "slash":
      return tx.Staking.cancel_deferred_slash({ era: making.era, slash_indices: [making.place] });
    case "void":
      return tx.Treasury.void_spend({ index: making.index });
  }
}

/** A proposal as it goes to the chain. */
export interface Made {
  /** Null for a preimage that the chain does not have. */
  call: Call | null;
  /** What has to be noted before it can be submitted; null where nothing has. */
  noted: Uint8Array | null;
  proposal: { type: "Inline"; value: Uint8Array } | { type: "Lookup"; value: { hash: string; len: number } };
  /** Plancks held for what is noted. */
  deposit: bigint;
}

/** What is proposed, in bytes and as these are read; null as long as something is wrong with it. */
export function useMade(proposed: Proposed | null) {
  const making = proposed?.making ?? null;
  return useQuery({
    queryKey: ["governance", "made", making && JSON.stringify(making, written)],
    queryFn: async (): Promise<Made | null> => {
      if (!making) return null;
      const [{ getChain }, { getDecoder }] = await Promise.all([
        import("@/chain/client"),
        import("@/calls/decode"),
      ]);
      const { api } = getChain();
      const decoder = await getDecoder();
      if (making.type === "preimage") {
        const { hash, length } = making;
        const bytes = await preimage({ hash, length });
        const call = bytes ? decoder.decode(bytes) : null;
        return { call, noted: null, proposal: { type: "Lookup", value: { hash, len: length } }, deposit: 0n };
      }
      const bytes = making.type === "bytes" ? making.bytes : await callOf(api, making).getEncodedData();
      const call = decoder.decode(bytes);
      if (bytes.length <= MOST_INLINE) {
        return { call, noted: null, proposal: { type: "Inline", value: bytes }, deposit: 0n };
      }
      const hash = callHash(bytes);
      const stands = await preimage({ hash, length: bytes.length });
      return {
        call,
        noted: stands ? null : bytes,
        proposal: { type: "Lookup", value: { hash, len: bytes.length } },
        deposit: stands ? 0n : preimageDeposit(bytes.length),
      };
    },
    enabled: making !== null,
    retry: 1,
    staleTime: 30_000,
  });
}

/** Numbers and bytes of a making as text, to tell one from another. */
function written(_: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  return value instanceof Uint8Array ? hexOf(value) : value;
}

/** How long the preimage of a hash is; null where the chain knows of none. */
export function usePreimageLength(typed: string) {
  const hash = readHash(typed);
  return useQuery({
    queryKey: ["governance", "preimage", hash],
    queryFn: async (): Promise<number | null> => {
      const { getChain } = await import("@/chain/client");
      const { RequestStatusFor } = getChain().api.query.Preimage;
      const status = await RequestStatusFor.getValue(hash ?? "", at);
      if (!status) return null;
      return (status.type === "Unrequested" ? status.value.len : status.value.maybe_len) ?? null;
    },
    enabled: hash !== null,
  });
}

/** An origin as the chain names it. */
const originOf = (origin: Origin) =>
  origin === "Root"
    ? ({ type: "system", value: { type: "Root", value: undefined } } as const)
    : ({ type: "Origins", value: { type: origin, value: undefined } } as const);

/** Has a proposal signed; the number of its referendum, or null if nothing came of it. */
export async function submit(
  account: Account,
  origin: Origin,
  made: Made,
  said: Pick<TransactionRequest, "words" | "held" | "heldWords">,
): Promise<number | null> {
  const result = await transact(account, {
    title: "Submit the proposal",
    ...said,
    build: (api) => {
      const { proposal, noted } = made;
      const submitted = api.tx.Referenda.submit({
        proposal_origin: originOf(origin),
        proposal,
        // Its track says how long it waits at least; nothing is gained by more.
        enactment_moment: { type: "After", value: 0 },
      });
      if (!noted) return submitted;
      const note = api.tx.Preimage.note_preimage({ bytes: noted });
      return api.tx.Utility.batch_all({ calls: [note.decodedCall, submitted.decodedCall] });
    },
  });
  return result && eventOf<{ index: number }>(result, "Referenda", "Submitted").index;
}

/** Has the bytes behind a hash noted, so that all can read them. */
export const note = (account: Account, bytes: Uint8Array) =>
  transact(account, {
    title: "Note the bytes",
    words:
      "They stand on the chain from then on, so that everybody can read what is voted on, and it can be carried out.",
    held: preimageDeposit(bytes.length),
    heldWords: "Held; comes back when you take the preimage back",
    build: (api) => api.tx.Preimage.note_preimage({ bytes }),
  });

/** A preimage that an account has noted. */
export interface OwnPreimage {
  hash: string;
  length: number;
  deposit: bigint;
  /** Whether a referendum or the scheduler still needs it. */
  needed: boolean;
}

/** Preimages that an account pays for. */
export function useOwnPreimages(account: string) {
  return useQuery({
    queryKey: ["governance", "preimages", account],
    queryFn: async (): Promise<OwnPreimage[]> => {
      const { getChain } = await import("@/chain/client");
      const all = await getChain().api.query.Preimage.RequestStatusFor.getEntries(at);
      return all.flatMap(({ keyArgs: [hash], value: { type, value } }) => {
        const ticket = type === "Unrequested" ? value.ticket : value.maybe_ticket;
        const length = type === "Unrequested" ? value.len : value.maybe_len;
        if (!ticket || ticket[0] !== account) return [];
        const deposit = ticket[1];
        return [{ hash: hexOf(hash), length: length ?? 0, deposit, needed: type === "Requested" }];
      });
    },
    refetchInterval: 12_000,
  });
}

/** The hash of a runtime that somebody chose, as `system.authorize_upgrade` takes it. */
export async function hashOf(file: File): Promise<string> {
  return callHash(new Uint8Array(await file.arrayBuffer()));
}

/** The hash of the runtime that was decided on and not sent yet; null where there is none. */
export function useAuthorized() {
  return useQuery({
    queryKey: ["governance", "authorized"],
    queryFn: async (): Promise<string | null> => {
      const { getChain } = await import("@/chain/client");
      const found = await getChain().api.query.System.AuthorizedUpgrade.getValue(at);
      return found ? hexOf(found.code_hash) : null;
    },
    refetchInterval: 12_000,
  });
}
