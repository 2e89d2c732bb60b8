import { createStore, useStore } from "@/lib/store";

/** Where an account's key is. */
export type Source =
  | { kind: "extension"; extension: string }
  /** A key made in this browser; `id` is its record's (keys.ts). */
  | { kind: "browser"; id: string };

export interface Account {
  /** SS58 with this network's prefix. */
  address: string;
  name: string;
  source: Source;
}

const KEY = "openledger.account";

function read(): Account | null {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "null") as Account | null;
    return kept && typeof kept.address === "string" && kept.source ? kept : null;
  } catch {
    return null;
  }
}

/** The account one acts as; null for a visitor. */
export const selectedAccount = createStore<Account | null>(read());

selectedAccount.subscribe(() => {
  try {
    localStorage.setItem(KEY, JSON.stringify(selectedAccount.get()));
  } catch {
    // Chosen until the page is closed.
  }
});

export function useAccount(): Account | null {
  return useStore(selectedAccount);
}
