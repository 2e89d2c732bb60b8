// A job's dispute: what the gateway tells of it, in words, and what it takes to open one.

import { useQuery } from "@tanstack/react-query";
import { useGet } from "@/api/queries";
import type { Dispute, JobDetail, Verifier } from "@/api/types";
import type { Tone } from "@/components/ui/Badge";

/** Whether a job was ever disputed. */
export function wasDisputed(job: Pick<JobDetail, "timeline">): boolean {
  return job.timeline.some(({ kind }) => kind === "Training.JobDisputed");
}

export const useDispute = (job: Pick<JobDetail, "id" | "timeline">) =>
  useGet<Dispute>(["job", job.id, "dispute"], `/v1/jobs/${job.id}/dispute`, undefined, wasDisputed(job));

/** What the chain's rules ask for a dispute, and how long they give. */
export interface DisputeRules {
  /** Plancks that are held of who opens one. */
  bond: bigint;
  /** Blocks for findings, after the time for hashes. */
  reveal: number;
}

export function useDisputeRules(enabled: boolean) {
  return useQuery({
    queryKey: ["dispute rules"],
    queryFn: async (): Promise<DisputeRules> => {
      const { getChain } = await import("@/chain/client");
      const { Training } = getChain().api.constants;
      const [bond, reveal] = await Promise.all([Training.DisputeBond(), Training.RevealWindow()]);
      return { bond, reveal };
    },
    enabled,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

const findings: Record<string, string> = {
  holds: "it holds",
  "does-not-load": "it cannot be had, has another hash than was posted, or is no adapter",
  "other-base": "it is an adapter of another base model or of other settings",
  "not-reproduced": "it does not reach the losses that were posted",
};

const outcomes: Record<string, { label: string; tone: Tone; means: string }> = {
  upheld: { label: "upheld", tone: "bad", means: "Two found the result wrong: its worker was not paid." },
  rejected: {
    label: "rejected",
    tone: "good",
    means: "Two found that the result holds: its worker is paid.",
  },
  "no-quorum": { label: "undecided", tone: "neutral", means: "No two findings agree: the worker was paid." },
};

/** How a dispute stands: a word, and what it means. */
export function standing(dispute: Pick<Dispute, "state" | "outcome">): {
  label: string;
  tone: Tone;
  means: string;
} {
  if (dispute.outcome !== null) {
    return outcomes[dispute.outcome] ?? { label: dispute.outcome, tone: "neutral", means: "" };
  }
  const open = { tone: "warn" as Tone };
  if (dispute.state === "drawing") {
    return { ...open, label: "drawing", means: "Three workers are about to be drawn to look at the result." };
  }
  if (dispute.state === "hashes") {
    return {
      ...open,
      label: "being looked at",
      means: "Those drawn measure the adapter again, and seal what they find so that none can copy it.",
    };
  }
  return {
    ...open,
    label: "being opened",
    means: "Those drawn show what they sealed. Two that agree decide.",
  };
}

/** What a worker that was drawn has shown so far. */
export function shown(verifier: Verifier): string {
  if (verifier.finding !== null) return `found: ${findings[verifier.finding] ?? verifier.finding}`;
  if (verifier.committed !== null) return "has sealed a finding";
  return "has shown nothing yet";
}

/** The last block of what goes on, or nothing where a dispute is over. */
export function until(dispute: Dispute, rules: DisputeRules | undefined): number | null {
  if (dispute.state === "drawing") return dispute.drawAt;
  if (dispute.state === "hashes") return dispute.commitBy;
  if (dispute.state !== "findings" || dispute.commitBy === null || !rules) return null;
  return dispute.commitBy + rules.reveal;
}
