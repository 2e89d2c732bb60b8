// What pages about drawn committees share: the chain's rules, and its words in a person's.

import { useQuery } from "@tanstack/react-query";
import type { Draw, SeatPool } from "@/api/types";
import type { Api } from "@/chain/client";
import type { Tone } from "@/components/ui/Badge";

type Pool = Parameters<Api["apis"]["CommitteeApi"]["seats"]>[0];
type ChainDrawView = NonNullable<Awaited<ReturnType<Api["apis"]["CommitteeApi"]["draw"]>>>;
export type ChainDraw = ChainDrawView["draw"];

const modalities = { text: "Text", image: "Image", audio: "Audio" } as const;
export type ModalityName = keyof typeof modalities;

/** A pool of seats as the chain names it. */
export function chainPool({ modality, datanet }: SeatPool): Pool {
  if (modality !== null) {
    const type = modalities[modality as ModalityName] ?? "Text";
    return { type: "Modality", value: { type, value: undefined } };
  }
  return { type: "Datanet", value: datanet ?? 0 };
}

/** A pool of seats in words. */
export function poolName({ modality, datanet }: SeatPool): string {
  if (modality === null) return `Datanet ${datanet}`;
  return { text: "Text files", image: "Image files", audio: "Audio files" }[modality] ?? modality;
}

export const poolKey = ({ modality, datanet }: SeatPool) => modality ?? String(datanet);

