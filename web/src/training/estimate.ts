// What a job will take, before anybody has counted. Only a worker's tokenizer knows the tokens; until then a
// text's bytes are divided by four, and everything that follows from it is an estimate.

import type { Spec, Worker } from "@/api/types";

const BYTES_A_TOKEN = 4;
/** What a chat template puts around a conversation: marks, names, and often a system message. */
const TEMPLATE_TOKENS = 32;
/** Room for what the division by four got wrong. */
const SLACK = 1.25;

/** A Datanet at a version as estimates need it. */
export interface DataSize {
  leaves: number;
  /** Bytes of canonical text. */
  units: bigint;
  /** What some of its files are like, where they were looked at. */
  sample?: Sample | undefined;
}

/** Of the files that were looked at: how much of them are records, which are examples of their own. */
export interface Sample {
  records: number;
  recordBytes: number;
  textBytes: number;
}

/** Examples that stand in the texts themselves, and the tokens that become windows. */
function partsOf({ units, sample }: DataSize): { records: number; text: number } {
  const looked = sample ? sample.recordBytes + sample.textBytes : 0;
  if (!sample || looked === 0) return { records: 0, text: estimateTokens(units) };
  const share = sample.recordBytes / looked;
  return {
    records: Math.round((Number(units) / looked) * sample.records),
    text: Math.ceil(estimateTokens(units) * (1 - share)),
  };
}

/** Tokens of texts by their bytes. */
export function estimateTokens(units: bigint): number {
  return Math.ceil(Number(units) / BYTES_A_TOKEN);
}

export interface Estimate {
  /** Tokens of the data, once. */
  tokens: number;
  examples: number;
  heldOut: number;
  steps: number;
  /** Tokens trained on in all passes. */
  trained: number;
}

/** Steps and tokens of a job. A text of n tokens gives n ÷ longest example windows, at least one. */
export function estimate(data: readonly DataSize[], spec: Spec): Estimate {
  let tokens = 0;
  let examples = 0;
  for (const size of data) {
    const { records, text } = partsOf(size);
    tokens += estimateTokens(size.units) + records * TEMPLATE_TOKENS;
    examples += Math.max(size.leaves, records + Math.ceil(text / spec.maxSeqLength));
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
  return { tokens, examples, heldOut, steps, trained };
}

/** A ceiling that leaves room for the estimate's error, rounded up to two digits. */
export function suggestCeiling(trained: number): number {
  const wanted = Math.max(1000, trained * SLACK);
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(wanted)) - 1);
  return Math.ceil(wanted / unit) * unit;
}

/** Workers that can train a kind now or later, the cheapest first. */
export function offers(workers: readonly Worker[], family: string, method: string): Worker[] {
  return workers
    .filter((worker) => worker.registered && !worker.paused)
    .filter((worker) => worker.kinds.some((kind) => kind.family === family && kind.method === method))
    .sort((one, other) => (BigInt(one.pricePerToken) < BigInt(other.pricePerToken) ? -1 : 1));
}

/** What a worker is paid: its price a token times the ceiling, whatever it uses of it. */
export function price(worker: Worker, ceiling: number): bigint {
  return BigInt(worker.pricePerToken) * BigInt(ceiling);
}
