// A proposal as it is typed, and as the chain takes it: what is to be called, and as whom.

import { blake2b } from "@noble/hashes/blake2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { readAddress } from "@/accounts/address";
import { formatCount, formatOpen, parseOpen } from "@/lib/format";
import type { Track } from "./referenda";

/** What a referendum acts as: `Origin` of runtime/src/governance/origins.rs, and root. */
export type Origin = "Root" | "GeneralAdmin" | "BigSpender" | "SmallSpender";

/** The track on which each origin is decided: runtime/src/governance/tracks.rs. */
const tracks: Record<Origin, string> = {
  Root: "root",
  GeneralAdmin: "general_admin",
  BigSpender: "big_spender",
  SmallSpender: "small_spender",
};

/** The track of an origin among those of the network. */
export const trackOf = (origin: Origin, all: readonly Track[]) =>
  all.find(({ name }) => name === tracks[origin]);

const OPEN = 10n ** 18n;
/** Most that the spenders pay in one referendum: `SMALL_SPEND` and `BIG_SPEND` of runtime/src/governance/origins.rs. */
const SMALL_SPEND = 10_000n * OPEN;
const BIG_SPEND = 1_000_000n * OPEN;

/** Percent of the OPEN that may vote which a period pays at most: `SPEND_SHARE` of runtime/src/governance. */
const SPEND_SHARE = 5n;

/** What all spends of a period together are paid at most; more is not approved. */
export const periodLimit = (active: bigint) => (active * SPEND_SHARE) / 100n;

/** Bytes of a call that stand in the proposal itself; a longer one is a preimage. */
export const MOST_INLINE = 128;

/** Bytes of a preimage that are typed here, at most. The chain takes more, by a program. */
export const MOST_TYPED = 64 * 1024;

export type Kind = "spend" | "upgrade" | "rule" | "undo" | "bytes" | "preimage";

/** Rules of the network that have one number. */
export type Rule = "validators" | "validatorBond" | "nominatorBond" | "commission" | "extractor";

/** How something is undone. */
export type Undoing = "cancel" | "kill" | "void" | "slash";

/** A slash that is not taken yet. */
export interface WaitingSlash {
  /** The era that the chain lists it under, and its place among those of that era. */
  era: number;
  place: number;
  validator: string;
  /** Plancks of the validator's own, and of those who backed it, and how many these are. */
  own: bigint;
  others: bigint;
  backers: number;
}

/** The era at whose beginning a slash is taken: the chain takes it before the staking pallet would. */
export const takenIn = ({ era }: Pick<WaitingSlash, "era">) => era - 1;

/** What tells a slash from others that wait. */
export const slashKey = ({ era, place }: Pick<WaitingSlash, "era" | "place">) => `${era}-${place}`;

/** What is typed about a proposal. */
export interface Draft {
  kind: Kind;
  to: string;
  amount: string;
  /** Of a runtime. */
  hash: string;
  rule: Rule;
  value: string;
  undoing: Undoing;
  index: string;
  /** Which slash, by its key; empty for the first that waits. */
  slash: string;
  bytes: string;
  preimage: string;
  length: string;
  origin: Origin;
}

export const emptyDraft: Draft = {
  ...{ kind: "spend", to: "", amount: "", hash: "", rule: "validators", value: "" },
  ...{ undoing: "cancel", index: "", slash: "", bytes: "", preimage: "", length: "", origin: "Root" },
};

/** What the call is made of. */
export type Making =
  | { type: "spend"; to: string; amount: bigint }
  | { type: "upgrade"; hash: string }
  | { type: "validators"; count: number }
  | { type: "validatorBond" | "nominatorBond"; amount: bigint }
  | { type: "commission"; parts: number }
  | { type: "extractor"; version: number }
  | { type: Exclude<Undoing, "slash">; index: number }
  | { type: "slash"; era: number; place: number }
  | { type: "bytes"; bytes: Uint8Array }
  /** A preimage that stands on the chain, or is noted later. */
  | { type: "preimage"; hash: string; length: number };

