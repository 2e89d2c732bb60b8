import type { Call, Decoder } from "@/calls/decode";
import { ProblemError } from "@/lib/problem";

/** What a call costs and holds beside its fee, in plancks. */
export interface Cost {
  spent: bigint;
  held: bigint;
  /** What is held beside it, where only the chain can count that. */
  heldToo?: string;
  /** Why there is no fee, where there is none. */
  free?: string;
  /** What the numbers do not say. */
  notes: readonly string[];
}

type Rule = (call: Call, constant: Decoder["constant"]) => Partial<Cost>;

const nothing: Rule = () => ({});
const held =
  (pallet: string, name: string): Rule =>
  (_, constant) => ({ held: constant(pallet, name) });
const submission: Rule = () => ({ free: "Submissions within the quota cost no fee." });
const transfer: Rule = ({ values }) => ({ spent: BigInt(values.value) });
const job: Rule = ({ values }, constant) => ({
  held: BigInt(values.token_ceiling) * BigInt(values.price_per_token) + constant("Training", "JobDeposit"),
  notes: ["The worker is paid from what is held when the adapter is there. The rest comes back."],
});

/** Calls that are signed here. Whoever adds one to a pallet says here what it costs; a test counts them. */
const rules: Record<string, Rule> = {
  "Balances.transfer_allow_death": transfer,
  "Balances.transfer_keep_alive": transfer,
  "Datanets.create_datanet": held("Datanets", "DatanetDeposit"),
  "Datanets.register": held("Datanets", "ContributorHold"),
  "Datanets.register_for": held("Datanets", "ContributorHold"),
  "Datanets.deregister": nothing,
  "Datanets.submit": submission,
  "Datanets.withdraw": () => ({ free: "Taking a file back costs no fee." }),
  "Datanets.precommit": submission,
  "Datanets.open": submission,
  "Datanets.expire": nothing,
  "Datanets.set_caps": nothing,
  "Datanets.bar": (_, constant) => ({
    held: constant("Datanets", "EntryDeposit"),
    notes: ["It comes back when the account is let in again, or after the Datanet was closed."],
  }),
  "Datanets.unbar": nothing,
  "Datanets.end_sponsorship": nothing,
  "Datanets.clear_refusal": nothing,
  "Datanets.revoke_leaf": nothing,
  "Datanets.set_text": nothing,
  "Datanets.pause": nothing,
  "Datanets.resume": nothing,
  "Datanets.offer_ownership": () => ({ notes: ["Whoever accepts owns the Datanet from then on."] }),
  "Datanets.accept_ownership": (_, constant) => ({
    held: constant("Datanets", "DatanetDeposit"),
    heldToo: "what its invitations and bars take",
  }),
  "Datanets.set_admission": nothing,
  "Datanets.invite": ({ values }, constant) =>
    values.invited ? { held: constant("Datanets", "EntryDeposit") } : {},
  "Datanets.clear_entries": () => ({ notes: ["The fee comes back where something was cleared."] }),
  "Datanets.close": () => ({ notes: ["A closed Datanet stays closed."] }),
  "Review.vote": nothing,
  "Review.vote_many": nothing,
  "Review.set_policy": nothing,
  "Review.resign": nothing,
  "Review.bond_seats": ({ values }, constant) => ({
    held: BigInt(values.seats) * constant("Review", "Rules", "seat"),
    heldToo: "what earlier seats have lost",
  }),
  "Review.unbond_seats": () => ({
    notes: [
      "They are drawn for challenges until they have left. What is held for them comes back when they have and no draw needs them any more.",
    ],
  }),
  "Review.withdraw_seats": nothing,
  "Review.top_up": () => ({ heldToo: "what the seats have lost" }),
  "Review.serve_at": nothing,
  "Review.commit": () => ({ free: "Committing costs no fee." }),
  "Review.reveal": () => ({ free: "Showing what was committed to costs no fee." }),
  "Review.challenge": (_, constant) => ({
    held: constant("Review", "Rules", "bond"),
    notes: ["It is lost where the larger committee says the same, and comes back otherwise."],
  }),
  "Review.advance": () => ({ notes: ["The fee comes back where something was due."] }),
  "Review.request_review": nothing,
  "Review.fund_budget": ({ values }) => ({
    spent: BigInt(values.amount),
    notes: ["Reviewers are paid from it. What no draw needs can be taken back."],
  }),
  "Review.take_back": nothing,
  "Review.set_budget_terms": nothing,
  "Leaderboard.fund": ({ values }) => ({
    spent: BigInt(values.amount),
    notes: ["What points earn does not come back."],
  }),
  "Leaderboard.set_terms": nothing,
  "Leaderboard.claim": nothing,
  "Leaderboard.claim_many": nothing,
  "Leaderboard.leave": nothing,
  "Leaderboard.withdraw": nothing,
  "Leaderboard.recover": nothing,
  "Leaderboard.set_payout": (_, constant) => ({
    held: constant("Leaderboard", "PayoutDeposit"),
    notes: ["Rewards of the account are paid to the other one from then on."],
  }),
  "Training.register_base_model": held("Training", "BaseModelDeposit"),
  "Training.register_worker": held("Training", "WorkerBond"),
  "Training.update_worker": nothing,
  "Training.pause": nothing,
  "Training.resume": (_, constant) => ({
    held: constant("Training", "WorkerBond"),
    notes: ["Of the bond only what is missing is held."],
  }),
  "Training.deregister_worker": nothing,
  "Training.create_job": job,
  "Training.refine_adapter": job,
  "Training.cancel_job": () => ({ notes: ["A worker that trains is paid for what it has shown."] }),
  "Training.take": nothing,
  "Training.heartbeat": nothing,
  "Training.submit_result": nothing,
  "Training.decline": nothing,
  "Training.raise_price": () => ({
    notes: ["The difference to the price before is held too, for each token of the ceiling."],
  }),
  "Training.extend_deadline": nothing,
  "Training.prune_job": nothing,
  "Training.retire_base_model": nothing,
  "Training.dispute": (_, constant) => ({
    held: constant("Training", "DisputeBond"),
    notes: ["Who is found wrong loses what is held; otherwise it comes back."],
  }),
  "Training.commit_finding": nothing,
  "Training.reveal_finding": nothing,
};

/** Several calls at once. What stands within is shown and counted as if it stood alone. */
const batches = ["Utility.batch", "Utility.batch_all", "Utility.force_batch"];

/** Calls that have a rule. @public */
export const ruled: readonly string[] = Object.keys(rules);

/** What a call costs, or why it is not signed here. */
export function costOf(call: Call, constant: Decoder["constant"]): Cost {
  const name = `${call.pallet}.${call.name}`;
  if (batches.includes(name)) {
    const costs = call.within.map((one) => costOf(one, constant));
    const heldToo = [...new Set(costs.flatMap(({ heldToo }) => heldToo ?? []))].join(", ");
    const sum = (of: (cost: Cost) => bigint) => costs.reduce((total, cost) => total + of(cost), 0n);
    return {
      spent: sum(({ spent }) => spent),
      held: sum(({ held }) => held),
      ...(heldToo ? { heldToo } : {}),
      notes: [...new Set(costs.flatMap(({ notes }) => notes))],
    };
  }
  const rule = rules[name];
  if (!rule) {
    throw new ProblemError(
      `This page does not sign ${name}`,
      call.within.length > 0
        ? "It would act in another way than the calls within it say. Have those made without it."
        : "It signs what contributors, curators, owners and operators do here, and nothing else.",
    );
  }
  return { spent: 0n, held: 0n, notes: [], ...rule(call, constant) };
}
