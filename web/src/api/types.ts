// What the gateway answers, as gateway/src/api/ describes it. Amounts and points are decimal strings, accounts
// SS58, hashes lower-case hexadecimal, content ids textual CIDs, times milliseconds since 1970.

export interface List<T> {
  items: T[];
  next: string | null;
}

/** When something happened. */
export interface Moment {
  /** The block's number. */
  block: number;
  /** The block's time. */
  time: number;
  /** The transaction's hash; null for what a block does by itself. */
  extrinsic: string | null;
}

/** Most files and bytes of a UTC day. */
export interface Limits {
  /** Files. */
  files: number;
  /** Bytes. */
  bytes: number;
}

/** How many submissions are in each state. */
export interface Counts {
  /** Waiting for a verdict. */
  pending: number;
  /** Accepted. */
  accepted: number;
  /** Refused. */
  rejected: number;
  /** Taken back by their contributors. */
  withdrawn: number;
}

/** A reward pool, as it was when last touched. */
export interface Pool {
  /** Plancks ever paid in. */
  totalIn: string;
  /** Plancks ever paid out. */
  claimed: string;
  /** Plancks released to points and not yet paid out. */
  owed: string;
  /** Plancks not yet released. */
  available: string;
  /** Most plancks released for one period. */
  perPeriod: string;
  /** Most plancks for one point. */
  maxPerPoint: string;
  /** The period that `points` were earned in. */
  period: number;
  /** Points earned in it so far. */
  points: string;
}

/** A Datanet. */
export interface Datanet {
  /** Its number. */
  id: number;
  /** Who created it. */
  owner: string;
  /** Its name. */
  name: string;
  /** `text`, `image` or `audio`. */
  modality: string;
  /** What a unit is, in words. */
  unit: string;
  /** Formats that it takes, as file name extensions. */
  formats: string[];
  /** Least units of an accepted file. */
  minUnits: number;
  /** Most units of a file that earn points. */
  maxUnits: number;
  /** What all contributors together may submit in one UTC day. */
  dailyLimit: Limits | null;
  /** When it was created. */
  created: Moment;
  /** Who decides on its submissions. */
  curators: string[];
  /** How many of them must agree. */
  threshold: number;
  /** Submissions by state. */
  counts: Counts;
  /** Accounts that submitted. */
  contributors: number;
  /** Leaves of the current version: accepted files. */
  leaves: number;
  /** Units accepted in all. */
  units: string;
  /** Its reward pool, from its first acceptance or funding on. */
  pool: Pool | null;
}

/** A file that was submitted. */
export interface Submission {
  /** Its number. */
  id: number;
  /** The Datanet. */
  datanet: number;
  /** Who gave it. */
  contributor: string;
  /** sha2-256 of its flat bytes. */
  sha256: string;
  /** The file on IPFS. */
  content: string;
  /** Its size in bytes. */
  size: number;
  /** Its format, as a file name extension. */
  media: string;
  /** `pending`, `accepted`, `rejected` or `withdrawn`. */
  state: string;
  /** When it was submitted. */
  submitted: Moment;
  /** When it was decided or taken back. */
  decided: Moment | null;
  /** Why it was refused. */
  reason: string | null;
  /** Its quality, 1 to 100. */
  score: number | null;
  /** Units measured. */
  units: number | null;
  /** Points that it earned. */
  points: string | null;
  /** Position of its leaf in the Datanet. */
  leaf: number | null;
  /** Root over its canonical text; null where it has none. */
  textRoot: string | null;
  /** The extractor that measured it. */
  extractor: number | null;
}

/** A curator's vote. */
export interface Vote {
  /** Who voted. */
  curator: string;
  /** Whether to accept. */
  accept: boolean;
  /** Why not. */
  reason: string | null;
  /** Quality, 1 to 100. */
  score: number | null;
  /** Units measured. */
  units: number | null;
  /** Root over the canonical text. */
  textRoot: string | null;
  /** The extractor that measured. */
  extractor: number | null;
  /** Whether it took the place of an earlier vote of the same curator. */
  replaced: boolean;
  /** When. */
  at: Moment;
}

