import { useQuery } from "@tanstack/react-query";
import { request } from "@/api/request";
import type { Dataset, Job, List, Preview, Spec, Submission } from "@/api/types";
import type { Api } from "@/chain/client";
import type { TransactionResult } from "@/chain/transactions";
import { formatOpen, parseOpen } from "@/lib/format";
import { ProblemError } from "@/lib/problem";
import { settledByParent } from "@/training/commands";
import { bytesOf, countTokens, noSample, type Sample } from "@/training/estimate";
import { examplesOf } from "@/training/examples";
import { gather, type MetricsAnswer, noCurves, speed } from "@/training/metrics";
import { readVersion, revokedWithin } from "@/training/queries";
import { defaults, type NumberSetting, parse, seedProblem, settings, written } from "@/training/settings";

/** Blocks an hour. */
const BLOCKS_AN_HOUR = 1200;
export const MOST_DATANETS = 8;

/** What is being put together, as it was typed. */
export interface Draft {
  base: number | null;
  /** The adapter that is trained further. */
  parent: number | null;
  datasets: readonly Dataset[];
  method: string;
  schedule: string;
  targetModules: number;
  texts: Record<NumberSetting, string>;
  seed: string;
  /** Null as long as it follows the estimate. */
  ceiling: string | null;
  budget: string | null;
  hours: string;
}

export function textsOf(spec: Spec): Record<NumberSetting, string> {
  return Object.fromEntries(
    settings.map((setting) => [setting.field, written(setting, spec[setting.field])]),
  ) as Record<NumberSetting, string>;
}

export function draftOf(spec: Spec): Draft {
  return {
    ...{ base: null, parent: null, datasets: [], ceiling: null, budget: null, hours: "2" },
    ...settingsOf(spec),
  };
}

/** A draft's part that settings make. */
export function settingsOf(
  spec: Spec,
): Pick<Draft, "method" | "schedule" | "targetModules" | "texts" | "seed"> {
  const { method, schedule, targetModules, seed } = spec;
  return { method, schedule, targetModules, seed, texts: textsOf(spec) };
}

export const emptyDraft = draftOf(defaults);

export interface Checked {
  spec: Spec;
  /** What is wrong, by field. */
  errors: Partial<Record<NumberSetting | "seed", string>>;
}

/** Reads the settings; a field that cannot be read counts as its default, so that estimates go on. */
export function check(draft: Draft): Checked {
  const spec: Spec = {
    ...defaults,
    method: draft.method,
    schedule: draft.schedule,
    targetModules: draft.targetModules,
  };
  const errors: Checked["errors"] = {};
  for (const setting of settings) {
    const read = parse(setting, draft.texts[setting.field]);
    if (read.error === undefined) spec[setting.field] = read.value;
    else errors[setting.field] = read.error;
  }
  const wrong = seedProblem(draft.seed);
  if (wrong) errors.seed = wrong;
  else spec.seed = BigInt(draft.seed).toString();
  return { spec, errors };
}

/** A number of tokens, or what is wrong with it. */
export function readCeiling(text: string): { value: number } | { error: string } {
  const digits = text.replace(/[,\s]/g, "");
  const value = Number(digits);
  if (!/^\d+$/.test(digits) || value < 1) return { error: "Write a whole number of tokens, 1 or more" };
  if (!Number.isSafeInteger(value)) return { error: "No training has that many tokens" };
  return { value };
}

/** A budget in plancks, or what is wrong with it. */
export function readBudget(text: string, minimum: bigint | undefined): { value: bigint } | { error: string } {
  const value = parseOpen(text);
  if (value === null) return { error: "Write an amount of OPEN, such as 2.5" };
  if (minimum !== undefined && value < minimum)
    return { error: `The least budget is ${formatOpen(minimum)} OPEN` };
  return { value };
}

/** Hours until the deadline as blocks, or what is wrong with them. */
export function readDeadline(
  text: string,
  mostBlocks: number | undefined,
): { value: number } | { error: string } {
  const hours = Number(text);
  const value = Math.round(hours * BLOCKS_AN_HOUR);
  if (text.trim() === "" || !Number.isFinite(hours) || value < 1) return { error: "Write a number of hours" };
  // A few blocks pass until it is signed.
  if (mostBlocks !== undefined && value > mostBlocks - 20)
    return { error: `A job lasts ${mostBlocks / BLOCKS_AN_HOUR} hours at most` };
  return { value };
}

