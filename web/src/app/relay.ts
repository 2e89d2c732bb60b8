// Whether the chain answers over the gateway's relay. chain/client.ts says it; it is loaded only where a page asks
// the chain, and so cannot be asked itself.

import { createStore } from "@/lib/store";

/** How long one waits for the chain before one is told that one does. */
const PATIENCE = 5_000;

export const relay = createStore<{ waits: boolean }>({ waits: false });

let patience: ReturnType<typeof setTimeout> | undefined;

/** The chain was asked something. */
export function relayWaits(): void {
  patience ??= setTimeout(() => relay.set({ waits: true }), PATIENCE);
}

/** The chain answered; `more` says that other answers are still to come. */
export function relayAnswers(more: boolean): void {
  clearTimeout(patience);
  patience = undefined;
  if (relay.get().waits) relay.set({ waits: false });
  if (more) relayWaits();
}