/** A submission with its whole history. */
export interface SubmissionDetail extends Submission {
  /** The Datanet's name. */
  datanetName: string;
  /** Votes in order, replaced ones too. */
  votes: Vote[];
  /** Everything that happened to it, in order. */
  history: Event[];
}

/** A line of a leaderboard. */
export interface BoardEntry {
  /** Its place, from 1. */
  rank: number;
  /** Who. */
  account: string;
  /** Points. */
  points: string;
  /** Acceptance number that brought the last points; of equal points the earlier ranks first. */
  sequence: number;
  /** Files of this board that earned points. */
  files: number;
  /** All submissions of the account in this Datanet, for information: refusals cost no points. */
  counts: Counts;
}

/** A reward period that has ended with points. */
export interface Period {
  /** Its number. */
  period: number;
  /** Points earned in it. */
  points: string;
  /** Plancks a point. */
  rate: string;
  /** When the chain closed it. */
  closed: Moment;
}

/** Something that happened on the chain. */
export interface Event {
  /** `<block>-<index>`, in the order of the chain. */
  id: string;
  /** `Pallet.Event`. */
  kind: string;
  /** The block's number. */
  block: number;
  /** The block's time. */
  time: number;
  /** The transaction's hash; null for what a block does by itself. */
  extrinsic: string | null;
  /** What the event says. */
  fields: Record<string, unknown>;
}

/** A Datanet at a version. */
export interface Dataset {
  /** The Datanet. */
  datanet: number;
  /** How many leaves it had. */
  leaves: number;
  /** Its root then. */
  root: string;
}

/** What a worker posted. */
export interface Outcome {
  /** The adapter on IPFS. */
  content: string;
  /** sha2-256 of its bytes. */
  sha256: string;
  /** Its size in bytes. */
  size: number;
  /** Held-out loss before training, nats a token. */
  evalLossBefore: number;
  /** Held-out loss with the adapter, nats a token. */
  evalLossAfter: number;
  /** Tokens trained on. */
  tokens: number;
  /** One hash for all that was trained on. */
  datasetRoot: string;
}

/** A job's settings, in the chain's integers. */
export interface Spec {
  /** `lora` or `qlora`. */
  method: string;
  /** Rank of the adapter. */
  loraR: number;
  /** Updates are scaled by alpha ÷ rank. */
  loraAlpha: number;
  /** Dropout before the adapter, 1/10,000. */
  loraDropoutBp: number;
  /** Which layers get an adapter: bits; 0 is the family's default. */
  targetModules: number;
  /** Peak learning rate, 10⁻⁹. */
  learningRateNano: number;
  /** `linear`, `cosine` or `constant`. */
  schedule: string;
  /** Share of the steps spent warming up, 1/10,000. */
  warmupRatioBp: number;
  /** Examples a step and device. */
  perDeviceTrainBatchSize: number;
  /** Steps before the weights move. */
  gradientAccumulationSteps: number;
  /** Passes over the examples. */
  numTrainEpochs: number;
  /** Longest example in tokens. */
  maxSeqLength: number;
  /** Weight decay, 10⁻⁶. */
  weightDecayMicro: number;
  /** Largest gradient norm, 10⁻³; 0 for any. */
  maxGradNormMilli: number;
  /** Seed, as a decimal string: it may be larger than what a browser's number holds. */
  seed: string;
  /** Share of the examples held out, 1/10,000. */
  evalFractionBp: number;
}

/** A training job. */
export interface Job {
  /** Its number. */
  id: number;
  /** Who pays. */
  owner: string;
  /** The base model. */
  base: number;
  /** The base model's family. */
  family: string;
  /** The adapter that is trained further, if it is not a fresh one. */
  parent: number | null;
  /** On what. */
  datasets: Dataset[];
  /** How. */
  spec: Spec;
  /** Most tokens the price covers. */
  tokenCeiling: number;
  /** Most plancks its owner pays. */
  budget: string;
  /** Block after which it fails. */
  deadline: number;
  /** Workers that gave it up. */
  attempts: number;
  /** `queued`, `assigned`, `training`, `submitted`, `completed`, `failed` or `cancelled`. */
  state: string;
  /** Why it failed. */
  failure: string | null;
  /** Who works on it. */
  worker: string | null;
  /** What the worker is paid, plancks. */
  price: string | null;
  /** Optimiser steps done, as the worker last said. */
  step: number | null;
  /** Optimiser steps in all. */
  totalSteps: number | null;
  /** Block of the next deadline of its state. */
  due: number | null;
  /** What was posted. */
  result: Outcome | null;
  /** When it was created. */
  created: Moment;
  /** When it last changed. */
  updated: Moment;
}

