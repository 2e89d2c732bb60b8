// A judge's verdict, as the chain takes it.

import type { Preview } from "@/api/types";
import type { Api } from "@/chain/client";

type Verdict = Parameters<Api["tx"]["Review"]["vote"]>[0]["verdict"];

/** The chain's names of reasons, by those of the gateway and the command line. */
const variants = {
  "wrong-format": "WrongFormat",
  "off-topic": "OffTopic",
  "low-quality": "LowQuality",
  duplicate: "Duplicate",
  "too-small": "TooSmall",
  harmful: "Harmful",
  licence: "Licence",
} as const;

export type ReasonName = keyof typeof variants;

export type Choice = { accept: true; score: number } | { accept: false; reason: ReasonName };

/** What images and sound have in place of a root over text. */
const NO_TEXT = "00".repeat(32);

export function sayChoice(choice: Choice): string {
  return choice.accept ? `accept, ${choice.score}` : `refuse, ${choice.reason}`;
}

/** Why a file cannot be accepted; null if it can. A committee measures with one extractor. */
export function cannotAccept(
  preview: Preview,
  minUnits: number,
  extractor?: number | null | undefined,
): string | null {
  if (typeof extractor === "number" && preview.extractor !== extractor) {
    return `this gateway measures with extractor ${preview.extractor}, the committee with ${extractor}`;
  }
  if (preview.refusal !== null) return preview.refusal;
  if (preview.units === null) return "nothing of it could be measured";
  if (preview.units < minUnits) {
    return `it has ${preview.units} ${preview.unit}; this Datanet takes ${minUnits} or more`;
  }
  return null;
}

/** The verdict of a choice about a file that measured like this. */
export function verdictOf(choice: Choice, preview: Preview): Verdict {
  if (!choice.accept) return { type: "Reject", value: { type: variants[choice.reason], value: undefined } };
  if (preview.units === null) throw new Error("nothing was measured");
  return {
    type: "Accept",
    value: {
      score: choice.score,
      units: BigInt(preview.units),
      text_root: `0x${preview.textRoot ?? NO_TEXT}`,
      extractor: preview.extractor,
    },
  };
}

/** A score that was typed, 1 to 100; null if it is none. */
export function parseScore(text: string): number | null {
  const score = /^\s*\d{1,3}\s*$/.test(text) ? Number(text) : 0;
  return score >= 1 && score <= 100 ? score : null;
}
