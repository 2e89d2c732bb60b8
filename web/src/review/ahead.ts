// A reveal that is signed when it is sealed: what it shows is settled then, so that nobody has to be there when it is
// sent. It is good for the account's next transaction only; where another one comes between, the signature is asked
// for again when reveals open.

import type { Account } from "@/accounts/state";
import { revealOf } from "./sealed";
import { type KeptVote, keepVote } from "./votes";

/** Blocks for which it is good: sealing and revealing together have less than half of them anywhere. */
const BLOCKS = 4096;

export interface Ahead {
  /** The signed transaction, in hexadecimal. */
  signed: string;
  /** The account's nonce for which it is good. */
  nonce: number;
}

const toHex = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

async function nonceOf(address: string): Promise<number> {
  const { getChain } = await import("@/chain/client");
  return (await getChain().api.query.System.Account.getValue(address, { at: "best" })).nonce;
}

/** Signs the reveal of a vote that is in a block, and keeps it. Whoever does not sign is asked when reveals open. */
export async function signAhead(account: Account, vote: KeptVote): Promise<boolean> {
  try {
    const [{ getSigner }, { getChain }, nonce] = await Promise.all([
      import("@/accounts/signing"),
      import("@/chain/client"),
      nonceOf(account.address),
    ]);
    const signed = await getChain()
      .api.tx.Review.reveal(revealOf(vote))
      .sign(await getSigner(account), { nonce, mortality: { mortal: true, period: BLOCKS } });
    await keepVote({ ...vote, ahead: { signed: toHex(signed), nonce } });
    return true;
  } catch {
    return false;
  }
}

const broken = new Set<string>();

/** Sends what was signed ahead. False where there is nothing, or nothing that is good any more. */
export async function sendAhead(vote: KeptVote): Promise<boolean> {
  const { ahead, commitment, address } = vote;
  if (!ahead || broken.has(commitment) || (await nonceOf(address)) !== ahead.nonce) return false;
  const { getChain } = await import("@/chain/client");
  const bytes = Uint8Array.from(ahead.signed.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  try {
    const { ok } = await getChain().client.submit(bytes);
    if (ok) return true;
  } catch {
    // The next look asks for a signature.
  }
  broken.add(commitment);
  return false;
}
