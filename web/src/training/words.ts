// States and settings of jobs in words, everywhere the same.

import type { BaseModel, Dataset, Event, Job } from "@/api/types";
import type { Tone } from "@/components/ui/Badge";

export const states: readonly { state: string; label: string; tone: Tone; means: string }[] = [
  { state: "queued", label: "queued", tone: "neutral", means: "It waits for a worker; its budget is held." },
  {
    state: "assigned",
    label: "assigned",
    tone: "info",
    means: "A worker was chosen; it fetches what it needs, then begins or declines.",
  },
  { state: "training", label: "training", tone: "accent", means: "A worker trains the adapter." },
  {
    state: "submitted",
    label: "in its window",
    tone: "info",
    means: "The adapter is there; the worker is paid when the window has passed.",
  },
  {
    state: "disputed",
    label: "in dispute",
    tone: "warn",
    means: "Somebody disputes the adapter. Three workers look at it; the payment waits.",
  },
  {
    state: "completed",
    label: "completed",
    tone: "good",
    means: "The worker is paid and the adapter registered.",
  },
  {
    state: "failed",
    label: "failed",
    tone: "bad",
    means: "It ended without an adapter; the budget was given back.",
  },
  {
    state: "cancelled",
    label: "cancelled",
    tone: "neutral",
    means: "Its owner called it off; what the worker had not earned was given back.",
  },
];

const unknown = { label: "unknown", tone: "neutral" as Tone, means: "This app is older than the chain." };

export function stateOf(state: string) {
  return states.find((each) => each.state === state) ?? { ...unknown, state };
}

/** Whether anything will still happen to a job. */
export function isOver(job: Pick<Job, "state">): boolean {
  return ["completed", "failed", "cancelled"].includes(job.state);
}

/** Whether its owner can still call it off. */
export function isCancellable(job: Pick<Job, "state">): boolean {
  return ["queued", "assigned", "training"].includes(job.state);
}

const failures: Record<string, string> = {
  deadline: "Its deadline passed, or no worker could keep it any more.",
  attempts: "Too many workers gave it up.",
  unusable: "Several workers found the same fault on its owner's side.",
  declined: "Too many workers declined it.",
  refuted: "Workers drawn in a dispute found its result wrong.",
};

const declined: Record<string, string> = {
  "base-unavailable": "the base model's files cannot be had",
  "files-unavailable": "a file of the Datanets cannot be had",
  "parent-unavailable": "the adapter to train further cannot be had",
  unusable: "what was fetched is not what the job or the chain says",
  memory: "it needs more memory than the worker has",
  disk: "it needs more disk than the worker has",
  other: "the worker cannot do it now",
  untrainable: "its data, settings and ceiling leave no step to train or nothing to hold out",
};

/** Why a worker will not be given a job again. */
export function refusalWords(reason: string | null): string {
  return reason === null ? "let its time pass" : `declined: ${declined[reason] ?? reason}`;
}

export function failureWords(failure: string): string {
  return failures[failure] ?? failure;
}

export function methodName(method: string): string {
  return method === "qlora" ? "QLoRA" : method === "lora" ? "LoRA" : method;
}

const families: Record<string, string> = {
  llama: "LLaMA",
  mistral: "Mistral",
  qwen: "Qwen",
  deepseek: "DeepSeek",
  gpt2: "GPT-2",
  bloom: "BLOOM",
  chatglm: "ChatGLM",
};

export function familyName(family: string): string {
  return families[family] ?? family;
}

export function modelName(models: readonly BaseModel[] | undefined, id: number): string {
  return models?.find((model) => model.id === id)?.name ?? `base model ${id}`;
}

export function datasetWords(
  datasets: readonly Dataset[],
  nameOf: (datanet: number) => string | undefined,
): string {
  return datasets
    .map(({ datanet, leaves, leftOut }) => {
      const files = leftOut > 0 ? `${leaves}, ${leftOut} left out` : String(leaves);
      return `${nameOf(datanet) ?? `Datanet ${datanet}`} (${files})`;
    })
    .join(", ");
}

const moments: Record<string, string> = {
  JobCreated: "Queued; the budget is held",
  ParentNamed: "Trains an adapter further",
  JobAssigned: "Given to a worker; its price is fixed",
  JobTaken: "The worker began",
  JobProgressed: "Sign of life",
  ResultSubmitted: "The adapter was posted",
  JobCompleted: "The worker was paid, the adapter registered",
  JobTimedOut: "The worker let its time pass and lost a penalty",
  JobRequeued: "Queued again",
  JobFailed: "Ended without an adapter; the budget was given back",
  JobCancelled: "Called off by its owner; the rest of the budget was given back",
  JobDelayed: "Could not be settled now; it is tried again",
  JobDeclined: "A worker gave it back",
  JobPriceRaised: "Its owner offers more",
  JobDeadlineExtended: "Its owner gave it more time",
  WorkPaid: "The worker was paid for what it had shown",
  DepositForfeited: "Its owner lost the deposit",
  JobPruned: "No longer on record; the deposit was given back",
  JobDisputed: "Its result is disputed; the payment waits",
  VerifiersDrawn: "Workers were drawn to look at the result",
  FindingCommitted: "One of them sealed a finding",
  FindingRevealed: "One of them showed its finding",
  VerifierPaid: "One of them was paid for its finding",
  DisputeSettled: "The dispute ended",
};

/** Topics of the stream by which lists of jobs are kept up to date. */
export const jobTopics: readonly string[] = [
  ...["JobCreated", "JobAssigned", "JobTaken", "ResultSubmitted", "JobCompleted", "JobTimedOut"],
  ...["JobRequeued", "JobFailed", "JobCancelled", "JobDeclined", "JobPriceRaised"],
  ...["JobDeadlineExtended", "JobPruned", "JobDisputed", "DisputeSettled"],
].map((name) => `kind:Training.${name}`);

export interface TimelineEntry {
  event: Event;
  text: string;
  /** Signs of life in a row, of which this is the last. */
  repeated: number;
}

/** A job's events in words; signs of life in a row are one line. */
export function timeline(events: readonly Event[]): TimelineEntry[] {
  const lines: TimelineEntry[] = [];
  for (const event of events) {
    const name = event.kind.split(".").at(-1) ?? event.kind;
    const last = lines.at(-1);
    if (name === "JobProgressed" && last?.event.kind === event.kind) {
      last.event = event;
      last.repeated += 1;
      continue;
    }
    lines.push({ event, text: moments[name] ?? event.kind, repeated: 1 });
  }
  return lines;
}
