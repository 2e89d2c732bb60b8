import type { Likest, NearestFile } from "@/api/types";
import { plural } from "@/lib/format";

/** How an earlier file is alike, in words. */
export function sayAlike({ same, media }: Pick<NearestFile, "same" | "media">): string {
  if (same === "bytes") return "has the same bytes.";
  if (same === "text") return "has the same canonical text, in another format or layout.";
  if (isText(media)) return "shares this part of its runs of twenty letters with it.";
  return "looks like it: this part of both pictures is as bright as each other.";
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

/** With how many earlier submissions it was compared, and what that leaves out. */
export function sayCompared({ compared, unknown }: Pick<Likest, "compared" | "unknown">): string {
  const done = `Compared with ${plural(compared, "submission")} to this Datanet before it, of the latest thousand that are accepted or wait.`;
  if (unknown === 0) return done;
  return `${done} ${plural(unknown, "other has", "others have")} not been measured by this gateway yet.`;
}
