// Reveals what was sealed in this browser as soon as the chain lets it: whoever does not loses a part of its seats.

import { createElement } from "react";
import { queryClient } from "@/api/queryClient";
import { toast } from "@/app/toasts";
import type { Api } from "@/chain/client";
import { pending, transact } from "@/chain/transactions";
import { createStore } from "@/lib/store";
import { sendAhead } from "./ahead";
import type { ChainDraw } from "./committee";
import { revealOf } from "./sealed";
import { dropVote, type KeptVote, keptVotes } from "./votes";

/** How a kept vote stands to the chain. */
export type Standing =
  /** Sealed; reveals are not open yet. */
  | "sealed"
  /** Can be revealed now. */
  | "open"
  /** The chain has no such commitment of the account: it was never sent, or another one was. */
  | "unsent"
  /** Revealed, or the draw is over. */
  | "done";

export function standingOf(
  vote: Pick<KeptVote, "address" | "commitment">,
  draw: ChainDraw | null | undefined,
): Standing {
  if (draw === null) return "done";
  if (draw === undefined) return "unsent";
  const member = draw.members.find(({ account }) => account === vote.address);
  const progress = member?.progress;
  if (progress?.type === "Revealed") return "done";
  const phase = draw.phase.type;
  if (progress?.type === "Committed" && progress.value === `0x${vote.commitment}`) {
    return phase === "Revealing" ? "open" : phase === "Committing" ? "sealed" : "done";
  }
  return phase === "Committing" ? "unsent" : "done";
}

export interface Watched {
  vote: KeptVote;
  standing: Standing;
  /** Whether it was asked to be signed and was not. */
  declined: boolean;
}

/** Kept votes as the chain has them. */
export const watched = createStore<readonly Watched[]>([]);

const declined = new Set<string>();
let busy = false;

/** Shows a vote. */
export async function reveal(vote: KeptVote): Promise<void> {
  // Another dialog is open: the next look comes in some seconds.
  if (pending.get()) return;
  const done = await transact(vote.account, {
    title: `Reveal the votes of draw ${vote.draw}`,
    words: createElement(
      "p",
      null,
      "Shows what you sealed. What is not revealed in time costs more than revealing pays.",
    ),
    free: "Revealing costs no fee if it succeeds.",
    agreed: true,
    build: (api) => api.tx.Review.reveal(revealOf(vote)),
  });
  if (!done) {
    declined.add(vote.commitment);
    return;
  }
  declined.delete(vote.commitment);
  toast(`The votes of draw ${vote.draw} are revealed`, "good");
  void queryClient.invalidateQueries({ queryKey: ["draw"] });
}

/** A draw at a block; null once it is over, and undefined where the block knows nothing of it yet. */
async function drawAt(
  api: Api,
  draw: number,
  at: "best" | "finalized",
): Promise<ChainDraw | null | undefined> {
  const [found, [next]] = await Promise.all([
    api.apis.CommitteeApi.draw(BigInt(draw), { at }),
    api.apis.CommitteeApi.next_draw({ at }),
  ]);
  if (found) return found.draw;
  return BigInt(draw) < next ? null : undefined;
}

/** Looks at what is kept, forgets what is over, and reveals what can be. */
export async function look(): Promise<void> {
  if (busy) return;
  busy = true;
  try {
    const { getChain } = await import("@/chain/client");
    const { client, api } = getChain();
    const { genesisHash } = await client.getChainSpecData();
    const seen: Watched[] = [];
    for (const vote of await keptVotes()) {
      // Of another network that this gateway showed before.
      if (vote.genesis !== genesisHash) continue;
      const standing = standingOf(vote, await drawAt(api, vote.draw, "best"));
      if (standing !== "done") seen.push({ vote, standing, declined: declined.has(vote.commitment) });
      // What a block says that is not final may be unsaid, and a salt that is gone is gone.
      else if (standingOf(vote, await drawAt(api, vote.draw, "finalized")) === "done") {
        await dropVote(vote.commitment);
      }
    }
    watched.set(seen);
    const open = seen.filter(({ standing }) => standing === "open");
    for (const { vote } of open) {
      if (await sendAhead(vote)) {
        toast(`The votes of draw ${vote.draw} are revealed`, "good");
        void queryClient.invalidateQueries({ queryKey: ["draw"] });
        return;
      }
    }
    const next = open.find(({ declined: refused }) => !refused);
    // A dialog may stand open for long, and other votes have their time meanwhile.
    if (next) void reveal(next.vote);
  } finally {
    busy = false;
  }
}
