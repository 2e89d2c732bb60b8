// Sealed votes are kept in this browser (IndexedDB) until they are revealed: who loses a salt loses a part of its
// seats. What was committed to is on disk before anything is sent, and no vote takes the place of another.

import type { Account } from "@/accounts/state";
import { storeOf } from "@/lib/keeping";
import type { Ahead } from "./ahead";
import { anyKept, flag } from "./kept";
import { commitmentOf, type Vote } from "./sealed";

export interface KeptVote extends Vote {
  /** What is committed to: what a vote is kept under. */
  commitment: string;
  /** The chain, by its genesis. */
  genesis: string;
  /** Who signs. */
  account: Account;
  /** Its reveal, where that is signed already. */
  ahead?: Ahead;
}

const inStore = storeOf("openledger-votes", "votes", "commitment");

export async function keptVotes(): Promise<KeptVote[]> {
  const votes = await inStore("readonly", (store) => store.getAll() as IDBRequest<KeptVote[]>);
  if (anyKept.get() !== votes.length > 0) flag(votes.length > 0);
  return votes;
}

/** Keeps a vote. When this resolves it is on the disk. */
export async function keepVote(vote: KeptVote): Promise<void> {
  await inStore("readwrite", (store) => store.put(vote));
  flag(true);
}

export async function dropVote(commitment: string): Promise<void> {
  await inStore("readwrite", (store) => store.delete(commitment));
  await keptVotes();
}

/** What a file of exported votes is. */
interface Exported {
  what: "OpenLedger sealed votes";
  version: 1;
  votes: KeptVote[];
}

/** All votes that are kept, for another browser. Who has it can show them before their time. */
export async function exportVotes(): Promise<string> {
  const exported: Exported = {
    what: "OpenLedger sealed votes",
    version: 1,
    votes: await keptVotes(),
  };
  return JSON.stringify(exported, null, 2);
}

/** Takes votes of another browser, signed for by `account`. Returns how many; throws what is wrong with the text. */
export async function importVotes(text: string, account: Account): Promise<number> {
  let read: Partial<Exported>;
  try {
    read = JSON.parse(text) as Partial<Exported>;
  } catch {
    throw new Error("This is no file of sealed votes.");
  }
  if (read.what !== "OpenLedger sealed votes" || read.version !== 1 || !Array.isArray(read.votes)) {
    throw new Error("This is no file of sealed votes.");
  }
  let taken = 0;
  for (const vote of read.votes) {
    // What does not open its own commitment is of no use, and nobody else can reveal it.
    const whole = await commitmentOf(vote).catch(() => null);
    if (whole !== vote.commitment) throw new Error("A vote in this file was changed: it does not open.");
    if (vote.address !== account.address) continue;
    await keepVote({ ...vote, account });
    taken += 1;
  }
  if (taken === 0) throw new Error("None of these votes is the chosen account's.");
  return taken;
}
