// Upload sessions: one signature of a text that names page, chain and account opens one. The token lives in
// this page's memory alone.

import type { Account } from "@/accounts/state";
import { request } from "@/api/request";
import type { Challenge, SessionAnswer } from "@/api/types";
import { ProblemError } from "@/lib/problem";
import { createStore, useStore } from "@/lib/store";

/** Time that a request made with a session may still take. */
const MARGIN = 60_000;
const sessions = createStore<Readonly<Record<string, SessionAnswer>>>({});
const opening = new Map<string, Promise<string>>();

/** The token of an account's open session. */
export function openToken(address: string, now = Date.now()): string | null {
  const session = sessions.get()[address];
  return session && session.expiresAt - MARGIN > now ? session.token : null;
}

/** Whether an account has a session, for what is shown. */
export function useHasSession(address: string | undefined): boolean {
  useStore(sessions);
  return address !== undefined && openToken(address) !== null;
}

/** The account's session; asks for a signature where none is open. */
export function getToken(account: Account): Promise<string> {
  const { address } = account;
  const open = openToken(address);
  if (open) return Promise.resolve(open);
  const asked = opening.get(address);
  if (asked) return asked;
  const made = begin(account).finally(() => opening.delete(address));
  opening.set(address, made);
  return made;
}

async function begin(account: Account): Promise<string> {
  const { address } = account;
  const challenge = await request<Challenge>("/v1/sessions/challenge", {
    method: "POST",
    body: { account: address, purpose: "upload" },
  });
  const { signText } = await import("@/accounts/signing");
  let signature: string;
  try {
    signature = await signText(account, challenge.message);
  } catch (cause) {
    if (cause instanceof ProblemError) throw cause;
    throw new ProblemError(
      "The upload was not signed",
      "Nothing was sent. Sign the message to let this page send your files; it costs nothing.",
      { cause },
    );
  }
  const session = await request<SessionAnswer>("/v1/sessions", {
    method: "POST",
    body: { account: address, nonce: challenge.nonce, signature },
  });
  sessions.set((all) => ({ ...all, [address]: session }));
  return session.token;
}

/** Forgets a session that the gateway knows no more. */
export function forgetSession(address: string): void {
  sessions.set(({ [address]: _, ...rest }) => rest);
}
