// What a job will take, before anybody has counted. Only a worker's tokenizer knows the tokens; until then they
// are estimated from the canonical text of some files, or, where none can be read, from its bytes alone.

import type { BaseModel, Spec, Worker } from "@/api/types";

const BYTES_A_TOKEN = 4;
/** What a chat template puts around a conversation: marks, names, and often a system message. */
const TEMPLATE_TOKENS = 32;
/**
 * Bytes of an example in texts that nobody could look at. Short questions and answers need the most tokens for
 * their bytes, and a ceiling that is too low loses passes, so they are taken for such.
 */
const UNSEEN_EXAMPLE = 80;
/** Room for what the estimate got wrong. */
const SLACK = 1.25;

/** A Datanet at a version as estimates need it. */
export interface DataSize {
  leaves: number;
  /** Bytes of canonical text. */
  units: bigint;
  /** What some of its files are like, where they were looked at. */
  sample?: Sample | undefined;
}

/** Of the files that were looked at: bytes and tokens, and how much of them are examples of their own. */
export interface Sample {
  bytes: number;
  tokens: number;
  /** Records, and questions with answers. */
  records: number;
  /** Bytes of the files that hold them. */
  recordBytes: number;
}

export const noSample: Sample = { bytes: 0, tokens: 0, records: 0, recordBytes: 0 };

/** Of a Datanet: tokens of its texts, examples that stand in them, and the tokens that become windows. */
function partsOf({ units, sample }: DataSize): { tokens: number; records: number; text: number } {
  const bytes = Number(units);
  if (!sample || sample.bytes === 0) {
    return { tokens: estimateTokens(units), records: Math.ceil(bytes / UNSEEN_EXAMPLE), text: 0 };
  }
  const times = bytes / sample.bytes;
  const tokens = Math.ceil(times * sample.tokens);
  return {
    tokens,
    records: Math.round(times * sample.records),
    text: Math.ceil(tokens * (1 - sample.recordBytes / sample.bytes)),
  };
}

/** Tokens of texts by their bytes alone. */
export function estimateTokens(units: bigint): number {
  return Math.ceil(Number(units) / BYTES_A_TOKEN);
}

const utf8 = new TextEncoder();

/** Bytes of a text on chain. */
export function bytesOf(text: string): number {
  return utf8.encode(text).length;
}

/**
 * Tokens of a text by what tokenizers make of its parts: a usual word is one or two, digits and signs are one
 * each, letters of two bytes (Greek, Cyrillic, Arabic) make one for each, and of three bytes two for each.
 */
export function countTokens(text: string): number {
  let tokens = 0;
  for (const [part] of text.matchAll(/[A-Za-z]+|\p{L}+|[^\s\p{L}]|\n+/gu)) {
    const bytes = bytesOf(part);
    if (/^[A-Za-z]/.test(part)) tokens += Math.ceil(bytes / 7);
    else tokens += Math.ceil(bytes / (bytes >= 3 * part.length ? 1.5 : 2));
  }
  return tokens;
}

export interface Estimate {
  /** Tokens of the data, once. */
  tokens: number;
  examples: number;
  heldOut: number;
  steps: number;
  /** Tokens trained on in all passes. */
  trained: number;
  /** Of some Datanet no file could be looked at. */
  unseen: boolean;
}

/** Steps and tokens of a job. A text of n tokens gives n ÷ longest example windows, at least one. */
export function estimate(data: readonly DataSize[], spec: Spec): Estimate {
  let tokens = 0;
  let examples = 0;
  for (const size of data) {
    const parts = partsOf(size);
    tokens += parts.tokens + parts.records * TEMPLATE_TOKENS;
    examples += Math.max(size.leaves, parts.records + Math.ceil(parts.text / spec.maxSeqLength));
  }
  // The trainer holds back at least one example, and trains on at least one.
  const heldOut =
    examples > 1
      ? Math.min(examples - 1, Math.max(1, Math.round((examples * spec.evalFractionBp) / 10_000)))
      : 0;
  const train = examples - heldOut;
  const batch = spec.perDeviceTrainBatchSize * spec.gradientAccumulationSteps;
  const steps = Math.ceil(train / batch) * spec.numTrainEpochs;
  const trained = examples > 0 ? Math.ceil((tokens * train) / examples) * spec.numTrainEpochs : 0;
  const unseen = data.some(({ sample }) => !sample || sample.bytes === 0);
  return { tokens, examples, heldOut, steps, trained, unseen };
}

/** A ceiling that leaves room for the estimate's error, rounded up to two digits. */
export function suggestCeiling(trained: number): number {
  const wanted = Math.max(1000, trained * SLACK);
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(wanted)) - 1);
  return Math.ceil(wanted / unit) * unit;
}

/** Tokens of one step: a worker that may not use so many cannot begin. */
export function stepTokens({ trained, steps }: Estimate): number {
  return steps > 0 ? Math.ceil(trained / steps) : 0;
}

/** Whether a worker has opted in to a base model. */
function serves(worker: Worker, model: Pick<BaseModel, "id" | "weightsSize">): boolean {
  if (worker.models) return worker.models.includes(model.id);
  return typeof worker.maxModelBytes === "number" && model.weightsSize <= worker.maxModelBytes;
}

/** Workers that can train a base model now or later, the cheapest first. */
export function offers(
  workers: readonly Worker[],
  model: Pick<BaseModel, "id" | "family" | "weightsSize">,
  method: string,
): Worker[] {
  return workers
    .filter((worker) => worker.registered && !worker.paused)
    .filter((worker) => worker.kinds.some((kind) => kind.family === model.family && kind.method === method))
    .filter((worker) => serves(worker, model))
    .sort((one, other) => (BigInt(one.pricePerToken) < BigInt(other.pricePerToken) ? -1 : 1));
}

/** The least that a worker takes a job for: its floor a token times the ceiling. */
export function price(worker: Worker, ceiling: number): bigint {
  return BigInt(worker.pricePerToken) * BigInt(ceiling);
}
