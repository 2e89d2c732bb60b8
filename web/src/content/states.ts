import type { Tone } from "@/components/ui/Badge";

/** What stands for a submission's state. */
export const submissionStates: Readonly<Record<string, { tone: Tone; words: string }>> = {
  pending: { tone: "info", words: "In review" },
  accepted: { tone: "good", words: "Accepted" },
  rejected: { tone: "bad", words: "Refused" },
  withdrawn: { tone: "neutral", words: "Taken back" },
};
