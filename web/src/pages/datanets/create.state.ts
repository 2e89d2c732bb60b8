import { useQuery } from "@tanstack/react-query";
import type { Api } from "@/chain/client";
import { plural } from "@/lib/format";
import { chainPool } from "@/review/committee";
import {
  type Admission,
  type ChainAdmission,
  readAdmission,
  readInvited,
  sayAdmission,
} from "./admission.state";
import { sayThreshold } from "./datanet.state";
import { type ChainPolicy, type Judges, readBudget, readPolicy, readTerms, usualTerms } from "./judges.state";
import { whole } from "./whole";

// The bounds of primitives/src/media.rs and primitives/src/verdict.rs.
export const modalities = {
  text: { type: "Text", title: "Text", unit: "bytes of canonical text", most: 12 * 2 ** 20 },
  image: { type: "Image", title: "Images", unit: "pixels", most: 40_000_000 },
  audio: { type: "Audio", title: "Audio", unit: "milliseconds", most: 30 * 60 * 1000 },
} as const;

export type Modality = keyof typeof modalities;

const MAX_NAME = 64;

/** What is typed about a new Datanet. */
export interface Draft {
  name: string;
  modality: Modality;
  minUnits: string;
  maxUnits: string;
  limited: boolean;
  dailyFiles: string;
  dailyMebibytes: string;
  judges: Judges;
  /** An account a line. */
  curators: string;
  threshold: string;
  budget: string;
  filesADay: string;
  share: string;
  admission: Admission;
  leastPoints: string;
  /** An account a line. */
  invited: string;
}

export interface Rules {
  name: Uint8Array;
  minUnits: bigint;
  maxUnits: bigint;
  dailyLimit: { files: number; bytes: bigint } | undefined;
  policy: ChainPolicy;
  /** What is paid into the review budget, in plancks. */
  budget: bigint;
  /** What the review budget pays for in a day, where it is not the usual. */
  terms: { files_a_day: number; share: number } | null;
  /** Of whom it takes files, where it is not of everybody. */
  admission: ChainAdmission | null;
  invited: string[];
}

export type Problems = Partial<Record<keyof Draft, string>>;

/** A draft to begin with; the owner is its first curator. */
export function emptyDraft(owner: string): Draft {
  return {
    name: "",
    modality: "text",
    minUnits: "100",
    maxUnits: "100000",
    limited: false,
    dailyFiles: "1000",
    dailyMebibytes: "100",
    judges: "curators",
    curators: owner,
    threshold: "1",
    budget: "",
    filesADay: String(usualTerms.files_a_day),
    share: String(usualTerms.share),
    admission: "open",
    leastPoints: "1000",
    invited: "",
  };
}

function nameProblem(name: string): string | null {
  if (name.trim() === "") return "Give it a name.";
  if (/\p{Cc}/u.test(name)) return "A name has no control characters.";
  const bytes = new TextEncoder().encode(name).length;
  if (bytes > MAX_NAME) return `The name takes ${bytes} bytes; ${MAX_NAME} are the most.`;
  return null;
}

/** What a new Datanet collects, or what is wrong with each field. */
function readCollected(draft: Draft): Problems {
  const problems: Problems = {};
  const { most, unit } = modalities[draft.modality];
  const wrongName = nameProblem(draft.name.trim());
  if (wrongName) problems.name = wrongName;

  const minUnits = whole(draft.minUnits);
  const maxUnits = whole(draft.maxUnits);
  if (minUnits === null || minUnits < 1) problems.minUnits = "Write a whole number, 1 or more.";
  else if (minUnits > most) {
    problems.minUnits = `No file has more than ${most.toLocaleString("en")} ${unit}, so none would be accepted.`;
  }
  if (maxUnits === null || maxUnits < 1) problems.maxUnits = "Write a whole number, 1 or more.";
  else if (maxUnits > most) problems.maxUnits = `At most ${most.toLocaleString("en")}: no file has more.`;
  else if (minUnits !== null && maxUnits < minUnits) problems.maxUnits = "This is less than the least.";

  if (draft.limited) {
    const [files, mebibytes] = [whole(draft.dailyFiles), whole(draft.dailyMebibytes)];
    if (files === null || files < 1 || files > 0xffff_ffff) {
      problems.dailyFiles = "Write a whole number from 1 to 4,294,967,295.";
    }
    if (mebibytes === null || mebibytes < 1) problems.dailyMebibytes = "Write a whole number, 1 or more.";
  }
  return problems;
}

/** Who judges a new Datanet, or what is wrong with each field. `price` is what a committee costs a file. */
function readJudges(draft: Draft, price: bigint) {
  if (draft.judges === "curators") {
    const { policy, problems } = readPolicy(draft);
    const chosen: ChainPolicy | null = policy && {
      type: "Curators",
      value: { members: policy.curators, threshold: policy.threshold },
    };
    return { policy: chosen, budget: 0n, terms: null, problems: problems as Problems };
  }
  const { amount, problem } = readBudget(draft.budget, price);
  const { terms, problems: wrong } = readTerms(draft);
  const problems: Problems = { ...wrong, ...(problem ? { budget: problem } : {}) };
  const usual = terms?.files_a_day === usualTerms.files_a_day && terms.share === usualTerms.share;
  const policy: ChainPolicy = { type: "Committee", value: { own_seats: draft.judges === "own" } };
  return { policy, budget: amount ?? 0n, terms: usual ? null : terms, problems };
}

