// Names for what the gateway answers. schema.d.ts is made from the gateway's own description
// (gateway/openapi.json) by `npm run api`; nothing is declared twice.

import type { components } from "./schema";

type Schemas = components["schemas"];

/** A page of a list. */
export interface List<T> {
  items: T[];
  next: string | null;
}

export type Account = Schemas["Account"];
export type Adapter = Schemas["Adapter"];
export type Attribution = Schemas["Attribution"];
export type BaseModel = Schemas["BaseModel"];
export type BlobState = Schemas["BlobState"];
export type BoardEntry = Schemas["BoardEntry"];
export type ChainLimits = Schemas["ChainLimits"];
export type Challenge = Schemas["Challenge"];
export type Consulted = Schemas["Consulted"];
export type Config = Schemas["Config"];
export type Contributor = Schemas["Contributor"];
export type ContributorShare = Schemas["ContributorShare"];
export type Counts = Schemas["Counts"];
export type Datanet = Schemas["Datanet"];
export type Dataset = Schemas["Dataset"];
export type Dispute = Schemas["Dispute"];
export type Draft = Schemas["Draft"];
export type Draw = Schemas["Draw"];
export type DrawDetail = Schemas["DrawDetail"];
export type DrawFile = Schemas["DrawFile"];
export type Event = Schemas["Event"];
export type FaucetAnswer = Schemas["FaucetAnswer"];
export type FileShare = Schemas["FileShare"];
export type Found = Schemas["Found"];
export type FoundBlock = Schemas["FoundBlock"];
export type GlobalEntry = Schemas["GlobalEntry"];
export type GlobalPeriod = Schemas["GlobalPeriod"];
export type Hold = Schemas["Hold"];
export type Instructions = Schemas["Instructions"];
export type InstructionsVersion = Schemas["InstructionsVersion"];
export type Job = Schemas["Job"];
export type JobDetail = Schemas["JobDetail"];
export type Kind = Schemas["Kind"];
export type Likest = Schemas["Likest"];
export type Limits = Schemas["Limits"];
export type ModelsAnswer = Schemas["ModelsAnswer"];
export type MetricsAnswer = Schemas["MetricsAnswer"];
export type Member = Schemas["Member"];
export type Moment = Schemas["Moment"];
export type NearestFile = Schemas["NearestFile"];
export type Network = Schemas["Network"];
export type Outcome = Schemas["Outcome"];
export type Period = Schemas["Period"];
export type Pool = Schemas["Pool"];
export type Preview = Schemas["Preview"];
export type Quota = Schemas["Quota"];
export type Reasons = Schemas["Reasons"];
export type Receipt = Schemas["Receipt"];
export type Remaining = Schemas["Remaining"];
export type Reviewer = Schemas["Reviewer"];
export type Reward = Schemas["Reward"];
export type Roles = Schemas["Roles"];
export type SeatHolding = Schemas["SeatHolding"];
export type SeatPool = Schemas["SeatPool"];
export type ServerModels = Schemas["ServerModels"];
export type SessionAnswer = Schemas["SessionAnswer"];
export type Settlement = Schemas["Settlement"];
export type Spec = Schemas["Spec"];
export type Status = Schemas["Status"];
export type Submission = Schemas["Submission"];
export type SubmissionDetail = Schemas["SubmissionDetail"];
export type Token = Schemas["Token"];
export type Verifier = Schemas["Verifier"];
export type Vote = Schemas["Vote"];
export type Word = Schemas["Word"];
export type Worker = Schemas["Worker"];
