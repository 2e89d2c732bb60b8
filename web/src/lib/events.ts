import type { Event } from "@/api/types";
import { formatCount, formatOpen, shorten } from "./format";

/** What an event says, in words; and the page of what it is about. */
export interface Said {
  text: string;
  href: string | null;
}

/** A field of an event, by its name. */
type Field = (name: string) => string;

const submission = (field: Field, words: string) =>
  `Submission ${field("submission")} ${words} Datanet ${field("datanet")}`;

const words: Readonly<Record<string, (field: Field, account: Field, open: Field) => string>> = {
  "Datanets.DatanetCreated": (field, account) => `${account("owner")} created Datanet ${field("datanet")}`,
  "Datanets.ContributorRegistered": (_, account) => `${account("contributor")} became a contributor`,
  "Datanets.ContributorDeregistered": (_, account) => `${account("contributor")} stopped contributing`,
  "Datanets.Submitted": (field) => submission(field, "was sent to"),
  "Datanets.Accepted": (field) => submission(field, "was accepted in"),
  "Datanets.Rejected": (field) => submission(field, "was refused in"),
  "Datanets.Withdrawn": (field) => submission(field, "was taken back from"),
  "Datanets.TextSet": (field) => `Datanet ${field("datanet")} describes itself anew`,
  "Datanets.StatusSet": (field) => `Datanet ${field("datanet")} is ${field("status")}`,
  "Datanets.Offered": (field) =>
    field("to")
      ? `Datanet ${field("datanet")} is offered to ${shorten(field("to"))}`
      : `Datanet ${field("datanet")} is offered to nobody any more`,
  "Datanets.OwnerChanged": (field, account) =>
    `Datanet ${field("datanet")} went from ${account("from")} to ${account("to")}`,
  "Review.PolicyAnnounced": (field) =>
    `Datanet ${field("datanet")} will have other curators from block ${field("from")} on`,
  "Review.PolicyKept": (field) => `Datanet ${field("datanet")} keeps its curators`,
  "Datanets.Precommitted": (field, account) =>
    `${account("contributor")} promised ${field("count") === "1" ? "a file" : `${field("count")} files`}`,
  "Datanets.Displaced": (field) => submission(field, "gave way to an older promise in"),
  "Datanets.Unavailable": (field) => submission(field, "could not be fetched in"),
  "Datanets.Expired": (field) => submission(field, "waited too long in"),
  "Datanets.RefusalCleared": (field) => submission(field, "may be submitted again to"),
  "Datanets.CapsSet": (field) => `Datanet ${field("datanet")} has other daily limits`,
  "Datanets.AdmissionSet": (field) => `Datanet ${field("datanet")} takes files of others now`,
  "Datanets.Invited": (field, account) =>
    field("invited") === "false"
      ? `${account("account")} is invited to Datanet ${field("datanet")} no longer`
      : `${account("account")} is invited to Datanet ${field("datanet")}`,
  "Datanets.EntriesCleared": (field) =>
    `Invitations and bars of the closed Datanet ${field("datanet")} were taken away (${field("count")})`,
  "Datanets.Barred": (field, account) =>
    `Datanet ${field("datanet")} takes no more files of ${account("account")} (${field("reason")})`,
  "Datanets.Unbarred": (field, account) =>
    `Datanet ${field("datanet")} takes files of ${account("account")} again`,
  "Datanets.SponsorshipEnded": (_, account) =>
    `${account("depositor")} sponsors ${account("contributor")} no longer`,
  "Datanets.LeafRevoked": (field) => submission(field, "was revoked in"),
  "Review.VoteRefused": (field, account) =>
    `A vote of ${account("curator")} on submission ${field("submission")} was refused`,
  "Review.CuratorResigned": (field, account) =>
    `${account("curator")} decides on Datanet ${field("datanet")} no longer`,
  "Review.PolicySet": (field) => `Datanet ${field("datanet")} has other curators`,
  "Review.Voted": (field, account) => `${account("curator")} voted on submission ${field("submission")}`,
  "Review.Decided": (field) =>
    `The curators agreed on submission ${field("submission")} of Datanet ${field("datanet")}`,
  "Review.SeatsBonded": (field, account) =>
    `${account("account")} bonded ${field("seats") === "1" ? "a reviewer's seat" : `${field("seats")} reviewer's seats`}`,
  "Review.SeatsGivenUp": (field, account) =>
    `${account("account")} gives ${field("seats") === "1" ? "a reviewer's seat" : `${field("seats")} reviewer's seats`} up`,
  "Review.SeatsReturned": (_, account, open) =>
    `${account("account")} got ${open("amount")} of reviewer's seats back`,
  "Review.SeatsToppedUp": (_, account, open) =>
    `${account("account")} bonded ${open("amount")} anew that its seats had lost`,
  "Review.ServesAt": (field, account) =>
    field("addresses") === "0"
      ? `${account("account")} says no more where it serves files`
      : `${account("account")} says where it serves the files that it judges`,
  "Review.SeatsLost": (field, account, open) =>
    `The seats of ${account("account")} lost ${open("amount")} by draw ${field("draw")}`,
  "Review.DrawOpened": (field) =>
    `${field("files") === "1" ? "A file" : `${field("files")} files`} of Datanet ${field("datanet")} wait for a committee: draw ${field("draw")}`,
  "Review.DrawPostponed": (field) => `The committee of draw ${field("draw")} could not be drawn yet`,
  "Review.CommitteeDrawn": (field) => `The committee of draw ${field("draw")} was drawn`,
  "Review.Committed": (field, account) => `${account("account")} committed in draw ${field("draw")}`,
  "Review.RevealsOpened": (field) => `The members of draw ${field("draw")} may show what they committed to`,
  "Review.Revealed": (field, account) =>
    `${account("account")} showed what it committed to in draw ${field("draw")}`,
  "Review.DrawDecided": (field) => `The votes of draw ${field("draw")} were counted`,
  "Review.Challenged": (field, account) =>
    `${account("challenger")} challenged the verdict on submission ${field("submission")}`,
  "Review.FileEnded": (field) =>
    `Submission ${field("submission")} left draw ${field("draw")}: ${field("outcome")}`,
  "Review.ReviewPaid": (field, account, open) =>
    `${account("account")} was paid ${open("amount")} for judging submission ${field("submission")}`,
  "Review.DrawDelayed": (field) => `Draw ${field("draw")} is tried again in block ${field("until")}`,
  "Review.BudgetFunded": (field, _, open) =>
    `${open("amount")} were paid into the review budget of Datanet ${field("datanet")}`,
  "Review.BudgetTakenBack": (field, account, open) =>
    `${account("account")} took ${open("amount")} of the review budget of Datanet ${field("datanet")} back`,
  "Review.BudgetTermsSet": (field) => `The review budget of Datanet ${field("datanet")} has other limits`,
  "Review.ExtractorRaised": (field) => `Files are read by extractor ${field("extractor")} now`,
  "Leaderboard.PointsEarned": (field, account) =>
    `${account("account")} earned ${formatCount(field("points") || "0")} points in Datanet ${field("datanet")}`,
  "Leaderboard.PeriodClosed": (field) =>
    `Reward period ${field("period")} of Datanet ${field("datanet")} ended`,
  "Leaderboard.Funded": (field, account, open) =>
    `${account("who")} paid ${open("amount")} into the pool of Datanet ${field("datanet")}`,
  "Leaderboard.TermsSet": (field) => `The pool of Datanet ${field("datanet")} has other terms`,
  "Leaderboard.TermsAnnounced": (field) =>
    `The pool of Datanet ${field("datanet")} will have other terms from period ${field("from")} on`,
  "Leaderboard.TermsKept": (field) => `The pool of Datanet ${field("datanet")} keeps its terms`,
  "Leaderboard.SharesLeave": (field, account) =>
    `${account("who")} takes shares out of the pool of Datanet ${field("datanet")}`,
  "Leaderboard.Withdrawn": (field, account, open) =>
    `${account("account")} got ${open("amount")} back from the pool of Datanet ${field("datanet")}`,
  "Leaderboard.PayoutSet": (_, account) =>
    `The rewards of ${account("account")} are to be paid to ${account("to")}`,
  "Leaderboard.PaidOut": (_, account, open) =>
    `${open("amount")} of ${account("account")} went to ${account("to")}`,
  "Leaderboard.Claimed": (_, account, open) => `${account("account")} claimed ${open("amount")}`,
  "Training.BaseModelRegistered": (field) => `Base model ${field("base")} was registered`,
  "Training.WorkerRegistered": (_, account) => `${account("worker")} became a worker`,
  "Training.WorkerUpdated": (_, account) => `Worker ${account("worker")} changed its offer`,
  "Training.WorkerPaused": (_, account) => `Worker ${account("worker")} takes a break`,
  "Training.WorkerResumed": (_, account) => `Worker ${account("worker")} takes jobs again`,
  "Training.WorkerDeregistered": (_, account) => `Worker ${account("worker")} left`,
  "Training.JobCreated": (field, account) => `${account("owner")} ordered job ${field("job")}`,
  "Training.JobAssigned": (field, account) => `Job ${field("job")} was given to ${account("worker")}`,
  "Training.JobTaken": (field, account) => `${account("worker")} began job ${field("job")}`,
  "Training.JobProgressed": (field) =>
    `Job ${field("job")} is at step ${formatCount(field("step") || "0")} of ${formatCount(field("total_steps") || field("totalSteps") || "0")}`,
  "Training.ResultSubmitted": (field) => `Job ${field("job")} has a result`,
  "Training.JobCompleted": (field, account, open) =>
    `Job ${field("job")} is complete, and ${account("worker")} was paid ${open("price")}`,
  "Training.JobTimedOut": (field, account) => `${account("worker")} let job ${field("job")} time out`,
  "Training.JobRequeued": (field) => `Job ${field("job")} waits for another worker`,
  "Training.JobFailed": (field) => `Job ${field("job")} failed`,
  "Training.JobCancelled": (field) => `Job ${field("job")} was cancelled`,
  "Training.JobDelayed": (field) => `Job ${field("job")} was delayed`,
  "Training.ParentNamed": (field) => `Job ${field("job")} goes on from adapter ${field("parent")}`,
  "Training.JobDeclined": (field, account) => `${account("worker")} declined job ${field("job")}`,
  "Training.WorkerRests": (field, account) => `${account("worker")} rests until block ${field("until")}`,
  "Training.PriceRaiseWaits": (_, account) => `${account("worker")} will ask more a token`,
  "Training.JobPriceRaised": (field, _, open) => `Job ${field("job")} offers ${open("budget")} now`,
  "Training.JobDeadlineExtended": (field) =>
    `Job ${field("job")} has until block ${formatCount(field("deadline") || "0")} now`,
  "Training.WorkPaid": (field, account, open) =>
    `${account("worker")} was paid ${open("pay")} for its work on job ${field("job")}`,
  "Training.DepositForfeited": (field, _, open) =>
    `The owner of job ${field("job")} lost the deposit of ${open("amount")}`,
  "Training.JobPruned": (field) => `Job ${field("job")} was cleared away`,
  "Training.BaseModelRetired": (field) => `Base model ${field("base")} takes no new jobs`,
  "Training.JobDisputed": (field, account, open) =>
    `${account("disputer")} disputes the result of job ${field("job")} with a bond of ${open("bond")}`,
  "Training.VerifiersDrawn": (field) => `Workers were drawn to repeat the evaluation of job ${field("job")}`,
  "Training.FindingCommitted": (field, account) =>
    `${account("worker")} has a sealed finding on job ${field("job")}`,
  "Training.FindingRevealed": (field, account) =>
    `${account("worker")} showed what it found of job ${field("job")}`,
  "Training.VerifierPaid": (field, account, open) =>
    `${account("worker")} got ${open("pay")} for verifying job ${field("job")}`,
  "Training.DisputeSettled": (field) => `The dispute over job ${field("job")} is settled`,
  "Balances.Transfer": (_, account, open) => `${account("from")} sent ${open("amount")} to ${account("to")}`,
};