/** The rules that a draft says, or what is wrong with each field. `price` is what a committee costs a file. */
export function readDraft(draft: Draft, price: bigint): { rules: Rules | null; problems: Problems } {
  const { policy, budget, terms, problems: undecided } = readJudges(draft, price);
  const problems: Problems = { ...readCollected(draft), ...undecided };
  const { policy: admission, problem: noPoints } = readAdmission(draft);
  if (noPoints) problems.leastPoints = noPoints;
  const open = draft.admission === "open";
  const { accounts: invited, problem: notInvited } = readInvited(open ? "" : draft.invited);
  if (notInvited) problems.invited = notInvited;
  if (!policy || !admission || Object.keys(problems).length > 0) return { rules: null, problems };
  return {
    rules: {
      name: new TextEncoder().encode(draft.name.trim()),
      minUnits: BigInt(whole(draft.minUnits) ?? 0),
      maxUnits: BigInt(whole(draft.maxUnits) ?? 0),
      dailyLimit: draft.limited
        ? {
            files: whole(draft.dailyFiles) ?? 0,
            bytes: BigInt(whole(draft.dailyMebibytes) ?? 0) * 1_048_576n,
          }
        : undefined,
      policy,
      budget,
      terms,
      admission: open ? null : admission,
      invited,
    },
    problems,
  };
}

/** What creating a Datanet holds, as the chain says. */
export async function datanetDeposit(): Promise<bigint> {
  const { getChain } = await import("@/chain/client");
  return getChain().api.constants.Datanets.DatanetDeposit();
}

/** What each invitation and each bar holds. */
export async function entryDeposit(): Promise<bigint> {
  const { getChain } = await import("@/chain/client");
  return getChain().api.constants.Datanets.EntryDeposit();
}

/** Accounts that have seats for a kind of files now. */
export function useSeated(modality: Modality) {
  return useQuery({
    queryKey: ["pool size", modality],
    queryFn: async () => {
      const { getChain } = await import("@/chain/client");
      const pool = chainPool({ modality, datanet: null });
      return (await getChain().api.apis.CommitteeApi.pool_size(pool, { at: "best" })).accounts;
    },
  });
}

/** The number that the next Datanet gets, as long as it is listened to: somebody else may take it meanwhile. */
export async function followNextDatanet(): Promise<{ number: () => number; stop: () => void }> {
  const { getChain } = await import("@/chain/client");
  const { NextDatanet } = getChain().api.query.Datanets;
  let next = await NextDatanet.getValue({ at: "best" });
  const listening = NextDatanet.watchValue({ at: "best" }).subscribe({
    next: ({ value }) => {
      next = value;
    },
    // The number that was asked for stays: who was too late is refused, and nothing is done.
    error: () => undefined,
  });
  return { number: () => next, stop: () => listening.unsubscribe() };
}

/**
 * What makes a Datanet: one call, or where it needs more, a batch of which all is done or nothing. What names
 * `next` is its owner's alone, so that who comes too late for that number is refused and harms nobody.
 */
export function creation(api: Api, rules: Rules, modality: Modality, next: number) {
  const create = api.tx.Datanets.create_datanet({
    name: rules.name,
    modality: { type: modalities[modality].type, value: undefined },
    min_units: rules.minUnits,
    max_units: rules.maxUnits,
    daily_limit: rules.dailyLimit,
    policy: rules.policy,
  });
  const datanet = next;
  const { admission, terms, budget: amount, invited } = rules;
  const then = [
    ...(admission ? [api.tx.Datanets.set_admission({ datanet, admission })] : []),
    ...(terms ? [api.tx.Review.set_budget_terms({ datanet, terms })] : []),
    ...(amount > 0n ? [api.tx.Review.fund_budget({ datanet, amount })] : []),
    ...invited.map((account) => api.tx.Datanets.invite({ datanet, account, invited: true })),
  ];
  if (then.length === 0) return create;
  return api.tx.Utility.batch_all({ calls: [create, ...then].map(({ decodedCall }) => decodedCall) });
}

/** What is signed, in words. */
export function sayDraft({ name, judges, admission, modality, leastPoints }: Draft, rules: Rules): string {
  const { policy, budget, terms, invited } = rules;
  const decide =
    policy.type === "Curators"
      ? sayThreshold(policy.value.threshold, policy.value.members.length)
      : `Committees decide, drawn from ${judges === "own" ? "seats for it alone" : `the seats for ${modality} files`}`;
  const paid =
    budget > 0n ? " They are paid from what you pay in; what no draw needs can be taken back." : "";
  const daily = terms
    ? ` They judge up to ${plural(terms.files_a_day, "file")} a day, of one account ${terms.share} % of them.`
    : "";
  const takes = admission === "open" ? "" : ` It takes files of ${sayAdmission({ admission, leastPoints })}.`;
  const guests =
    invited.length > 0 ? ` ${plural(invited.length, "account is", "accounts are")} invited.` : "";
  return `Creates “${name.trim()}” with you as its owner. ${decide}.${paid}${daily}${takes}${guests} Its kind and units never change.`;
}
