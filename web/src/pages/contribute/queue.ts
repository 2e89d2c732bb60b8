// The files on their way. The list outlives the page: one may look at another page while files are sent.

import { createStore } from "@/lib/store";
import type { QueuedFile } from "./files";
import { dropKept } from "./keep";

export const queue = createStore<readonly QueuedFile[]>([]);
/** Whether files are being sent or submitted. */
export const working = createStore<"sending" | "submitting" | null>(null);

export function change(id: string, changes: Partial<QueuedFile>): void {
  queue.set((files) => files.map((file) => (file.id === id ? { ...file, ...changes } : file)));
}

export function refuse(id: string, problem: string, next?: string): void {
  change(id, { stage: "refused", problem, ...(next ? { next } : {}) });
  // What is refused needs no keeping.
  void dropKept(id).catch(() => undefined);
}

export function removeFile(id: string): void {
  queue.set((files) => files.filter((file) => file.id !== id));
  void dropKept(id).catch(() => undefined);
}
