// Sealing a vote: words are gathered file by file, kept on disk, and committed to.

import type { Account } from "@/accounts/state";
import { queryClient } from "@/api/queryClient";
import type { DrawDetail, Preview } from "@/api/types";
import { toast } from "@/app/toasts";
import { transact } from "@/chain/transactions";
import { plural } from "@/lib/format";
import { describeProblem, ProblemError } from "@/lib/problem";
import { signAhead } from "@/review/ahead";
import { fileQuery } from "@/review/file";
import { look } from "@/review/reveal";
import { commitmentOf, type Opinion, possessionOf, saidOf, type Vote } from "@/review/sealed";
import type { Choice } from "@/review/verdict";
import { type KeptVote, keepVote } from "@/review/votes";
import { newSalt } from "@/uploads/promise";

/** What is said of a file of a draw; without a choice that it cannot be fetched, or, where it is here, compared. */
export interface Gathered {
  choice: Choice | null;
  preview: Preview | null;
  here?: boolean;
}

const NOTHING = "00".repeat(32);

/** The proof comes from the bytes that this browser fetched and hashed, not from what the gateway says. */
async function opinionOf(
  file: DrawDetail["files"][number],
  { choice, preview, here = false }: Gathered,
  seed: string,
): Promise<Opinion> {
  const said = saidOf(choice, preview);
  if (said.kind === "unavailable" && !here) return { said, possession: NOTHING };
  const blob = await queryClient.fetchQuery(fileQuery(file));
  return { said, possession: await possessionOf(seed, blob) };
}

/** Seals what was gathered about every file of a draw. Whether it was sent. */
export async function seal(
  account: Account,
  draw: DrawDetail,
  gathered: ReadonlyMap<number, Gathered>,
): Promise<boolean> {
  try {
    const { seed } = draw;
    if (seed === null)
      throw new ProblemError("The committee of this draw is not known yet", "Try again in a moment.");
    const opinions = await Promise.all(
      draw.files.map((file) => {
        const said = gathered.get(file.submission);
        if (!said) throw new ProblemError(`Submission ${file.submission} has no word of yours yet`);
        return opinionOf(file, said, seed);
      }),
    );
    const vote: Vote = { draw: draw.id, seed, address: account.address, opinions, salt: newSalt() };
    const commitment = await commitmentOf(vote);
    const { getChain } = await import("@/chain/client");
    const { genesisHash: genesis } = await getChain().client.getChainSpecData();
    const kept: KeptVote = { ...vote, commitment, genesis, account };
    try {
      // Kept before it is sent: a vote that nobody can reveal costs a part of a seat.
      await keepVote(kept);
    } catch {
      throw new ProblemError(
        "This browser keeps nothing, so that the vote could not be revealed",
        "Leave private browsing, or judge with `openledger review commit`.",
      );
    }
    const done = await transact(account, {
      title: `Seal your word on ${plural(opinions.length, "file")}`,
      words:
        "Nobody sees what you say before all have sealed. It takes two signatures: the second, asked for when the first is in a block, reveals it later by itself, as long as this app is open.",
      free: "Sealing costs no fee if it succeeds.",
      build: (api) => api.tx.Review.commit({ draw: BigInt(draw.id), commitment: `0x${commitment}` }),
    });
    // What was not signed stays kept until the draw is over: whether it was sent all the same, the chain says.
    if (done && !(await signAhead(account, kept))) {
      toast("The reveal is not signed yet; this app asks for it when reveals open", "info");
    }
    void look().catch(() => undefined);
    return done !== null;
  } catch (error) {
    const { title, next } = describeProblem(error);
    toast(next ? `${title}. ${next}` : title, "bad");
    return false;
  }
}