/** A job with everything that happened to it. */
export interface JobDetail extends Job {
  /** Everything that happened to it, in order. */
  timeline: Event[];
}

/** An adapter. */
export interface Adapter extends Outcome {
  /** Its number, which is its job's. */
  id: number;
  /** Who paid for it. */
  owner: string;
  /** Who trained it. */
  worker: string;
  /** The base model. */
  base: number;
  /** The adapter that was trained further. */
  parent: number | null;
  /** On what. */
  datasets: Dataset[];
  /** When it was registered. */
  registered: Moment;
}

/** A base model. */
export interface BaseModel {
  /** Its number. */
  id: number;
  /** Who registered it. */
  registrar: string;
  /** Its architecture. */
  family: string;
  /** Its name. */
  name: string;
  /** Its licence. */
  licence: string;
  /** The weights on IPFS. */
  weights: string;
  /** sha2-256 of the weights. */
  weightsSha256: string;
  /** Size of the weights in bytes. */
  weightsSize: number;
  /** The tokenizer, if the weights' file does not hold it. */
  tokenizer: string | null;
  /** The configuration, if the weights' file does not hold it. */
  config: string | null;
  /** When it was registered. */
  registered: Moment;
}

/** A family with a method. */
export interface Kind {
  /** The base model's family. */
  family: string;
  /** `lora` or `qlora`. */
  method: string;
}

/** A worker. */
export interface Worker {
  /** Who. */
  account: string;
  /** Whether it is registered; a worker that left stays listed. */
  registered: boolean;
  /** What it can train. */
  kinds: Kind[];
  /** Plancks a token. */
  pricePerToken: string;
  /** Plancks at stake. */
  bond: string;
  /** Where it says that it serves. Anyone can write this: do not fetch it. */
  endpoint: string;
  /** The job it has. */
  job: number | null;
  /** Whether it takes no further jobs. */
  paused: boolean;
  /** Jobs that it completed. */
  completed: number;
  /** Jobs that it let time out. */
  timedOut: number;
  /** Plancks that it was paid. */
  earned: string;
}

/** The chain's money. */
export interface Token {
  /** Its name. */
  symbol: string;
  /** Decimals. */
  decimals: number;
}

/** What may be submitted. */
export interface ChainLimits {
  /** Files of an account in one UTC day. */
  quotaFiles: number;
  /** Bytes of an account in one UTC day. */
  quotaBytes: number;
  /** Files of one transaction. */
  filesPerCall: number;
}

/** What a client of this gateway has to know first. */
export interface Config {
  /** The chain's name. */
  chain: string;
  /** The hash of its first block. */
  genesisHash: string;
  /** The runtime's version. */
  specVersion: number;
  /** The network number in the text form of accounts. */
  ss58Prefix: number;
  /** Its money. */
  token: Token;
  /** Whether everybody knows its keys. */
  development: boolean;
  /** Whether newcomers are given OPEN here. */
  faucet: boolean;
  /** Whether one can chat with models here. */
  chat: boolean;
  /** Where the node's JSON-RPC answers, by WebSocket. */
  rpc: string;
  /** What may be submitted. */
  limits: ChainLimits;
  /** The gateway's version. */
  gatewayVersion: string;
}

/** How far node and index are. */
export interface Status {
  /** The node's best block; null where the node does not answer. */
  best: number | null;
  /** The last block that the node says is final. */
  finalised: number;
  /** The last block that is indexed; null before the first. */
  indexed: number | null;
  /** Time of the last indexed block. */
  time: number | null;
  /** Peers of the node; null where it does not answer. */
  peers: number | null;
  /** Whether blocks are final that are not indexed yet. */
  syncing: boolean;
  /** Why indexing ended for good, if it did: what is shown is the past. */
  stopped: string | null;
}

