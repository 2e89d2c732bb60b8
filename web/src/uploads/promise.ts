// Promises of files: hashes that only their account can open, which stand on chain before anybody can see what
// they are of. docs/submissions.md, "Who was first".

import { decodeAddress } from "@/accounts/address";
import { toHex } from "@/content/contentId";
import { ProblemError } from "@/lib/problem";

/** primitives/src/precommit.rs */
const TAG = "openledger/precommit";

export function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Thirty-two random bytes, in hexadecimal. */
export function newSalt(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(32)));
}

/** The promise of an account's file: `sha256(tag ++ account ++ datanet ++ sha256 ++ salt)`, in hexadecimal. */
export async function promiseOf(
  account: Uint8Array,
  datanet: number,
  sha256: string,
  salt: string,
): Promise<string> {
  const number = new Uint8Array(4);
  new DataView(number.buffer).setUint32(0, datanet, true);
  const parts = [new TextEncoder().encode(TAG), account, number, fromHex(sha256), fromHex(salt)];
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", whole)));
}

export function publicKeyOf(address: string): Uint8Array {
  const key = decodeAddress(address);
  if (!key) throw new ProblemError("This is no account", "Choose another one on the page Accounts.");
  return key;
}

/** A submission of the same file by somebody else. */
interface Taken {
  submission: number;
  /** Whether an older promise takes its place. */
  younger: boolean;
}

/** What the chain has of a file that was promised in this browser. */
export type Standing =
  /** Its promise can be opened until a block. */
  | { at: "promised"; until: number; taken: Taken | null }
  /** It was opened: it is a submission of the account. */
  | { at: "open"; submission: number }
  /** It stands there for another account, for good. */
  | { at: "lost"; submission: number }
  /** No promise of it stands: it never came, or its day is over. */
  | { at: "none" };

/** Where promised files stand on the chain now. */
export async function standingOf(
  address: string,
  datanet: number,
  files: readonly { sha256: string; salt: string }[],
): Promise<Standing[]> {
  const { getChain } = await import("@/chain/client");
  const { DatanetsApi } = getChain().api.apis;
  const at = { at: "best" } as const;
  const key = publicKeyOf(address);
  const promises = new Map(
    (await DatanetsApi.precommits(address, at)).map((promise) => [
      promise.commitment.replace(/^0x/, ""),
      promise,
    ]),
  );
  return Promise.all(
    files.map(async ({ sha256, salt }): Promise<Standing> => {
      const [promise, there] = await Promise.all([
        promiseOf(key, datanet, sha256, salt),
        DatanetsApi.submission(datanet, { type: "Sha256", value: `0x${sha256}` }, at),
      ]);
      const stands = promises.get(promise);
      const state = there?.state;
      const submission = Number(there?.submission ?? 0);
      if (state && state.type !== "Refused" && there?.contributor === address && !stands) {
        return { at: "open", submission };
      }
      if (state?.type === "Accepted") return { at: "lost", submission };
      if (!stands) return { at: "none" };
      const taken = state?.type === "Pending" ? { submission, younger: stands.at < state.value.age } : null;
      return { at: "promised", until: stands.expires_at, taken };
    }),
  );
}
