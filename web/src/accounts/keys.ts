import { ProblemError } from "@/lib/problem";
import { createStore, useStore } from "@/lib/store";
import type { Sealed } from "./seal";
import type { Account } from "./state";

// The sealed keys of this browser, in IndexedDB.

export interface BrowserKey {
  /** Random; names the record. */
  id: string;
  address: string;
  name: string;
  createdAt: number;
  sealed: Sealed;
  /** Of the passkey that opens it, where one does. */
  credential: string | null;
  /** Whether its words were written down or its file was saved. */
  backedUp: boolean;
}

const DATABASE = "openledger";
const STORE = "keys";

function database(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "id" });
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
    opening.onblocked = () => reject(new Error("another tab holds the store of keys"));
  });
}

async function within<T>(
  mode: IDBTransactionMode,
  run: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  let open: IDBDatabase;
  try {
    open = await database();
  } catch (cause) {
    throw new ProblemError(
      "This browser keeps nothing for this page",
      "A private window forgets keys; use an ordinary one, or a wallet extension.",
      { cause },
    );
  }
  try {
    return await new Promise<T>((resolve, reject) => {
      const transaction = open.transaction(STORE, mode);
      const asked = run(transaction.objectStore(STORE));
      // A key counts as kept only once it is on disk.
      transaction.oncomplete = () => resolve(asked.result);
      transaction.onabort = () => reject(transaction.error ?? asked.error);
      transaction.onerror = () => reject(transaction.error ?? asked.error);
    });
  } finally {
    open.close();
  }
}

/** The keys of this browser; null until they are read. */
const keys = createStore<readonly BrowserKey[] | null>(null);
let asked = false;

async function reload(): Promise<void> {
  const all = await within("readonly", (store) => store.getAll() as IDBRequest<BrowserKey[]>);
  keys.set(all.sort((one, other) => one.createdAt - other.createdAt));
}

export function useBrowserKeys(): readonly BrowserKey[] | null {
  const known = useStore(keys);
  if (!asked) {
    asked = true;
    reload().catch(() => keys.set([]));
  }
  return known;
}

export async function getKey(id: string): Promise<BrowserKey> {
  const found = await within("readonly", (store) => store.get(id) as IDBRequest<BrowserKey | undefined>);
  if (!found)
    throw new ProblemError("This key is not in this browser any more", "Restore it from its backup.");
  return found;
}

export async function saveKey(key: BrowserKey): Promise<void> {
  await within("readwrite", (store) => store.put(key));
  // Asks the browser not to throw the key away when its disk is full.
  await navigator.storage?.persist?.().catch(() => false);
  await reload();
}

export async function forgetKey(id: string): Promise<void> {
  await within("readwrite", (store) => store.delete(id));
  await reload();
}

/** A key as an account to act as. */
export function accountOf(key: BrowserKey): Account {
  return { address: key.address, name: key.name, source: { kind: "browser", id: key.id } };
}
