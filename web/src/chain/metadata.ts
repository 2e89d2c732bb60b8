// What the chain says about itself, kept in this browser (IndexedDB) by its genesis and the hash of its runtime: it is the
// largest answer by far, and only an upgrade changes it. One runtime serves several networks, whose lengths, which are
// constants in it, come from their genesis.

import { configQuery } from "@/api/queries";
import { queryClient } from "@/api/queryClient";

const NAME = "openledger-chain";
const STORE = "metadata";

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error ?? new Error("the browser keeps nothing"));
  });
}

const keyOf = async (codeHash: string) =>
  `${(await queryClient.fetchQuery(configQuery)).genesisHash} ${codeHash}`;

/** The metadata of a runtime; null where it was not read before, or the browser keeps nothing. */
export async function keptMetadata(codeHash: string): Promise<Uint8Array | null> {
  try {
    const key = await keyOf(codeHash);
    const database = await open();
    try {
      return await new Promise<Uint8Array | null>((resolve, reject) => {
        const asked = database.transaction(STORE).objectStore(STORE).get(key);
        asked.onsuccess = () => resolve(asked.result instanceof Uint8Array ? asked.result : null);
        asked.onerror = () => reject(asked.error);
      });
    } finally {
      database.close();
    }
  } catch {
    return null;
  }
}

/** Keeps the metadata of a runtime in the place of the one before. */
export function keepMetadata(codeHash: string, metadata: Uint8Array): void {
  void keyOf(codeHash)
    .then(async (key) => {
      const database = await open();
      const store = database.transaction(STORE, "readwrite").objectStore(STORE);
      store.clear();
      store.put(metadata, key);
      database.close();
    })
    .catch(() => undefined);
}
