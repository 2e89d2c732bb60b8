import type { Likest, NearestFile } from "@/api/types";
import { plural } from "@/lib/format";
import type { Attempt } from "./committee";

/** How an earlier file is alike, in words. */
export function sayAlike({ same, media }: Pick<NearestFile, "same" | "media">): string {
  if (same === "bytes") return "has the same bytes.";
  if (same === "text") return "has the same canonical text, in another format or layout.";
  if (isText(media)) return "says the same in this part of its letters, wherever they stand.";
  return "shows the same in this part of its detail, however it is cut, mirrored or turned.";
}

/** Whether what counts of a kind of file is text. */
export const isText = (media: string) => ["md", "pdf", "docx", "txt"].includes(media);

/** A sentence or line of a text, and whether the other text has it too. */
export interface Piece {
  text: string;
  shared: boolean;
}

const piecesOf = (text: string) => text.match(/[^.!?\n]*(?:[.!?]+\s*|\n\s*|$)/g)?.filter(Boolean) ?? [];
// Without marks, what cannot be seen, case and layout. Letters of other alphabets stay others, so that they are marked.
const plain = (piece: string) =>
  piece
    .normalize("NFKD")
    .replaceAll(/[\p{M}\p{Cf}]/gu, "")
    .toLowerCase()
    .replaceAll(/\s+/g, " ")
    .trim();

/** Two texts, sentence by sentence and line by line, with what each has that the other has not. */
export function compareTexts(one: string, other: string): [Piece[], Piece[]] {
  const [first, second] = [piecesOf(one), piecesOf(other)];
  const mark = (pieces: string[], among: Set<string>): Piece[] =>
    pieces.map((text) => ({ text, shared: plain(text) === "" || among.has(plain(text)) }));
  return [mark(first, new Set(second.map(plain))), mark(second, new Set(first.map(plain)))];
}

/** The gateway names at most so many files that are not there. */
const NAMED = 20;

/** With how many earlier submissions it was compared, and what that leaves out. */
export function sayCompared({
  compared,
  unknown,
  missing,
}: Pick<Likest, "compared" | "unknown" | "missing">): string {
  const done = `Compared with ${plural(compared, "submission")} to this Datanet before it, of the latest thousand that are accepted, wait, or were refused since it was submitted.`;
  // What is here is measured with the next requests.
  const soon = unknown - missing.length;
  if (soon <= 0 || missing.length >= NAMED) return done;
  return `${done} ${plural(soon, "other has", "others have")} not been measured by this gateway yet.`;
}

/** What a member does about earlier files that could not be compared, and what it risks; empty where it judges without. */
export function sayLeave({ missing }: Pick<Likest, "missing">, attempt: Attempt | null): string {
  if (missing.length === 0 || attempt === null || !attempt.leavesAnother) return "";
  return `This is committee ${attempt.number} of ${attempt.of}, so that another one can be asked: say that it cannot be compared, which earns and costs nothing. If you accept it and it is a copy, you lose a part of your seat.`;
}

/** Which earlier files could not be compared, so that nobody knows whether it is a copy of one; empty where all could. */
export function sayMissing({ unknown, missing }: Pick<Likest, "unknown" | "missing">): string {
  if (missing.length === 0) return "";
  const named = missing.map((id) => `#${id}`).join(", ");
  const all = missing.length >= NAMED && unknown > missing.length;
  const which = all ? `At least ${missing.length} earlier files` : plural(missing.length, "earlier file");
  return `${which} could not be compared, since this gateway does not have ${missing.length === 1 && !all ? "it" : "them"}: ${named}.`;
}