/** The network as it is now. */
export interface Network {
  /** Validators of this session. */
  validators: string[];
  /** The best block. */
  best: number;
  /** The last final block. */
  finalised: number;
  /** Peers of the node. */
  peers: number;
  /** All OPEN, in plancks. */
  issuance: string;
  /** The current reward period. */
  period: number;
  /** First block of the next. */
  nextPeriodAt: number;
  /** What happened lately, newest first. */
  recent: Event[];
}

/** What is held on an account, for what. */
export interface Hold {
  /** `pallet.reason`. */
  reason: string;
  /** Plancks. */
  amount: string;
}

/** A contributor's registration. */
export interface Contributor {
  /** Who paid the hold. */
  depositor: string;
  /** Plancks held on the depositor. */
  hold: string;
  /** Time of the last submission. */
  lastSubmission: number | null;
  /** Files waiting for a verdict. */
  pending: number;
}

/** An account's quota today. */
export interface Quota {
  /** What was submitted today. */
  used: Limits;
  /** What may be submitted in a day. */
  limits: Limits;
  /** When the next UTC day begins. */
  resetsAt: number;
}

/** What an account does. */
export interface Roles {
  /** Datanets that it curates, at most 100. */
  curatorOf: number[];
  /** Datanets that it owns, at most 100. */
  ownerOf: number[];
  /** Its record as worker. */
  worker: Worker | null;
}

/** An account as it is now. */
export interface Account {
  /** The account. */
  account: string;
  /** Plancks that it can spend, down to the existential deposit. */
  balance: string;
  /** Plancks held on it. */
  held: string;
  /** What for. */
  holds: Hold[];
  /** Transactions that it sent. */
  nonce: number;
  /** Its registration as contributor. */
  contributor: Contributor | null;
  /** Its quota. */
  quota: Quota;
  /** What it does. */
  roles: Roles;
}

/** An account's rewards in one Datanet. */
export interface Reward {
  /** The Datanet. */
  datanet: number;
  /** Its name. */
  datanetName: string;
  /** The account's line on the board of all time; rank 0 before its first points. */
  entry: BoardEntry;
  /** Plancks that a claim would bring now. */
  claimable: string;
  /** Plancks claimed so far. */
  claimed: string;
  /** The Datanet's last ended period, with its rate. */
  lastPeriod: Period | null;
}

/** Why an account has its points: file by file. */
export interface Reasons {
  /** The Datanet. */
  datanet: number;
  /** Units of a file above this number earn nothing: points are score × min(units, maxUnits). */
  maxUnits: number;
  /** Accepted files in order of acceptance. */
  items: Submission[];
  /** Where the next page begins. */
  next: string | null;
}

/** What a contributor gave to an adapter. */
export interface ContributorShare {
  /** Who. */
  contributor: string;
  /** Files. */
  files: number;
  /** Units of them. */
  units: number;
  /** Parts of `parts`. */
  share: number;
}

/** A file with its share. */
export interface FileShare extends Submission {
  /** Parts of `parts`. */
  share: number;
}

/** Whose files made an adapter, by units. */
export interface Attribution {
  /** The adapter. */
  adapter: number;
  /** What all shares add up to. */
  parts: number;
  /** Files in all. */
  files: number;
  /** Contributors in all. */
  contributors: number;
  /** Contributors by share, at most 1,000. */
  shares: ContributorShare[];
  /** A page of the files, in the order in which they were trained on. */
  items: FileShare[];
  /** Where the next page begins. */
  next: string | null;
}

/** A block. */
export interface FoundBlock {
  /** Its number. */
  number: number;
  /** Its hash. */
  hash: string;
  /** Its time. */
  time: number;
}

/** What the text may mean; at most ten of each. */
export interface Found {
  /** The account, if it is one. */
  account: string | null;
  /** Datanets by number or name. */
  datanets: Datanet[];
  /** Submissions by number, sha256 or content id. */
  submissions: Submission[];
  /** The job of that number. */
  job: Job | null;
  /** The block of that number or hash. */
  block: FoundBlock | null;
}
