import type { Job, Worker } from "@/api/types";
import { formatBytes } from "@/lib/format";

/** Jobs that wait for a worker of one kind. */
export interface Waiting {
  family: string;
  method: string;
  jobs: number;
  /** Workers that can train this kind, busy or not. */
  workers: number;
  /** Of them, those that have no job. */
  idle: number;
}

function offers(worker: Worker, family: string, method: string): boolean {
  return (
    worker.registered &&
    !worker.paused &&
    worker.kinds.some((kind) => kind.family === family && kind.method === method)
  );
}

/** The queues: every kind that a job waits for, or that fits a base model, the longest first. */
export function queues(
  jobs: readonly Job[],
  workers: readonly Worker[],
  families: readonly string[],
): Waiting[] {
  const kinds = new Map<string, { family: string; method: string }>();
  const add = (family: string, method: string) => kinds.set(`${family} ${method}`, { family, method });
  for (const job of jobs) add(job.family, job.spec.method);
  for (const family of families) for (const method of ["lora", "qlora"]) add(family, method);
  return [...kinds.values()]
    .map(({ family, method }) => {
      const able = workers.filter((worker) => offers(worker, family, method));
      return {
        family,
        method,
        jobs: jobs.filter((job) => job.family === family && job.spec.method === method).length,
        workers: able.length,
        idle: able.filter(({ job }) => job === null).length,
      };
    })
    .sort((one, other) => other.jobs - one.jobs || one.family.localeCompare(other.family));
}

/** Which base models a worker takes. */
export function servesInWords(
  { models, maxModelBytes }: Pick<Worker, "models" | "maxModelBytes">,
  nameOf: (base: number) => string,
): string {
  if (models?.length) return models.map(nameOf).join(", ");
  if (typeof maxModelBytes === "number") return `any model up to ${formatBytes(maxModelBytes)}`;
  return "no base model yet";
}

export function workerState(worker: Worker): { label: string; tone: "neutral" | "accent" | "good" | "warn" } {
  if (!worker.registered) return { label: "left", tone: "neutral" };
  if (worker.job !== null) return { label: "has a job", tone: "accent" };
  if (worker.paused) return { label: "paused", tone: "warn" };
  return { label: "idle", tone: "good" };
}
