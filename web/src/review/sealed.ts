// A member's sealed word, as `primitives/src/committee/vote.rs` computes it: what is committed to, and the proof that
// one has a file. A test compares both with the chain's own.

import type { Preview } from "@/api/types";
import { toHex } from "@/content/contentId";
import { fromHex, publicKeyOf } from "@/uploads/promise";
import type { Choice, ReasonName } from "./verdict";

const TAG = "openledger/review";
const NOTHING = "00".repeat(32);

/** What is said of a file: accepted or refused as measured, or that its bytes cannot be fetched, or compared. */
export type Said =
  | { kind: "accept"; score: number; units: number; textRoot: string; extractor: number }
  | { kind: "reject"; reason: ReasonName }
  | { kind: "unavailable" };

/** One word of a vote, with the proof of possession. */
export interface Opinion {
  said: Said;
  /** In hexadecimal. With `unavailable` zeros where the file cannot be fetched; where it is here, and cannot be compared, the
   * proof says so. */
  possession: string;
}

/** The chain's codes of reasons: `RejectionReason` of primitives/src/verdict.rs. */
const reasons: readonly { name: ReasonName; type: string }[] = [
  { name: "wrong-format", type: "WrongFormat" },
  { name: "off-topic", type: "OffTopic" },
  { name: "low-quality", type: "LowQuality" },
  { name: "duplicate", type: "Duplicate" },
  { name: "too-small", type: "TooSmall" },
  { name: "harmful", type: "Harmful" },
  { name: "licence", type: "Licence" },
];

/** What a choice about a file that measured like this says. */
export function saidOf(choice: Choice | null, preview: Preview | null): Said {
  if (choice === null) return { kind: "unavailable" };
  if (!choice.accept) return { kind: "reject", reason: choice.reason };
  if (!preview || preview.units === null) throw new Error("nothing was measured");
  return {
    kind: "accept",
    score: choice.score,
    units: preview.units,
    textRoot: preview.textRoot ?? NOTHING,
    extractor: preview.extractor,
  };
}

function join(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function little(value: number, bytes: number): number[] {
  let rest = BigInt(value);
  return Array.from({ length: bytes }, () => {
    const byte = Number(rest & 255n);
    rest >>= 8n;
    return byte;
  });
}

/** SCALE of one word. */
function encodeOne({ said, possession }: Opinion): Uint8Array {
  const proof = fromHex(possession);
  switch (said.kind) {
    case "accept":
      return join(
        [2, said.score, ...little(said.units, 8)],
        fromHex(said.textRoot),
        little(said.extractor, 2),
        proof,
      );
    case "reject":
      return join([1, reasons.findIndex(({ name }) => name === said.reason)], proof);
    case "unavailable":
      return join([3], proof);
  }
}

/** SCALE of a vote: a call has at most 20 files, so that its length is one byte. */
export function encodeOpinions(opinions: readonly Opinion[]): Uint8Array {
  return join([opinions.length * 4], ...opinions.map(encodeOne));
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

/** Proof that one has a file: nobody computes it without the bytes, and it is of no use in another draw. */
export async function possessionOf(seed: string, file: Blob): Promise<string> {
  return sha256(join(fromHex(seed), new Uint8Array(await file.arrayBuffer())));
}

/** What is kept of a vote until it is revealed. */
export interface Vote {
  /** The draw's number. */
  draw: number;
  /** Its seed. */
  seed: string;
  /** Whose, in SS58. */
  address: string;
  opinions: Opinion[];
  salt: string;
}

/** What the account of a vote commits to, in hexadecimal. */
export function commitmentOf({ draw, seed, address, opinions, salt }: Vote): Promise<string> {
  const parts = [new TextEncoder().encode(TAG), little(draw, 8), fromHex(seed), publicKeyOf(address)];
  return sha256(join(...parts, encodeOpinions(opinions), fromHex(salt)));
}

/** A vote as `review.reveal` takes it. */
export function revealOf({ draw, opinions, salt }: Vote) {
  const verdict = (said: Said) => {
    if (said.kind === "unavailable") return { type: "Unavailable", value: undefined } as const;
    if (said.kind === "accept") {
      const { score, units, textRoot, extractor } = said;
      const value = { score, units: BigInt(units), text_root: `0x${textRoot}` as const, extractor };
      return { type: "Accept", value } as const;
    }
    const type = reasons.find(({ name }) => name === said.reason)?.type as "OffTopic";
    return { type: "Reject", value: { type, value: undefined } } as const;
  };
  return {
    draw: BigInt(draw),
    opinions: opinions.map(({ said, possession }) => ({
      verdict: verdict(said),
      possession: `0x${possession}` as const,
    })),
    salt: `0x${salt}` as const,
  };
}
