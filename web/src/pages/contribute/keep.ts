// Files that wait for tomorrow's quota are kept in the browser (IndexedDB), so that a closed page loses none; and
// with promised ones the salt that opens them, until they are opened and their bytes are sent.

import type { QueuedFile } from "./files";

const NAME = "openledger-queue";
const STORE = "files";

export type Kept = Pick<QueuedFile, "id" | "account" | "datanet" | "file" | "salt" | "stood">;

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "id" });
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error ?? new Error("the browser keeps nothing"));
  });
}

async function inStore<T>(
  mode: IDBTransactionMode,
  act: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const database = await open();
  try {
    return await new Promise<T>((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const asked = act(transaction.objectStore(STORE));
      // A salt counts as kept only once it is on disk.
      transaction.oncomplete = () => resolve(asked.result);
      transaction.onabort = () => reject(transaction.error ?? new Error("the browser keeps nothing"));
    });
  } finally {
    database.close();
  }
}

export async function keepFile({ id, account, datanet, file, salt, stood }: QueuedFile): Promise<void> {
  const kept: Kept = { id, account, datanet, file, ...(salt ? { salt } : {}), ...(stood ? { stood } : {}) };
  await inStore("readwrite", (store) => store.put(kept));
}

export async function dropKept(id: string): Promise<void> {
  await inStore("readwrite", (store) => store.delete(id));
}

export function keptFiles(): Promise<Kept[]> {
  return inStore("readonly", (store) => store.getAll() as IDBRequest<Kept[]>);
}