/** What is at stake for a committee, and how long it has; as this network says. */
export function useRules(enabled = true) {
  return useQuery({
    queryKey: ["committee rules"],
    queryFn: async () => {
      const { getChain } = await import("@/chain/client");
      const { Review } = getChain().api.constants;
      const [rules, lengths] = await Promise.all([Review.Rules(), Review.Lengths()]);
      return { ...rules, lengths };
    },
    enabled,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** A draw as the chain has it now; null once it is over. */
export function useChainDraw(draw: number, enabled = true) {
  return useQuery({
    queryKey: ["draw", draw, "chain"],
    queryFn: async (): Promise<ChainDraw | null> => {
      const { getChain } = await import("@/chain/client");
      const found = await getChain().api.apis.CommitteeApi.draw(BigInt(draw), { at: "best" });
      return found?.draw ?? null;
    },
    enabled,
    refetchInterval: 6000,
  });
}

interface Saying {
  label: string;
  tone: Tone;
  means: string;
}

const states: Readonly<Record<string, Saying>> = {
  waiting: {
    label: "waits for its committee",
    tone: "neutral",
    means: "The committee is drawn by a seed that nobody knew when the files were submitted.",
  },
  committing: {
    label: "sealed votes",
    tone: "info",
    means: "Members fetch and judge the files, and seal what they say so that nobody can copy it.",
  },
  revealing: {
    label: "being revealed",
    tone: "info",
    means: "Members show what they sealed. More than half of all members decide.",
  },
  judged: {
    label: "may be challenged",
    tone: "warn",
    means: "The verdicts are there. Leaf, points and pay wait until nobody can challenge them any more.",
  },
  over: { label: "over", tone: "good", means: "Nothing is left to do." },
};

/** Where a draw is, with its files where these are known. */
type Standing = Pick<Draw, "state"> & Partial<Pick<Draw, "files">>;

/** Whether all that can be challenged was, and larger committees have the rest of it. */
const challenged = ({ state, files = [] }: Standing) =>
  state === "judged" &&
  files.length > 0 &&
  files.every(({ outcome, challengedBy }) => outcome !== null || challengedBy !== null);

/** Where a draw is. */
export function sayState(draw: Standing): Saying {
  if (challenged(draw)) {
    return {
      label: "challenged",
      tone: "warn",
      means: "What was challenged waits for the word of a larger committee; the rest is decided.",
    };
  }
  return states[draw.state] ?? { label: draw.state, tone: "neutral", means: "" };
}

const outcomes: Readonly<Record<string, Saying>> = {
  accepted: { label: "accepted", tone: "good", means: "Most accepted it, and nobody challenged that." },
  refused: {
    label: "refused",
    tone: "bad",
    means: "Most refused it, and its contributor did not challenge that.",
  },
  "unavailable-again": {
    label: "asked again",
    tone: "warn",
    means: "Most could not fetch it: another committee is asked.",
  },
  unavailable: {
    label: "not to be had",
    tone: "neutral",
    means: "Most could not fetch it, and no committee was left to ask; or not one member had it.",
  },
  "undecided-again": {
    label: "asked again",
    tone: "neutral",
    means: "Most have it and lack an earlier file to compare it with: another committee is asked.",
  },
  "split-again": {
    label: "asked again",
    tone: "warn",
    means: "Most revealed and did not agree: another committee is asked.",
  },
  split: {
    label: "no verdict",
    tone: "neutral",
    means: "Most revealed and did not agree, and no committee was left to ask.",
  },
  "no-quorum-again": {
    label: "asked again",
    tone: "warn",
    means: "Too few sealed or revealed: another committee is asked.",
  },
  "no-quorum": {
    label: "no verdict",
    tone: "neutral",
    means: "Too few sealed or revealed, and no committee was left to ask.",
  },
  "too-few-seats": {
    label: "no committee",
    tone: "neutral",
    means: "Too few accounts had seats, at every attempt.",
  },
  "empty-budget": {
    label: "no committee",
    tone: "neutral",
    means: "The Datanet’s review budget did not cover a committee.",
  },
  "acceptance-upheld": {
    label: "accepted, upheld",
    tone: "good",
    means: "Challenged, and the larger committee accepted it too. The challenger lost the bond.",
  },
  "acceptance-overturned": {
    label: "refused, overturned",
    tone: "bad",
    means: "Challenged, and the larger committee refused it. The majority lost a part of its seats.",
  },
  "measured-anew": {
    label: "accepted, measured anew",
    tone: "good",
    means:
      "Challenged, and the larger committee accepted it with other measurements, which count. Who had said otherwise lost a part of a seat.",
  },
  "acceptance-unavailable": {
    label: "not to be had",
    tone: "warn",
    means:
      "Challenged, and most of the larger committee could not fetch it, or refused it. Who had accepted it answers for it being there, and lost a part of a seat to the treasury.",
  },
  "acceptance-stands": {
    label: "accepted",
    tone: "good",
    means:
      "Challenged, and the larger committee came to no verdict, or none could be drawn: the acceptance stands.",
  },
  "acceptance-copied": {
    label: "refused, a copy",
    tone: "bad",
    means:
      "Challenged, and the larger committee found it to be a copy. Its committee was the last to be asked, and may have been shown no earlier file: it is paid nothing, and lost nothing.",
  },
  "acceptance-unjudged": {
    label: "no verdict",
    tone: "neutral",
    means:
      "Challenged, and no larger committee could be drawn. It would have counted everywhere, so it counts nowhere.",
  },
  "refusal-upheld": {
    label: "refused, upheld",
    tone: "bad",
    means: "Challenged, and the larger committee refused it too. The challenger lost the bond.",
  },
  "refusal-overturned": {
    label: "accepted, overturned",
    tone: "good",
    means: "Challenged, and the larger committee accepted it. The majority lost a part of its seats.",
  },
  "refusal-eased": {
    label: "refused, for less",
    tone: "warn",
    means:
      "Challenged, and the larger committee refused it too, but leaves no tombstone. Who gave the harsher reason lost a part of a seat.",
  },
  "refusal-stands": {
    label: "refused",
    tone: "bad",
    means: "Challenged, and the larger committee came to no verdict: the refusal stands.",
  },
  "copy-accepted": {
    label: "refused, a copy",
    tone: "bad",
    means:
      "Challenged, and the larger committee found it to be a copy, which its committee said it had looked for. The majority lost a part of its seats, nearly all of it to the treasury.",
  },
  "refusal-undecided": {
    label: "no verdict",
    tone: "neutral",
    means:
      "Refused as a copy and challenged, and most of the larger committee have the file and accept it, or lack an earlier one to compare it with. Nobody is paid, the bond is back, and the file may be submitted again.",
  },
};

/** Which committee a draw's is of those that may be asked about its files, and whether another one can be asked after it. */
export interface Attempt {
  number: number;
  /** Null while it is not known how many may be asked. */
  of: number | null;
}

/**
 * The attempt of a draw that judges a call; null of a challenge's. Each has to compare what it accepts. So has the last one,
 * but for files that those before it had and could not compare, which the programs of its other members judge.
 */
export function attemptOf(
  { asked, challenges }: Pick<Draw, "asked" | "challenges">,
  asks: number | null,
): Attempt | null {
  if (challenges !== null) return null;
  return { number: asked + 1, of: asks };
}

/** Which committee it is, in words. */
export function sayAttempt({ number, of }: Attempt): string {
  return of === null
    ? `committee ${number}, and it is not known whether it is the last that can be asked`
    : `committee ${number} of ${of}`;
}

/** How a file left a draw. */
export function sayOutcome(outcome: string): Saying {
  return outcomes[outcome] ?? { label: outcome, tone: "neutral", means: "" };
}

const whys: Readonly<Record<string, string>> = {
  agreed: "said what its committee found",
  "larger-committee": "said what the larger committee found",
  challenger: "challenged a wrong verdict",
  bond: "was challenged wrongly: its part of the bond",
  absent: "did not seal or reveal",
  void: "had not the file, or said what no file can be",
  unserved: "accepted what the larger committee could not fetch",
  overturned: "agreed to a verdict that a challenge overturned",
};

/** Why somebody was paid, or lost. */
export function sayWhy(why: string): string {
  return whys[why] ?? why;
}

const stands: Readonly<Record<string, { label: string; tone: Tone }>> = {
  agreed: { label: "agreed", tone: "good" },
  dissented: { label: "dissented", tone: "neutral" },
  unavailable: { label: "counts for nothing", tone: "neutral" },
  void: { label: "void", tone: "bad" },
};

/** How a member's word stands to what was found. */
export function sayStand(stand: string) {
  return stands[stand] ?? { label: stand, tone: "neutral" as Tone };
}

/** The last block of what goes on in a draw; null where nothing is waited for. */
export function until(
  draw: Pick<Draw, "state" | "files" | "commitBy" | "revealBy" | "challengeBy">,
): number | null {
  if (challenged(draw)) return null;
  if (draw.state === "committing") return draw.commitBy;
  if (draw.state === "revealing") return draw.revealBy;
  return draw.state === "judged" ? draw.challengeBy : null;
}
