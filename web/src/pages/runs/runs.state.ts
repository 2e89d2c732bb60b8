import type { Job } from "@/api/types";
import type { Run } from "@/training/metrics";

/** Runs that are laid over each other. */
export const MOST_COMPARED = 4;

/** The numbers of `/runs/compare?runs=1,2`: each once, four at most. */
export function comparedRuns(query: string): number[] {
  const named = new URLSearchParams(query).get("runs") ?? "";
  const numbers = named
    .split(",")
    .filter((text) => /^\d{1,15}$/.test(text))
    .map(Number);
  return [...new Set(numbers)].slice(0, MOST_COMPARED);
}

export function compareAddress(runs: readonly number[]): string {
  return `/runs/compare?runs=${runs.join(",")}`;
}

/** How far a training is, 0 to 100: by the worker's newest step, else by what stands on chain. */
export function progress(job: Pick<Job, "step" | "totalSteps">, run: Run | undefined): number | null {
  const last = run?.steps.at(-1);
  const total = last?.totalSteps ?? job.totalSteps;
  if (!total) return null;
  return Math.min(100, (100 * Math.max(last?.step ?? 0, job.step ?? 0)) / total);
}
