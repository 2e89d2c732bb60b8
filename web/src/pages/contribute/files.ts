// The files on their way to the chain: pure steps, which contribute.state.ts takes.

import type { Preview } from "@/api/types";
import type { FileName } from "@/content/contentId";
import { looksLike, type Media, mediaOf } from "@/content/formats";
import { formatBytes } from "@/lib/format";

export type Stage =
  /** Hashed and looked at. */
  | "checking"
  /** May be stored. */
  | "ready"
  /** Being sent to the gateway. */
  | "sending"
  /** At the gateway; may be submitted. */
  | "stored"
  /** Its promise stands on chain; it can be opened. */
  | "promised"
  /** A submission already; its bytes are being sent to the gateway. */
  | "opened"
  /** Cannot go on; `problem` says why. */
  | "refused";

export interface QueuedFile {
  id: string;
  /** The account whose quota it takes. */
  account: string;
  datanet: number;
  file: File;
  stage: Stage;
  media: Media | null;
  named?: FileName;
  /** Bytes sent. */
  sent: number;
  preview?: Preview;
  /** What opens its promise, in hexadecimal. */
  salt?: string;
  /** Whether the promise stood in a block. */
  stood?: boolean;
  /** The last block in which the promise can be opened. */
  until?: number;
  problem?: string | undefined;
  next?: string | undefined;
}

/** Files of one promise, which are opened together: one salt opens all of them. */
export function bySalt<T extends { salt?: string }>(files: readonly T[]): { salt: string; files: T[] }[] {
  const groups = new Map<string, T[]>();
  for (const file of files) {
    if (file.salt) groups.set(file.salt, [...(groups.get(file.salt) ?? []), file]);
  }
  return [...groups].map(([salt, files]) => ({ salt, files }));
}

/** Bytes of a file, at most: what an account may submit in a day. */
const MOST_BYTES = 10 * 1024 * 1024;

export interface Rules {
  formats: readonly string[];
  name: string;
}

type Refusal = { problem: string; next: string };

/** What is wrong with a file by its name and size alone. */
export function refusalOf(file: { name: string; size: number }, rules: Rules): Refusal | null {
  const media = mediaOf(file.name);
  const takes = `${rules.name} takes ${rules.formats.map((format) => `.${format}`).join(", ")}`;
  if (media === null || !rules.formats.includes(media)) {
    const ending = /\.[^./\\]+$/.exec(file.name)?.[0];
    return {
      problem: ending
        ? `${ending} files do not belong to this Datanet`
        : "The name has no ending that tells its format",
      next: `${takes}. Save it in one of these formats, or choose another Datanet.`,
    };
  }
  if (file.size === 0) return { problem: "The file is empty", next: "Choose the file that you meant." };
  if (file.size > MOST_BYTES) {
    return {
      problem: `${formatBytes(file.size)} is more than ${formatBytes(MOST_BYTES)}`,
      next: "Cut it into parts: each counts by itself, on days of your choice.",
    };
  }
  return null;
}

/** What is wrong with a file by its first bytes. */
export function misnamed(media: Media, head: Uint8Array): Refusal | null {
  if (looksLike(media, head)) return null;
  return {
    problem: `The bytes are not those of a .${media} file`,
    next: "Save it in the format that its name says; renaming does not change what it is.",
  };
}

/** A file that this list has already, by its bytes. */
export function repeated(files: readonly QueuedFile[], added: QueuedFile): QueuedFile | undefined {
  return files.find(
    (other) =>
      other.id !== added.id &&
      other.datanet === added.datanet &&
      other.stage !== "refused" &&
      other.named?.sha256 === added.named?.sha256 &&
      added.named !== undefined,
  );
}
