// An upload session: one signature lets this page send files of an account for some hours. Its token stays in
// memory, so a page that is opened again asks for another signature.

import type { Account } from "@/accounts/state";
import { request } from "@/api/request";
import { ProblemError } from "@/lib/problem";

interface Session {
  token: string;
  expiresAt: number;
}

const sessions = new Map<string, Session>();
/** A session is not begun to be used when it is about to end. */
const MARGIN = 60_000;

/** The token of an account's session, for which its wallet is asked if there is none. */
export async function sessionToken(account: Account): Promise<string> {
  const kept = sessions.get(account.address);
  if (kept && kept.expiresAt - MARGIN > Date.now()) return kept.token;
  const challenge = await request<{ message: string; nonce: string }>("/v1/sessions/challenge", {
    method: "POST",
    body: { account: account.address, purpose: "upload" },
  });
  const { signText } = await import("@/accounts/signing");
  let signature: string;
  try {
    signature = await signText(account, challenge.message);
  } catch (cause) {
    if (cause instanceof ProblemError) throw cause;
    throw new ProblemError(
      "The upload was not signed",
      "Nothing was sent. Sign the message to let this page store your files; it costs nothing.",
      { cause },
    );
  }
  const session = await request<Session>("/v1/sessions", {
    method: "POST",
    body: { account: account.address, nonce: challenge.nonce, signature },
  });
  sessions.set(account.address, session);
  return session.token;
}

/** Forgets a session that the gateway does not know any more. */
export function forgetSession(account: Account): void {
  sessions.delete(account.address);
}
