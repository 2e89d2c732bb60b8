import type { ReactNode } from "react";
import type { Account } from "@/accounts/state";
import { createStore } from "@/lib/store";
import type { Api } from "./client";

/** A transaction as a page asks for it. */
export interface TransactionRequest {
  /** What the button says: "Become a contributor". */
  title: string;
  /** What it does, in words, for somebody who decides whether to sign. */
  words: ReactNode;
  /** Makes the call: `(api) => api.tx.Datanets.register()`. */
  // biome-ignore lint/suspicious/noExplicitAny: each call has a type of its own
  build: (api: Api) => { decodedCall: unknown } & Record<string, any>;
  /** Plancks that are held and come back. */
  held?: bigint | undefined;
  /** What is held in words, where not all of it comes back. */
  heldWords?: string | undefined;
  /** Plancks that leave the account for good, beside the fee. */
  spent?: bigint | undefined;
  /** Plancks that the call pays out, as far as is known before it is signed. */
  gained?: bigint | undefined;
  /** What that is in words, where it is no payment. */
  gainedWords?: string | undefined;
  /** Why there is no fee, where there is none: the chain skips it and an estimate does not know. */
  free?: string | undefined;
  /** What came of it, where it is more than that it is in a block. */
  outcome?: ((result: TransactionResult) => ReactNode) | undefined;
  /** Another transaction takes its place in the dialog as soon as this one is in a block. */
  followed?: boolean | undefined;
  /** What it does was agreed to with the one before, in whose place it comes: it asks for the signature at once. */
  agreed?: boolean | undefined;
  /** What stands all the same if this one is not sent. */
  meanwhile?: string | undefined;
}

/** What came of a transaction. */
export interface TransactionResult {
  hash: string;
  block: { hash: string; number: number; index: number };
  events: { type: string; value: { type: string; value: unknown } }[];
}

export interface Pending {
  request: TransactionRequest;
  account: Account;
  settle: (result: TransactionResult | null) => void;
  /** Whether it was settled, and its dialog waits for the one that follows. */
  makesWay: boolean;
}

/** What TransactionHost shows. */
export const pending = createStore<Pending | null>(null);

/**
 * Shows what a transaction does and costs, has it signed, and follows it. Resolves when it is in a block and
 * succeeded; null when it was refused, or was not signed: the dialog has said why.
 */
export function transact(account: Account, request: TransactionRequest): Promise<TransactionResult | null> {
  const shown = pending.get();
  if (shown && !shown.makesWay) return Promise.resolve(null);
  return new Promise((resolve) => {
    pending.set({ request, account, settle: resolve, makesWay: false });
  });
}

/** Closes the dialog of a transaction that nothing follows after all. */
export function endSeries(): void {
  if (pending.get()?.makesWay) pending.set(null);
}
