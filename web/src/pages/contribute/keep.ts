// Files that wait for tomorrow's quota are kept in the browser (IndexedDB), so that a closed page loses none; and
// with promised ones the salt that opens them, until they are opened and their bytes are sent.

import { storeOf } from "@/lib/keeping";
import type { QueuedFile } from "./files";

export type Kept = Pick<QueuedFile, "id" | "account" | "datanet" | "file" | "salt" | "stood">;

const inStore = storeOf("openledger-queue", "files", "id");

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
