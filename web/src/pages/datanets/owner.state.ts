import { useQuery } from "@tanstack/react-query";
import { whole } from "./whole";

// The bounds of primitives/src/datanet.rs.
export const MAX_SUMMARY = 200;
export const MAX_DESCRIPTION = 4096;
export const MAX_TAGS = 8;
export const MAX_TAG = 32;

/** What a Datanet says of itself, whether it takes files, and its daily limits. */
export interface Details {
  status: "Open" | "Paused" | "Closed";
  summary: string;
  description: string;
  tags: string[];
  offeredTo: string | null;
  deposit: bigint;
  caps: { files: number; bytes: bigint } | null;
  /** Percent of the caps that one account may use. */
  share: number;
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** A Datanet as its owner has set it up, from the chain. */
export function useDetails(datanet: number, enabled: boolean) {
  return useQuery({
    queryKey: ["datanet", datanet, "details"],
    queryFn: async (): Promise<Details | null> => {
      const { getChain } = await import("@/chain/client");
      const { DatanetsApi } = getChain().api.apis;
      const at = { at: "best" } as const;
      const [details, caps] = await Promise.all([
        DatanetsApi.details(datanet, at),
        DatanetsApi.caps(datanet, at),
      ]);
      if (!details) return null;
      return {
        status: details.status.type,
        summary: text(details.summary),
        description: text(details.description),
        tags: details.tags.map(text),
        offeredTo: details.offered_to ?? null,
        deposit: details.deposit,
        caps: caps?.daily_limit ?? null,
        share: caps?.share ?? 100,
      };
    },
    enabled,
    refetchInterval: 12_000,
  });
}

/** Why an owner bars an account: the words of primitives/src/refusal.rs. */
export const barReasons = {
  Unserved: "it declares files that nobody can fetch",
  Spam: "it submits many files that do not belong here",
  Copying: "it submits what others made",
  Harmful: "it submits harmful, private or unlawful content",
  Collusion: "it works together with who judges",
  Other: "the owner knows why",
} as const;

export type BarReason = keyof typeof barReasons;

/** Whether an account is barred from a Datanet, and why. */
export function useBar(datanet: number, account: string | undefined) {
  return useQuery({
    queryKey: ["datanet", datanet, "bar", account ?? ""],
    queryFn: async () => {
      const { getChain } = await import("@/chain/client");
      const bar = await getChain().api.apis.DatanetsApi.bar(datanet, account ?? "", { at: "best" });
      return bar ? { reason: bar.reason.type, since: bar.since } : null;
    },
    enabled: account !== undefined,
  });
}

/** What is typed about a Datanet. */
export interface DescriptionText {
  summary: string;
  description: string;
  /** Words with commas between. */
  tags: string;
}

const bytesOf = (typed: string) => new TextEncoder().encode(typed);
// Controls, marks that turn the direction of writing, what cannot be seen; a description may have lines.
const HIDDEN = /[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffc]/u;
const hidden = (typed: string) => HIDDEN.test(typed.replaceAll(/[\n\t]/g, ""));
// More marks on a letter than any script needs, accents above all, or a mark on nothing.
const TOWER = /(?:^|\s)[\p{Mn}\p{Me}]|[\p{Mn}\p{Me}]{7}|\p{Script=Inherited}{5}/u;

function lengthProblem(what: string, typed: string, most: number): string | undefined {
  const { length } = bytesOf(typed);
  if (length > most) return `The ${what} takes ${length} bytes; ${most.toLocaleString("en")} are the most.`;
  if (TOWER.test(typed))
    return "A letter carries more marks than any script needs, or a mark stands on nothing.";
  return hidden(typed) ? "It holds characters that cannot be seen." : undefined;
}

/** A description that is typed, as the chain takes it, or what is wrong with each part. */
export function readDescription(typed: DescriptionText): {
  text: { summary: Uint8Array; description: Uint8Array; tags: Uint8Array[] } | null;
  problems: Partial<Record<keyof DescriptionText, string>>;
} {
  const summary = typed.summary.trim();
  const description = typed.description.trim().replaceAll("\r\n", "\n");
  const tags = typed.tags
    .split(",")
    .map((tag) => tag.trim())
    .filter(Boolean);
  const problems: Partial<Record<keyof DescriptionText, string>> = {};
  const wrongSummary = lengthProblem("summary", summary, MAX_SUMMARY);
  if (wrongSummary) problems.summary = wrongSummary;
  else if (summary.includes("\n")) problems.summary = "A summary is one line.";
  const wrongDescription = lengthProblem("description", description, MAX_DESCRIPTION);
  if (wrongDescription) problems.description = wrongDescription;
  const long = tags.find((tag) => bytesOf(tag).length > MAX_TAG);
  const twice = tags.find((tag, n) => tags.indexOf(tag) !== n);
  if (tags.length > MAX_TAGS) problems.tags = `${tags.length} tags; there may be ${MAX_TAGS}.`;
  else if (long) problems.tags = `“${long.slice(0, 40)}” is longer than ${MAX_TAG} bytes.`;
  else if (twice) problems.tags = `“${twice}” stands there twice.`;
  else if (tags.some(hidden)) problems.tags = "A tag holds characters that cannot be seen.";
  else if (tags.some((tag) => TOWER.test(tag)))
    problems.tags = "A tag's letter carries more marks than any script needs.";
  if (Object.keys(problems).length > 0) return { text: null, problems };
  return {
    text: { summary: bytesOf(summary), description: bytesOf(description), tags: tags.map(bytesOf) },
    problems,
  };
}

/** What is typed about daily limits. */
export interface CapsText {
  limited: boolean;
  files: string;
  mebibytes: string;
  share: string;
}

/** Daily limits that are typed, or what is wrong with each field. */
export function readCaps(typed: CapsText): {
  caps: { daily_limit: { files: number; bytes: bigint } | undefined; share: number } | null;
  problems: Partial<Record<keyof CapsText, string>>;
} {
  const problems: Partial<Record<keyof CapsText, string>> = {};
  const [files, mebibytes, share] = [whole(typed.files), whole(typed.mebibytes), whole(typed.share)];
  if (share === null || share < 1 || share > 100) problems.share = "Write a percentage from 1 to 100.";
  if (typed.limited) {
    if (files === null || files < 1 || files > 0xffff_ffff) {
      problems.files = "Write a whole number from 1 to 4,294,967,295.";
    }
    if (mebibytes === null || mebibytes < 1) problems.mebibytes = "Write a whole number, 1 or more.";
  }
  if (Object.keys(problems).length > 0) return { caps: null, problems };
  const daily_limit = typed.limited
    ? { files: files ?? 0, bytes: BigInt(mebibytes ?? 0) * 1_048_576n }
    : undefined;
  return { caps: { daily_limit, share: share ?? 0 }, problems };
}
