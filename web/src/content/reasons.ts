// Why files are refused: the words of primitives/src/verdict.rs, and what a contributor can do.

interface Reason {
  words: string;
  next: string;
}

export const rejections: Readonly<Record<string, Reason>> = {
  "wrong-format": {
    words: "the bytes are not of the declared format, or cannot be read",
    next: "Open it in a program of its format, save it anew and submit that.",
  },
  "off-topic": {
    words: "not about what the Datanet collects",
    next: "Look for a Datanet that collects it.",
  },
  "low-quality": { words: "too poor to be useful", next: "Improve it and submit the better file." },
  duplicate: {
    words: "the same content as an accepted file, in other bytes",
    next: "Content counts once, for whoever gave it first.",
  },
  "too-small": {
    words: "fewer units than the Datanet's minimum",
    next: "Put more into one file: the Datanet's page says how much.",
  },
  harmful: { words: "harmful, private or unlawful content", next: "Do not submit it again." },
  licence: { words: "not the contributor's to give", next: "Submit only what is yours or free to give." },
};

/** How else a submission ends without a leaf. */
const endings: Readonly<Record<string, Reason>> = {
  unavailable: {
    words: "its bytes could not be fetched",
    next: "Keep a node with the file running and submit it again.",
  },
  expired: { words: "nobody decided on it in time", next: "Submit it again." },
  displaced: {
    words: "an older promise of the same file took its place",
    next: "Content counts once, for whoever gave it first.",
  },
};

/** Why a submission ended without a leaf, by the name of its reason. */
export function whyRefused(reason: string | null | undefined): Reason | undefined {
  return rejections[reason ?? ""] ?? endings[reason ?? ""];
}