/** What stays of a parent's settings whatever else is chosen. */
export function keepSettled(spec: Spec, parent: Spec): Spec {
  const kept = { ...spec };
  for (const field of settledByParent) Object.assign(kept, { [field]: parent[field] });
  return kept;
}

/** Plancks a token of a sum for the whole ceiling; rounded up, since down it could be less than the chain takes. */
export function pricePerToken(budget: bigint, ceiling: number): bigint {
  const tokens = BigInt(ceiling);
  return (budget + tokens - 1n) / tokens;
}

/** What is held, and paid when the adapter is there: the price of every token of the ceiling. */
export function held(budget: bigint, ceiling: number): bigint {
  return pricePerToken(budget, ceiling) * BigInt(ceiling);
}

const variant = (name: string) => `${name[0]?.toUpperCase()}${name.slice(1)}`;

interface Order {
  base: number;
  parent: number | null;
  datasets: readonly Dataset[];
  spec: Spec;
  ceiling: number;
  budget: bigint;
  deadline: number;
}

type Call = Parameters<Api["tx"]["Training"]["create_job"]>[0];

/** The transaction's argument. */
export function callOf(order: Order): Call {
  const { spec } = order;
  return {
    base: order.base,
    datasets: order.datasets.map(({ datanet, leaves, root }) => ({
      datanet,
      version: { leaves: BigInt(leaves), root: root.startsWith("0x") ? root : `0x${root}` },
    })) as Call["datasets"],
    spec: {
      method: { type: variant(spec.method), value: undefined } as Call["spec"]["method"],
      lora_r: spec.loraR,
      lora_alpha: spec.loraAlpha,
      lora_dropout_bp: spec.loraDropoutBp,
      target_modules: spec.targetModules,
      learning_rate_nano: spec.learningRateNano,
      schedule: { type: variant(spec.schedule), value: undefined } as Call["spec"]["schedule"],
      warmup_ratio_bp: spec.warmupRatioBp,
      per_device_train_batch_size: spec.perDeviceTrainBatchSize,
      gradient_accumulation_steps: spec.gradientAccumulationSteps,
      num_train_epochs: spec.numTrainEpochs,
      max_seq_length: spec.maxSeqLength,
      weight_decay_micro: spec.weightDecayMicro,
      max_grad_norm_milli: spec.maxGradNormMilli,
      seed: BigInt(spec.seed),
      eval_fraction_bp: spec.evalFractionBp,
    },
    token_ceiling: BigInt(order.ceiling),
    price_per_token: pricePerToken(order.budget, order.ceiling),
    deadline: order.deadline,
  };
}

/** What tells one version from another, and from itself without what was revoked since. */
const keyOf = ({ datanet, leaves, leftOut }: Dataset) => `${datanet}@${leaves}-${leftOut}`;

/** Files that are looked at of each Datanet. */
const SAMPLED = 4;

