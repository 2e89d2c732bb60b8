// What the gateway's index answers about training. Amounts are decimal strings of plancks.

export interface Moment {
  block: number;
  time: number;
  extrinsic: string | null;
}

export interface ChainEvent extends Moment {
  id: string;
  kind: string;
  fields: Record<string, unknown>;
}

export type Method = "lora" | "qlora";
export type Schedule = "linear" | "cosine" | "constant";

/** A job's settings, in the chain's integers. */
export interface Spec {
  method: Method;
  loraR: number;
  loraAlpha: number;
  loraDropoutBp: number;
  targetModules: number;
  learningRateNano: number;
  schedule: Schedule;
  warmupRatioBp: number;
  perDeviceTrainBatchSize: number;
  gradientAccumulationSteps: number;
  numTrainEpochs: number;
  maxSeqLength: number;
  weightDecayMicro: number;
  maxGradNormMilli: number;
  /** Decimal: it may be larger than what a number here holds. */
  seed: string;
  evalFractionBp: number;
}

/** A Datanet at a version. */
export interface Dataset {
  datanet: number;
  leaves: number;
  root: string;
}

interface Outcome {
  content: string;
  sha256: string;
  size: number;
  evalLossBefore: number;
  evalLossAfter: number;
  tokens: number;
  datasetRoot: string;
}

export type JobState =
  | "queued"
  | "assigned"
  | "training"
  | "submitted"
  | "completed"
  | "failed"
  | "cancelled";

export interface Job {
  id: number;
  owner: string;
  base: number;
  family: string;
  parent: number | null;
  datasets: Dataset[];
  spec: Spec;
  tokenCeiling: number;
  budget: string;
  deadline: number;
  attempts: number;
  state: JobState;
  failure: string | null;
  worker: string | null;
  price: string | null;
  step: number | null;
  totalSteps: number | null;
  due: number | null;
  result: Outcome | null;
  created: Moment;
  updated: Moment;
}

export interface JobDetail extends Job {
  timeline: ChainEvent[];
}

export interface Adapter extends Outcome {
  id: number;
  owner: string;
  worker: string;
  base: number;
  parent: number | null;
  datasets: Dataset[];
  registered: Moment;
}

export interface BaseModel {
  id: number;
  registrar: string;
  family: string;
  name: string;
  licence: string;
  weights: string;
  weightsSha256: string;
  weightsSize: number;
  tokenizer: string | null;
  config: string | null;
  registered: Moment;
}

export interface Worker {
  account: string;
  registered: boolean;
  kinds: { family: string; method: string }[];
  pricePerToken: string;
  bond: string;
  /** Text that anyone can write: shown, never fetched. */
  endpoint: string;
  job: number | null;
  paused: boolean;
  completed: number;
  timedOut: number;
  earned: string;
}

/** What training needs to know of a Datanet. */
export interface Datanet {
  id: number;
  name: string;
  modality: string;
  unit: string;
  leaves: number;
  units: string;
}
