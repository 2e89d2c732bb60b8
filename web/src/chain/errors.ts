import documents from "@polkadot-api/descriptors/errors.json";
import { type Problem, ProblemError } from "@/lib/problem";
import { refusals } from "./refusals";

/** What pallets say about their errors, from the documentation in the chain's metadata. */
const words = documents as Record<string, Record<string, string>>;

/** What to do next, where there is more to say than the error's own words. The app's counterpart of the CLI's. */
export const nextSteps: Readonly<Record<string, string>> = {
  "Datanets.NotRegistered": "Become a contributor on the page Accounts, or ask somebody to sponsor you.",
  "Datanets.AlreadyRegistered": "Nothing is left to do: submit files.",
  "Datanets.HasPending": "Wait for the verdicts, or take the submissions back.",
  "Datanets.HoldPeriod": "Try again 7 days after the last submission.",
  "Datanets.UnitsBelowMinimum": "Refuse it as too small.",
  "Datanets.TooEarly": "Vote again in a minute: an older promise of the file may still be opened.",
  "Datanets.NotExpired": "The submission's page says from which block on.",
  "Datanets.NotAuthorized": "The Datanet's page names its owner.",
  "Datanets.NotRefused": "The submission's page says what became of it.",
  "Datanets.DatanetHasPending": "Pause it, and close it when its files have verdicts.",
  "Datanets.NotOffered": "The Datanet's page says whether it is offered to you.",
  "Datanets.InvalidName": "Leave characters out that cannot be seen.",
  "Datanets.InvalidText": "Leave characters out that cannot be seen.",
  "Review.NotCurator": "The Datanet's page names its curators.",
  "Review.LastCurator": "The Datanet's owner names another curator first.",
  "Review.OtherExtractor": "This gateway reads files with another release than the chain names.",
  "Review.StaleSubmission": "Fetch the file again and vote on the new submission.",
  "Leaderboard.NothingToClaim": "Points are paid once the reward period they were earned in has ended.",
  "Leaderboard.TermsRequired": "The Datanet's owner sets the terms.",
  "Leaderboard.ZeroTerms": "Give both, what a period may spend and the most for a point.",
  "Leaderboard.TermsDiffer": "They changed meanwhile. Read them on the Datanet's page, and pay if you agree.",
  "Leaderboard.PolicyDiffers":
    "Who decides changed meanwhile. Read it on the Datanet's page, and pay if you agree.",
  "Leaderboard.NoWayOut": "The Datanet's page says what you hold and when funders may leave.",
  "Leaderboard.NotEnoughShares": "The Datanet's page says what you hold and when funders may leave.",
  "Leaderboard.NothingToWithdraw": "Shares leave when the reward period ends.",
  "Leaderboard.NotThePayee": "The page Rewards says who is paid.",
  "Leaderboard.BelowMinimumFunding": "Pay in at least 1 OPEN at a time.",
  "Referenda.HasDeposit": "Somebody placed it meanwhile; the referendum’s page says who.",
  "Referenda.NoDeposit": "It was given back meanwhile, or nobody placed one.",
  "Referenda.Unfinished": "The referendum’s page says how long it goes on.",
  "Referenda.NotOngoing": "It is over; its page says how it ended.",
  "Referenda.PreimageNotExist": "Have its bytes noted first, or propose the call by its bytes.",
  "Referenda.PreimageStoredWithDifferentLength": "Write the length that the chain has.",
  "ConvictionVoting.AlreadyVoting": "Take your votes on this track back first, on the page Governance.",
  "ConvictionVoting.AlreadyDelegating": "End the delegation on the page Governance first.",
  "ConvictionVoting.NotDelegating": "The delegation was ended already.",
  "ConvictionVoting.InsufficientFunds": "The page Governance says how much may vote.",
  "ConvictionVoting.NotOngoing": "It is over; its page says how it ended.",
  "ConvictionVoting.MaxVotesReached": "Take back votes on referenda that are over, on the page Governance.",
  "Preimage.AlreadyNoted": "Propose it by its hash: the chain has its bytes.",
  "Preimage.NotNoted": "Its deposit came back already.",
  "Treasury.PayoutError":
    "It may be more than is left of the period; the page Governance says when the next one begins.",
  "Treasury.EarlyPayout": "The page Governance says from which block on.",
  "Treasury.SpendExpired": "It has to be approved again.",
  "Treasury.AlreadyAttempted": "It was paid.",
  "Staking.InsufficientBond": "Bond more, or stand back before you unbond.",
  "Staking.CommissionTooLow": "The page Staking says the least.",
  "Staking.TooManyValidators": "All places for candidates are taken; others have to stand back first.",
  "Staking.Restricted":
    "An account stakes by itself or in a pool, not both: use another account, or take out what it has first.",
  "NominationPools.PoolNotFound": "The page Staking lists those that there are.",
  "NominationPools.PoolMemberNotFound": "Join one on the page Staking.",
  "NominationPools.AccountBelongsToOtherPool": "An account is in one pool: bring more into that one.",
  "NominationPools.Restricted":
    "An account stakes by itself or in a pool, not both. If it does neither, try again in a minute: nobody joins while the payouts of an era that has ended are made.",
  "NominationPools.MinimumBondNotMet":
    "The page Staking says what joining and making a pool take; who made one leaves last.",
  "NominationPools.CannotWithdrawAny": "The page Staking says from which era on it is free.",
  "NominationPools.NotNominator": "The account that made the pool chooses its validators.",
  "NominationPools.DoesNotHavePermission":
    "The account that runs the pool may. If it was to be named while it was made, somebody else made one meanwhile: try again.",
  "NominationPools.FullyUnbonding": "Nothing of this account is in the pool any more: withdraw.",
  "NominationPools.MaxPools": "Join one, or wait until one has ended.",
  "NominationPools.NotOpen": "Choose another pool.",
  "NominationPools.CanNotChangeState":
    "A pool that ends ends; others are opened and closed by who runs them.",
  "NominationPools.CommissionExceedsGlobalMaximum": "The page Staking says the most.",
  "NominationPools.NoPendingCommission": "Nothing was kept since it was paid last.",
  "NominationPools.NoCommissionCurrentSet": "Set a commission first: it says who is paid.",
  "Session.InvalidProof": "Have the node make keys for this very account, and paste all that it answers.",
  "Session.DuplicatedKey": "These keys are another account’s; have the node make new ones.",
  "Session.NoKeys": "Nothing is left to do: the account has no keys.",
  "Training.BelowMinimumBudget": "Offer at least 0.1 OPEN.",
  "Training.DeadlineTooFar": "A job may last 7 days (201,600 blocks) at most.",
  "Training.DeadlineTooSoon":
    "Give it the minute to take a job, the three between signs of life, and the time to train.",
  "Training.BaseModelRetired": "Choose another one.",
  "Training.OpenVotes": "Take its votes back and unlock them, or create the job from another account.",
  "Training.NotHigher": "The run's page says what it offers.",
  "Training.NotLater": "The run's page says its deadline.",
  "Training.TooEarly": "A day after its end anyone may; until then its owner alone.",
  "Training.StillBonded":
    "A worker's bond stays for a day after its last job or draw, and for a few blocks on a development chain. Pause it meanwhile.",
  "Training.DisputedBefore": "This result was disputed before. Only the job's owner may do so once more.",
  "Training.StillResting": "Declines in a row make a worker rest; the chain says until which block.",
  "Training.WrongState": "The run's page says where the job is in its life.",
};

