import type { Likest, NearestFile } from "@/api/types";
import { plural } from "@/lib/format";
import { type Attempt, sayAttempt } from "./committee";

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

/** With how many earlier submissions it was compared. */
export function sayCompared({ compared }: Pick<Likest, "compared">): string {
  return `Compared with ${plural(compared, "submission")} to this Datanet before it, of the latest thousand that are accepted, that a committee has before it, or that were refused or ended since it was submitted.`;
}

/** What says whether everything that came before a file was compared with it. */
type Extent = Pick<Likest, "unknown" | "missing" | "undrawn" | "complete">;

/** Whether it was compared with everything that came before it, and nothing else may become an original of it. */
export function isWhole({ unknown, undrawn, complete }: Extent): boolean {
  return unknown === 0 && undrawn.length === 0 && complete;
}

/** Whether its member had better say that it cannot be compared. So as long as it is not known with what it was. */
export function leaves(likest: Extent | undefined, attempt: Attempt | null): boolean {
  return attempt !== null && (likest === undefined || !isWhole(likest));
}

/** What a member does about what could not be compared, and what it risks; empty where nothing lacks. */
export function sayLeave(likest: Extent, attempt: Attempt | null): string {
  if (attempt === null || !leaves(likest, attempt)) return "";
  return `This is ${sayAttempt(attempt)}: say that it cannot be compared, which earns and costs nothing. If you accept it and it is a copy, you lose a part of your seat.`;
}

/** Which of these, by number. */
const numbers = (ids: readonly number[]) => ids.map((id) => `#${id}`).join(", ");

function sayLacking(unknown: number, missing: readonly number[]): string {
  const all = missing.length >= NAMED && unknown > missing.length;
  const which = all ? `At least ${missing.length} earlier files` : plural(missing.length, "earlier file");
  return `${which} could not be compared, since this gateway does not have ${missing.length === 1 && !all ? "it" : "them"}: ${numbers(missing)}.`;
}

/** What came before it and was not compared with it, so that nobody knows whether it is a copy of that; empty where all was. */
export function sayMissing({ unknown, missing, undrawn, complete }: Extent): string {
  const said: string[] = [];
  if (missing.length > 0) said.push(sayLacking(unknown, missing));
  if (unknown > missing.length && missing.length < NAMED) {
    const others = unknown - missing.length;
    said.push(
      `${plural(others, "earlier file has", "earlier files have")} not been measured by this gateway yet.`,
    );
  }
  if (undrawn.length > 0) {
    const has = undrawn.length === 1 ? "has" : "have";
    const one = undrawn.length === 1 ? "it has one" : "they have one";
    said.push(
      `${undrawn.length >= NAMED ? "At least " : ""}${plural(undrawn.length, "earlier submission")} ${has} no committee yet, and may turn out to be what it is a copy of once ${one}: ${numbers(undrawn)}.`,
    );
  }
  if (!complete) said.push("It was compared with the latest thousand earlier submissions alone.");
  return said.join(" ");
}

/** What a larger committee, which judges anew a refusal of it for a copy, cannot look at; empty where that is nothing. */
export function sayEnded({ endedMissing }: Pick<Likest, "endedMissing">): string {
  if (endedMissing.length === 0) return "";
  return `Ended without a verdict, or as no file of the Datanet, and not here: ${numbers(endedMissing)}. Nobody loses anything for accepting a copy of such. Where a committee refused this one as a copy, say that it cannot be compared rather than accept it.`;
}