/** What some files of each Datanet are like: whether they hold records, and how many. */
export function useSamples(datasets: readonly Dataset[]) {
  return useQuery({
    queryKey: ["samples", datasets.map(keyOf).join(",")],
    queryFn: ({ signal }) => Promise.all(datasets.map((dataset) => readSample(dataset, signal))),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

async function readSample({ datanet, leaves }: Dataset, signal: AbortSignal): Promise<Sample> {
  const { items } = await request<List<Submission>>(`/v1/datanets/${datanet}/submissions`, {
    signal,
    query: { state: "accepted", limit: 100 },
  });
  const within = items
    .filter(({ leaf, revoked }) => leaf !== null && leaf < leaves && !revoked)
    .slice(0, SAMPLED);
  let sample = noSample;
  for (const { sha256 } of within) {
    // A file that nobody gives now is not looked at.
    const preview = await request<Preview>(`/v1/previews/${sha256}`, { signal }).catch(() => null);
    if (preview?.text) sample = withText(sample, preview.text, preview.truncated, preview.media);
  }
  return sample;
}

/** A sample with one more text. */
export function withText(sample: Sample, text: string, truncated: boolean, media: string): Sample {
  const { kind, count, examples } = examplesOf(text, truncated, defaults.maxSeqLength, media);
  const bytes = bytesOf(text);
  const own = { tokens: countTokens(text), records: 0, recordBytes: 0 };
  if (kind !== "text") Object.assign(own, { records: count, recordBytes: bytes });
  if (kind === "records" && examples.length > 0) {
    // Of JSON its values are trained on, and of a preference the chosen answer.
    const trained = examples.flat().filter(({ role }) => role !== "rejected");
    const tokens = trained.reduce((sum, part) => sum + countTokens(part.text), 0);
    own.tokens = Math.ceil((tokens / examples.length) * count);
  }
  return {
    bytes: sample.bytes + bytes,
    tokens: sample.tokens + own.tokens,
    records: sample.records + own.records,
    recordBytes: sample.recordBytes + own.recordBytes,
  };
}

/** The number of the job that a transaction queued. */
export function createdJob(result: TransactionResult): number | null {
  for (const { type, value } of result.events) {
    if (type !== "Training" || value.type !== "JobCreated") continue;
    const { job } = value.value as { job: bigint };
    return Number(job);
  }
  return null;
}

/** The chain's limits of jobs. */
export function useLimits() {
  return useQuery({
    queryKey: ["limits of jobs"],
    queryFn: async () => {
      const { getChain } = await import("@/chain/client");
      const { Training } = getChain().api.constants;
      const [minimum, mostBlocks, deposit] = await Promise.all([
        Training.MinimumBudget(),
        Training.MaxJobBlocks(),
        Training.JobDeposit(),
      ]);
      return { minimum, mostBlocks, deposit };
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Leaves that are read of a version to add up its units. */
const MOST_LEAVES = 2000;
const PAGE = 100;

export interface Size {
  leaves: number;
  units: bigint;
  /** Not every file of the version was added up. */
  rough: boolean;
}

/** How much a job trains on of a Datanet at a version: the sum over its files that were not revoked, as the chain has them. */
export function useSizes(datasets: readonly Dataset[]) {
  const key = datasets.map(keyOf).join(",");
  return useQuery({
    queryKey: ["sizes of versions", key],
    queryFn: () => Promise.all(datasets.map(readSize)),
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: (before) => before,
  });
}

async function readSize({ datanet, leaves, leftOut }: Dataset): Promise<Size> {
  const { getChain } = await import("@/chain/client");
  const { DatanetsApi } = getChain().api.apis;
  const now = await DatanetsApi.datanet(datanet);
  if (leftOut === 0 && now?.version.leaves === BigInt(leaves)) {
    return { leaves, units: now.units, rough: false };
  }
  const revoked = new Set(leftOut > 0 ? await revokedWithin(datanet, leaves) : []);
  let units = 0n;
  let read = 0;
  while (read < Math.min(leaves, MOST_LEAVES)) {
    const page = await DatanetsApi.leaves(datanet, BigInt(read), Math.min(PAGE, leaves - read));
    if (page.length === 0) break;
    for (const { index, leaf } of page) if (!revoked.has(Number(index))) units += leaf.units;
    read += page.length;
  }
  if (read >= leaves || read === 0) return { leaves, units, rough: read < leaves };
  return { leaves, units: (units * BigInt(leaves)) / BigInt(read), rough: true };
}

/** The newest versions of a job's Datanets; those of which nothing may be trained on any more are left out. */
export async function newestVersions(job: Pick<Job, "datasets">): Promise<Dataset[]> {
  const read = ({ datanet }: Dataset) =>
    readVersion(datanet).catch((error) => {
      if (error instanceof ProblemError) return null;
      throw error;
    });
  const versions = await Promise.all(job.datasets.map(read));
  return versions.flatMap((version) => (version ? [version] : []));
}

export interface Measured {
  job: number;
  tokensPerSecond: number;
  memory: number | null;
  maxSeqLength: number;
}

/** How fast the last run of this kind was, as its worker reported. Null where none was reported. */
export function useMeasured(base: number | null, method: string) {
  return useQuery({
    queryKey: ["measured", base, method],
    queryFn: async ({ signal }): Promise<Measured | null> => {
      const { items } = await request<List<Job>>("/v1/jobs", {
        signal,
        query: { state: "completed", limit: 100 },
      });
      const alike = items
        .filter((job) => job.base === base && job.spec.method === method)
        .sort((one, other) => other.id - one.id);
      for (const job of alike.slice(0, 3)) {
        const told = await request<MetricsAnswer>(`/v1/jobs/${job.id}/metrics`, {
          signal,
          query: { limit: 1000 },
        });
        const run = gather(noCurves, told.items).runs.at(-1);
        const found = run && speed(run);
        if (found) return { job: job.id, maxSeqLength: job.spec.maxSeqLength, ...found };
      }
      return null;
    },
    enabled: base !== null,
    staleTime: 60_000,
  });
}