function sentence(text: string): string {
  const trimmed = text.trim().replace(/\.$/, "");
  return trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
}

interface Tagged {
  type: string;
  value?: unknown;
}

function isTagged(value: unknown): value is Tagged {
  return typeof value === "object" && value !== null && typeof (value as Tagged).type === "string";
}

/** A call that was included and failed, in the words of its pallet. */
export function describeDispatchError(error: Tagged): Problem {
  if (error.type === "Module" && isTagged(error.value)) {
    const pallet = error.value.type;
    const name = isTagged(error.value.value) ? error.value.value.type : "";
    const said = words[pallet]?.[name];
    const title = `${sentence(said ?? "the call was refused")} (${pallet}::${name})`;
    const next = nextSteps[`${pallet}.${name}`];
    return next ? { title, next } : { title };
  }
  if (error.type === "Token") {
    const kind = isTagged(error.value) ? error.value.type : "";
    const title =
      kind === "FundsUnavailable"
        ? "The account has too little free OPEN for this"
        : `The chain refused to move the OPEN: ${kind}`;
    return { title, next: "The page Accounts shows what is free and what is held." };
  }
  return { title: `The chain refused: ${error.type}` };
}

/** A rule of admission by its name. */
export function describeRefusal(name: string): Problem {
  const rule = Object.values(refusals).find((known) => known.name === name);
  if (!rule) return { title: `Refused: ${name}` };
  return rule.next
    ? { title: `Refused: ${rule.words}`, next: rule.next }
    : { title: `Refused: ${rule.words}` };
}

/** A transaction that the pool does not take: `TransactionValidityError`. */
export function describeInvalid(error: unknown): Problem {
  const inner = isTagged(error) && isTagged(error.value) ? error.value : error;
  if (!isTagged(inner)) return { title: "The chain refused the transaction" };
  switch (inner.type) {
    case "Custom": {
      const rule = refusals[Number(inner.value)];
      if (!rule) return { title: `The chain refused the transaction by rule ${String(inner.value)}` };
      return describeRefusal(rule.name);
    }
    case "Payment":
      return {
        title: "The account cannot pay the fee of this transaction",
        next: "Have OPEN sent to it; the page Accounts shows what it has.",
      };
    case "Stale":
    case "Future":
      return {
        title: "Another transaction of the account came first; this one did nothing and cost nothing",
        next: "Send it again.",
      };
    case "BadProof":
      return {
        title: "The signature does not fit the transaction",
        next: "The wallet may have signed for another network.",
      };
    case "AncientBirthBlock":
      return {
        title: "The transaction's time ran out; it did nothing and cost nothing",
        next: "Send it again.",
      };
    case "ExhaustsResources":
      return { title: "The block is full", next: "Send it again in some seconds." };
    default:
      return { title: `The chain refused the transaction: ${inner.type}` };
  }
}

/** Anything that went wrong between a press of a button and a block. */
export function describeFailure(error: unknown): Problem {
  if (error instanceof ProblemError) {
    return error.next ? { title: error.message, next: error.next } : { title: error.message };
  }
  const message = error instanceof Error ? error.message : String(error);
  // papi's InvalidTxError carries the decoded answer.
  if (error instanceof Error && error.name === "InvalidTxError" && "error" in error) {
    return describeInvalid(error.error);
  }
  if (/cancel|reject|denied|declin|abort/i.test(message)) {
    return { title: "It was not signed; nothing was sent" };
  }
  if (/incompatible/i.test(message)) {
    return {
      title: "This app does not fit the chain",
      next: "Load the page again; the gateway may have been updated.",
    };
  }
  return { title: message || "Something failed that gave no reason" };
}