/**
 * The events of a list, of a job's many steps only the newest with how many more there are: they would push all
 * else off the screen.
 */
export function foldSteps(events: readonly Event[]): { event: Event; more: number }[] {
  const lines: { event: Event; more: number }[] = [];
  const steps = new Map<string, { event: Event; more: number }>();
  for (const event of events) {
    const job = event.kind === "Training.JobProgressed" ? text(event.fields.job) : "";
    const known = steps.get(job);
    if (job && known) {
      known.more += 1;
      continue;
    }
    const line = { event, more: 0 };
    lines.push(line);
    if (job) steps.set(job, line);
  }
  return lines;
}

/** The events that have words; a test compares them with the chain's. */
export const saidEvents: readonly string[] = Object.keys(words);

function text(value: unknown): string {
  if (typeof value === "string") return value;
  if (["number", "bigint", "boolean"].includes(typeof value)) return String(value);
  return "";
}

/** An event in words; one that is not known, by its name. */
export function sayEvent({ kind, fields }: Event): Said {
  const field: Field = (name) => text(fields[name]);
  const account: Field = (name) => shorten(field(name)) || "somebody";
  const open: Field = (name) => (/^\d+$/.test(field(name)) ? `${formatOpen(field(name), 4)} OPEN` : "OPEN");
  const [job, submission, datanet] = [field("job"), field("submission"), field("datanet")];
  const draw = field("draw");
  const href = job
    ? `/runs/${job}`
    : draw
      ? `/committees/${draw}`
      : submission
        ? `/submissions/${submission}`
        : datanet
          ? `/datanets/${datanet}`
          : null;
  const say = words[kind];
  if (say) return { text: say(field, account, open), href };
  const [pallet = "", name = ""] = kind.split(".");
  return { text: `${pallet}: ${name.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase()}`, href };
}
