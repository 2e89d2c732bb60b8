import { ProblemError } from "@/lib/problem";
import type { FileName } from "./contentId";

export interface Named extends FileName {
  /** The file's first bytes. */
  head: Uint8Array;
}

interface Answer {
  id: number;
  named?: FileName;
  head?: Uint8Array;
  problem?: string;
}

let worker: Worker | undefined;
let last = 0;
const waiting = new Map<number, { resolve: (named: Named) => void; reject: (error: Error) => void }>();

function unreadable(reason: string): Error {
  return new ProblemError(
    `The file could not be read: ${reason}`,
    "See that it is still there, and add it again.",
  );
}

function start(): Worker {
  const started = new Worker(new URL("./name.worker.ts", import.meta.url), { type: "module" });
  started.onmessage = ({ data }: MessageEvent<Answer>) => {
    const asked = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.named && data.head) asked?.resolve({ ...data.named, head: data.head });
    else asked?.reject(unreadable(data.problem ?? "no reason was given"));
  };
  started.onerror = (event) => {
    for (const { reject } of waiting.values())
      reject(unreadable(event.message || "the browser gave no reason"));
    waiting.clear();
    worker = undefined;
  };
  return started;
}

/** Hashes a file in a worker. */
export function nameInWorker(file: Blob): Promise<Named> {
  worker ??= start();
  last += 1;
  const id = last;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    worker?.postMessage({ id, file });
  });
}
