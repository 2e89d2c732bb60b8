// What a job's owner can still do, read from the chain itself: what one signs depends on it.

import { useQuery } from "@tanstack/react-query";
import type { Api } from "@/chain/client";
import { BLOCK_TIME, formatOpen, parseOpen } from "@/lib/format";

type TrainingApi = Api["apis"]["TrainingApi"];
export type ChainJob = NonNullable<Awaited<ReturnType<TrainingApi["job"]>>>;
export type Windows = Awaited<ReturnType<TrainingApi["windows"]>>;

export interface OwnJob {
  job: ChainJob;
  windows: Windows;
  /** Jobs for the same model and method that get a worker before it; null where it does not wait. */
  ahead: number | null;
  best: number;
  /** Blocks that a job may have at most, from now on. */
  mostBlocks: number;
}

/** Further ahead the chain does not count: `MAX_AHEAD` of pallets/training. */
export const MOST_AHEAD = 1000;

/** A job as the chain has it now; null where it has none of that number any more. */
export function useOwnJob(job: number, enabled: boolean) {
  return useQuery({
    queryKey: ["job", job, "chain"],
    queryFn: async (): Promise<OwnJob | null> => {
      const { getChain } = await import("@/chain/client");
      const { api, client } = getChain();
      const { TrainingApi } = api.apis;
      const at = { at: "best" } as const;
      const [found, windows, place, mostBlocks, blocks] = await Promise.all([
        TrainingApi.job(BigInt(job), at),
        TrainingApi.windows(at),
        TrainingApi.place(BigInt(job), at),
        api.constants.Training.MaxJobBlocks(),
        client.getBestBlocks(),
      ]);
      const best = (blocks[0] ?? (await client.getFinalizedBlock())).number;
      return found ? { job: found, windows, ahead: place ?? null, best, mostBlocks } : null;
    },
    enabled,
    refetchInterval: 12_000,
  });
}

/** Blocks that so many tokens take at the speed that a worker declared, as `Windows::training` of the chain. */
export function trainingBlocks(windows: Windows, tokens: bigint, rate: number): bigint {
  const perBlock = BigInt(2 ** Math.min(rate, 15)) * BigInt(Math.max(1, windows.block_seconds));
  const blocks = (tokens + perBlock - 1n) / perBlock;
  return blocks < 1n ? 1n : blocks;
}

/** What calling a job off would pay its worker in block `now`, as `Job::cancel` of the chain. */
export function cancelPay(
  job: Pick<ChainJob, "state" | "token_ceiling">,
  windows: Windows,
  now: number,
): bigint {
  if (job.state.type !== "Training") return 0n;
  const { assignment, step, total_steps, taken_at } = job.state.value;
  const training = trainingBlocks(windows, job.token_ceiling, assignment.rate);
  const since = BigInt(Math.max(0, now - taken_at));
  const elapsed = since < training ? since : training;
  const share = (part: bigint, of: bigint) => (assignment.price * part) / (of < 1n ? 1n : of);
  const shares = [share(BigInt(step), BigInt(total_steps)), share(elapsed, training), assignment.price / 2n];
  return shares.reduce((least, one) => (one < least ? one : least));
}

/** A higher price for the whole ceiling that is typed, a token, with what is held in addition; or what is wrong. */
export function readRaise(
  text: string,
  job: Pick<ChainJob, "price_per_token" | "token_ceiling" | "budget">,
): { price: bigint; budget: bigint; more: bigint; problem: null } | { price: null; problem: string } {
  const typed = parseOpen(text);
  if (typed === null) return { price: null, problem: "Write an amount of OPEN, such as 25 or 0.5." };
  // Rounded up, as a new job's is.
  const price = (typed + job.token_ceiling - 1n) / job.token_ceiling;
  if (price <= job.price_per_token) {
    const now = formatOpen(job.price_per_token * job.token_ceiling);
    return { price: null, problem: `It offers ${now} OPEN for all tokens; write more.` };
  }
  const budget = price * job.token_ceiling;
  const more = budget > job.budget ? budget - job.budget : 0n;
  return { price, budget, more, problem: null };
}

/** More time that is typed, in hours, as a later deadline; or what is wrong. */
export function readMoreTime(
  text: string,
  { job, best, mostBlocks }: Pick<OwnJob, "best" | "mostBlocks"> & { job: Pick<ChainJob, "deadline"> },
): { deadline: number; problem: null } | { deadline: null; problem: string } {
  const hours = /^\s*\d{1,4}([.]\d{1,3})?\s*$/.test(text) ? Number(text) : 0;
  const blocks = Math.ceil((hours * 3_600_000) / BLOCK_TIME);
  if (blocks < 1) return { deadline: null, problem: "Write hours, such as 2 or 0.5." };
  const deadline = Math.max(job.deadline, best) + blocks;
  if (deadline > best + mostBlocks) {
    const most = Math.floor(((best + mostBlocks - job.deadline) * BLOCK_TIME) / 3_600_000);
    return { deadline: null, problem: `A job may last 7 days from now: ${most} h more at most.` };
  }
  return { deadline, problem: null };
}