export interface Proposed {
  origin: Origin;
  making: Making;
}

/** What the network says that a proposal is measured by. */
export interface Bounds {
  /** OPEN that may vote. */
  active: bigint;
  /** Validators that may be elected, at most. */
  mostValidators: number;
  /** The extractor that votes name now. */
  extractor: number;
  /** Referenda and spends that there have been. */
  referenda: number;
  spends: number;
  slashes: readonly WaitingSlash[];
}

export type Problems = Partial<Record<keyof Draft, string>>;

const whole = (typed: string) => (/^\d{1,9}$/.test(typed.trim()) ? Number(typed.trim()) : null);

/** 32 bytes in hexadecimal, as the chain writes them; null for anything else. */
export function readHash(typed: string): string | null {
  const text = typed.trim().toLowerCase().replace(/^0x/, "");
  return /^[0-9a-f]{64}$/.test(text) ? `0x${text}` : null;
}

const HASH = "Write 32 bytes in hexadecimal: 64 digits, with or without 0x.";

/** Bytes in hexadecimal; null for anything else. */
function readBytes(typed: string): Uint8Array | null {
  const text = typed.replaceAll(/\s/g, "").toLowerCase().replace(/^0x/, "");
  if (text === "" || text.length % 2 !== 0 || !/^[0-9a-f]+$/.test(text)) return null;
  return Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

/** The bytes behind a hash that are typed, or what is wrong with them. */
export function readPreimage(typed: string, hash: string): { bytes: Uint8Array | null; problem?: string } {
  const bytes = readBytes(typed);
  if (!bytes) return { bytes, problem: "Write the call in hexadecimal, an even number of digits." };
  const found = callHash(bytes);
  if (found !== hash) {
    return {
      bytes: null,
      problem: `These bytes have another hash, ${found.slice(0, 18)}…, so they are another call.`,
    };
  }
  return { bytes };
}

/** Bytes of a runtime that the gateway passes on in one transaction: its `MAX_REQUEST` in hexadecimal, and some to spare. */
const MOST_BLOB = 2_000_000;

/** Why a blob is not the runtime that was decided on; undefined if it is. */
export function blobProblem(blob: Uint8Array, hash: string): string | undefined {
  if (blob.length > MOST_BLOB) {
    return `The blob has ${formatCount(blob.length)} bytes; this page sends ${formatCount(MOST_BLOB)}. Send the compressed one, or use a program.`;
  }
  const found = callHash(blob);
  return found === hash
    ? undefined
    : `This blob has another hash, ${found.slice(0, 18)}…: it is another build.`;
}

/** The hash by which the chain names a call that stands in a preimage. */
export const callHash = (bytes: Uint8Array) => `0x${bytesToHex(blake2b(bytes, { dkLen: 32 }))}`;

interface Read {
  proposed: Proposed | null;
  problems: Problems;
}

const wrong = (problems: Problems): Read => ({ proposed: null, problems });
const right = (origin: Origin, making: Making): Read => ({ proposed: { origin, making }, problems: {} });

/** The origin that may spend so much, the one that is decided most easily. */
export function spender(amount: bigint): Origin {
  if (amount <= SMALL_SPEND) return "SmallSpender";
  return amount <= BIG_SPEND ? "BigSpender" : "Root";
}

function readSpend(draft: Draft, { active }: Bounds): Read {
  const problems: Problems = {};
  const to = readAddress(draft.to);
  if (!to) {
    problems.to = draft.to.trim() ? "This is no account; it may be mistyped." : "Write an account.";
  }
  const amount = parseOpen(draft.amount);
  const limit = periodLimit(active);
  if (!amount) problems.amount = "Write an amount of OPEN, such as 25 or 0.5.";
  else if (amount > limit) {
    problems.amount = `${formatOpen(amount)} OPEN are more than the treasury pays in a period: ${formatOpen(limit, 0)} OPEN, 5 % of what may vote. The chain would not approve it.`;
  }
  if (!to || !amount || problems.amount) return wrong(problems);
  return right(spender(amount), { type: "spend", to, amount });
}

function readRule(draft: Draft, { mostValidators, extractor }: Bounds): Read {
  switch (draft.rule) {
    case "validators": {
      const count = whole(draft.value);
      if (!count || count > mostValidators) {
        return wrong({ value: `Write a whole number from 1 to ${formatCount(mostValidators)}.` });
      }
      return right("Root", { type: "validators", count });
    }
    case "commission": {
      const percent = Number(draft.value.trim().replace("%", ""));
      if (draft.value.trim() === "" || !(percent >= 0 && percent <= 100)) {
        return wrong({ value: "Write a percentage from 0 to 100." });
      }
      return right("Root", { type: "commission", parts: Math.round(percent * 1e7) });
    }
    case "extractor": {
      const version = whole(draft.value);
      if (version !== extractor + 1) {
        return wrong({ value: `It is ${extractor} now, and goes up by one: write ${extractor + 1}.` });
      }
      return right("Root", { type: "extractor", version });
    }
    default: {
      const amount = parseOpen(draft.value);
      if (!amount) return wrong({ value: "Write an amount of OPEN, such as 1000." });
      return right("Root", { type: draft.rule, amount });
    }
  }
}

function readSlash({ slash }: Draft, { slashes }: Bounds): Read {
  const found = slash === "" ? slashes[0] : slashes.find((one) => slashKey(one) === slash);
  if (found) return right("GeneralAdmin", { type: "slash", era: found.era, place: found.place });
  return wrong({
    slash: slashes.length === 0 ? "No slash waits." : "It does not wait any more; choose another one.",
  });
}

function readUndoing(draft: Draft, bounds: Bounds): Read {
  if (draft.undoing === "slash") return readSlash(draft, bounds);
  const { referenda, spends } = bounds;
  const index = whole(draft.index);
  const [what, count] = draft.undoing === "void" ? ["spend", spends] : ["referendum", referenda];
  if (index === null || index >= count) {
    return wrong({
      index:
        count === 0
          ? `There has been no ${what} yet.`
          : `Write the number of a ${what}, from 0 to ${formatCount(count - 1)}.`,
    });
  }
  return right("GeneralAdmin", { type: draft.undoing, index });
}

/** A proposal that is typed, or what is wrong with each field. */
export function readProposal(draft: Draft, bounds: Bounds): Read {
  switch (draft.kind) {
    case "spend":
      return readSpend(draft, bounds);
    case "upgrade": {
      const hash = readHash(draft.hash);
      return hash ? right("Root", { type: "upgrade", hash }) : wrong({ hash: HASH });
    }
    case "rule":
      return readRule(draft, bounds);
    case "undo":
      return readUndoing(draft, bounds);
    case "bytes": {
      const bytes = readBytes(draft.bytes);
      if (!bytes) return wrong({ bytes: "Write a call in hexadecimal, an even number of digits." });
      if (bytes.length > MOST_TYPED) {
        return wrong({
          bytes: `The call has ${formatCount(bytes.length)} bytes; this page takes ${formatCount(MOST_TYPED)}. Note a larger one with a program, and propose it by its hash.`,
        });
      }
      return right(draft.origin, { type: "bytes", bytes });
    }
    case "preimage": {
      const hash = readHash(draft.preimage);
      const length = whole(draft.length);
      if (hash && length) return right(draft.origin, { type: "preimage", hash, length });
      return wrong({
        ...(hash ? {} : { preimage: HASH }),
        ...(length ? {} : { length: "Write how many bytes it has." }),
      });
    }
  }
}

/** Held for a preimage: `PreimageBase` and `PreimageByte` of runtime/src/governance. */
export const preimageDeposit = (bytes: number) => OPEN / 10n + (BigInt(bytes) * OPEN) / 10_000n;
