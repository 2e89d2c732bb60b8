// Files that wait for tomorrow's quota are kept in the browser (IndexedDB), so that a closed page loses none.

import type { QueuedFile } from "./files";

const NAME = "openledger-queue";
const STORE = "files";

type Kept = Pick<QueuedFile, "id" | "account" | "datanet" | "file">;

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
      const asked = act(database.transaction(STORE, mode).objectStore(STORE));
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => reject(asked.error ?? new Error("the browser keeps nothing"));
    });
  } finally {
    database.close();
  }
}

export async function keepFile({ id, account, datanet, file }: QueuedFile): Promise<void> {
  await inStore("readwrite", (store) => store.put({ id, account, datanet, file } satisfies Kept));
}

export async function dropKept(id: string): Promise<void> {
  await inStore("readwrite", (store) => store.delete(id));
}

export function keptFiles(): Promise<Kept[]> {
  return inStore("readonly", (store) => store.getAll() as IDBRequest<Kept[]>);
}
