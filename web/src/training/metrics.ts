// What a worker tells of a training, gathered to curves. The gateway proves who told it, not that it is true.

import type { MetricsAnswer as Answer } from "@/api/types";

interface Told {
  /** Number among all entries of the gateway. */
  id: number;
  attempt: number;
  /** The worker's clock. */
  at: number;
}

export interface Step {
  step: number;
  totalSteps: number;
  epoch: number;
  loss: number;
  learningRate: number;
  gradNorm: number;
  tokens: number;
  samples: number;
  tokensPerSecond: number;
  memory: number | null;
  /** Seconds left, as the worker estimates. */
  eta: number;
}

export interface Begun {
  totalSteps: number;
  totalTokens: number;
  train: number;
  heldOut: number;
  parameters: number;
  every: number;
}

export type Entry = Told &
  (
    | ({ kind: "begun" } & Begun)
    | { kind: "resumed"; step: number }
    | ({ kind: "step" } & Step)
    | { kind: "evaluated"; step: number; loss: number }
    | { kind: "log"; text: string }
  );

/** The gateway passes entries on; what they say is between workers and readers (client/src/metrics.rs). */
export type MetricsAnswer = Omit<Answer, "items"> & { items: Entry[] };

export interface Run {
  attempt: number;
  begun: Begun | null;
  steps: (Step & { at: number })[];
  evaluations: { step: number; loss: number }[];
  log: { id: number; at: number; text: string }[];
  /** Lines of the log that were left out because there were too many. */
  logCut: number;
  lastAt: number | null;
}

export interface Curves {
  /** The newest entry: what comes again up to it is known. */
  lastId: number;
  /** The attempts' trainings, in order. */
  runs: readonly Run[];
}

/** Lines of a log that are kept. */
export const LOG_LINES = 500;

export const noCurves: Curves = { lastId: 0, runs: [] };

function begin(attempt: number): Run {
  return { attempt, begun: null, steps: [], evaluations: [], log: [], logCut: 0, lastAt: null };
}

/** Takes entries in the order in which they came; those that are known already are passed over. */
export function gather(curves: Curves, entries: readonly Entry[]): Curves {
  const fresh = entries.filter(({ id }) => id > curves.lastId);
  if (fresh.length === 0) return curves;
  const runs = new Map(
    curves.runs.map((run) => [
      run.attempt,
      { ...run, steps: [...run.steps], evaluations: [...run.evaluations], log: [...run.log] },
    ]),
  );
  let lastId = curves.lastId;
  for (const entry of fresh) {
    lastId = Math.max(lastId, entry.id);
    const run = runs.get(entry.attempt) ?? begin(entry.attempt);
    runs.set(entry.attempt, run);
    take(run, entry);
  }
  return { lastId, runs: [...runs.values()].sort((one, other) => one.attempt - other.attempt) };
}

function take(run: Run, entry: Entry): void {
  run.lastAt = entry.at;
  switch (entry.kind) {
    case "begun": {
      const { totalSteps, totalTokens, train, heldOut, parameters, every } = entry;
      run.begun = { totalSteps, totalTokens, train, heldOut, parameters, every };
      break;
    }
    case "resumed":
      // Steps after the checkpoint are told again.
      cutAfter(run.steps, entry.step);
      cutAfter(run.evaluations, entry.step);
      break;
    case "step": {
      const { id: _, attempt: __, kind: ___, ...step } = entry;
      cutAfter(run.steps, entry.step - 1);
      run.steps.push(step);
      break;
    }
    case "evaluated":
      cutAfter(run.evaluations, entry.step - 1);
      run.evaluations.push({ step: entry.step, loss: entry.loss });
      break;
    case "log":
      run.log.push({ id: entry.id, at: entry.at, text: entry.text });
      if (run.log.length > LOG_LINES) {
        run.logCut += run.log.length - LOG_LINES;
        run.log.splice(0, run.log.length - LOG_LINES);
      }
      break;
    default:
    // A kind of a newer gateway.
  }
}

/** Removes what comes after a step; the steps stand in order. */
function cutAfter(list: { step: number }[], step: number): void {
  let end = list.length;
  while (end > 0 && (list[end - 1]?.step ?? 0) > step) end -= 1;
  list.length = end;
}

/** Milliseconds until training ends: the worker's estimate, less what has passed since. Null when unknown. */
export function timeLeft(run: Run, now: number): number | null {
  const last = run.steps.at(-1);
  if (!last || !Number.isFinite(last.eta)) return null;
  return Math.max(0, last.eta * 1000 - Math.max(0, now - last.at));
}

/** How fast a training was and how much memory it took at most, by the middle of its steps. */
export function speed(run: Run): { tokensPerSecond: number; memory: number | null } | null {
  const rates = run.steps.map(({ tokensPerSecond }) => tokensPerSecond).sort((one, other) => one - other);
  const middle = rates[Math.floor(rates.length / 2)];
  if (middle === undefined || !(middle > 0)) return null;
  let memory: number | null = null;
  for (const step of run.steps) {
    if (step.memory !== null && step.memory !== undefined) memory = Math.max(memory ?? 0, step.memory);
  }
  return { tokensPerSecond: middle, memory };
}

/** At most `most` of a list, evenly, the last one always. */
export function thin<T>(list: readonly T[], most: number): T[] {
  if (list.length <= most) return [...list];
  const every = (list.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, n) => list[Math.round(n * every)] as T);
}
