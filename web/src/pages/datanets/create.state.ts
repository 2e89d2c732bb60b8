import { decodeAddress, encodeAddress } from "@/accounts/address";

// The bounds of primitives/src/media.rs and primitives/src/verdict.rs.
export const modalities = {
  text: { type: "Text", title: "Text", unit: "bytes of canonical text", most: 12 * 2 ** 20 },
  image: { type: "Image", title: "Images", unit: "pixels", most: 40_000_000 },
  audio: { type: "Audio", title: "Audio", unit: "milliseconds", most: 30 * 60 * 1000 },
} as const;

export type Modality = keyof typeof modalities;

const MAX_NAME = 64;
export const MAX_CURATORS = 16;

/** What is typed about a new Datanet. */
export interface Draft {
  name: string;
  modality: Modality;
  minUnits: string;
  maxUnits: string;
  limited: boolean;
  dailyFiles: string;
  dailyMebibytes: string;
  /** An account a line. */
  curators: string;
  threshold: string;
}

export interface Rules {
  name: Uint8Array;
  minUnits: bigint;
  maxUnits: bigint;
  dailyLimit: { files: number; bytes: bigint } | undefined;
  curators: string[];
  threshold: number;
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
    curators: owner,
    threshold: "1",
  };
}

/** A whole number as people type it; null if it is none. */
export function whole(text: string): number | null {
  const digits = text.replace(/[\s,_]/g, "");
  if (!/^\d{1,15}$/.test(digits)) return null;
  return Number(digits);
}

function nameProblem(name: string): string | null {
  if (name.trim() === "") return "Give it a name.";
  if (/\p{Cc}/u.test(name)) return "A name has no control characters.";
  const bytes = new TextEncoder().encode(name).length;
  if (bytes > MAX_NAME) return `The name takes ${bytes} bytes; ${MAX_NAME} are the most.`;
  return null;
}

function readCurators(text: string): { accounts: string[]; problem: string | null } {
  const accounts: string[] = [];
  for (const word of text.split(/[\s,;]+/).filter(Boolean)) {
    const key = decodeAddress(word);
    if (!key) return { accounts, problem: `${word.slice(0, 60)} is no account; it may be mistyped.` };
    const account = encodeAddress(key);
    if (accounts.includes(account)) return { accounts, problem: `${account} is named twice.` };
    accounts.push(account);
  }
  if (accounts.length === 0) return { accounts, problem: "Name at least one account that decides." };
  if (accounts.length > MAX_CURATORS) return { accounts, problem: `At most ${MAX_CURATORS} can decide.` };
  return { accounts, problem: null };
}

/** Who decides, as it is typed, or what is wrong with it. */
export function readPolicy(text: Pick<Draft, "curators" | "threshold">): {
  policy: { curators: string[]; threshold: number } | null;
  problems: Pick<Problems, "curators" | "threshold">;
} {
  const problems: Pick<Problems, "curators" | "threshold"> = {};
  const { accounts, problem } = readCurators(text.curators);
  if (problem) problems.curators = problem;
  const threshold = whole(text.threshold);
  if (threshold === null || threshold < 1) problems.threshold = "At least one curator must agree.";
  else if (!problem && threshold > accounts.length) {
    problems.threshold = `There are ${accounts.length} curators: no more can agree.`;
  }
  const good = Object.keys(problems).length === 0;
  return { policy: good ? { curators: accounts, threshold: threshold ?? 0 } : null, problems };
}

/** The rules that a draft says, or what is wrong with each field. */
export function readDraft(draft: Draft): { rules: Rules | null; problems: Problems } {
  const problems: Problems = {};
  const { most, unit } = modalities[draft.modality];
  const name = draft.name.trim();
  const wrongName = nameProblem(name);
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

  const files = whole(draft.dailyFiles);
  const mebibytes = whole(draft.dailyMebibytes);
  if (draft.limited) {
    if (files === null || files < 1 || files > 0xffff_ffff) {
      problems.dailyFiles = "Write a whole number from 1 to 4,294,967,295.";
    }
    if (mebibytes === null || mebibytes < 1) problems.dailyMebibytes = "Write a whole number, 1 or more.";
  }

  const { policy, problems: undecided } = readPolicy(draft);
  Object.assign(problems, undecided);
  if (!policy || Object.keys(problems).length > 0) return { rules: null, problems };
  return {
    rules: {
      name: new TextEncoder().encode(name),
      minUnits: BigInt(minUnits ?? 0),
      maxUnits: BigInt(maxUnits ?? 0),
      dailyLimit: draft.limited
        ? { files: files ?? 0, bytes: BigInt(mebibytes ?? 0) * 1_048_576n }
        : undefined,
      ...policy,
    },
    problems,
  };
}

/** What creating a Datanet holds, as the chain says. */
export async function datanetDeposit(): Promise<bigint> {
  const { getChain } = await import("@/chain/client");
  return getChain().api.constants.Datanets.DatanetDeposit();
}
