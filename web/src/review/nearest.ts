import type { Likest, NearestFile } from "@/api/types";
import { plural } from "@/lib/format";

/** How an earlier file is alike, in words. */
export function sayAlike({ same, media }: Pick<NearestFile, "same" | "media">): string {
  if (same === "bytes") return "has the same bytes.";
  if (same === "text") return "has the same canonical text, in another format or layout.";
  if (["md", "pdf", "docx", "txt"].includes(media))
    return "has so many runs of twenty letters with it in common.";
  return "looks like it: so many parts of both pictures are as bright as each other.";
}

/** With how many earlier submissions it was compared, and what that leaves out. */
export function sayCompared({ compared, unknown }: Pick<Likest, "compared" | "unknown">): string {
  const done = `Compared with ${plural(compared, "submission")} to this Datanet before it, of the latest thousand that are accepted or wait.`;
  if (unknown === 0) return done;
  return `${done} ${plural(unknown, "other has", "others have")} not been measured by this gateway yet.`;
}
