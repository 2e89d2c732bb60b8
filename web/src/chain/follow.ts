import type { PolkadotSigner } from "polkadot-api";
import { type Problem, ProblemError } from "@/lib/problem";
import { describeDispatchError, describeFailure } from "./errors";
import type { TransactionResult } from "./transactions";

/** Where a transaction is. */
export type Stage =
  | { at: "signing" }
  | { at: "sent" }
  | { at: "inBlock"; result: TransactionResult }
  | { at: "finalised"; result: TransactionResult }
  | { at: "failed"; problem: Problem };

interface Payload {
  ok: boolean;
  dispatchError?: unknown;
  block: TransactionResult["block"];
  events: unknown[];
}

export type WatchEvent = { txHash: string } & (
  | { type: "signed" }
  | { type: "broadcasted" }
  | ({ type: "txBestBlocksState"; found: boolean; isValid?: boolean } & Partial<Payload>)
  | ({ type: "finalized" } & Payload)
);

/** The part of papi's transactions that is used here. */
export interface Watchable {
  signSubmitAndWatch(signer: PolkadotSigner): {
    subscribe(observer: { next(event: WatchEvent): void; error(error: unknown): void }): {
      unsubscribe(): void;
    };
  };
}

/** Signs and sends, and tells each stage; a block that is left again is told as sent. */
export function follow(
  transaction: Watchable,
  signer: PolkadotSigner,
  tell: (stage: Stage) => void,
): { unsubscribe(): void } {
  tell({ at: "signing" });
  return transaction.signSubmitAndWatch(signer).subscribe({
    next(event) {
      if (event.type === "signed") return;
      if (event.type === "broadcasted") {
        tell({ at: "sent" });
        return;
      }
      if (event.type === "txBestBlocksState" && !event.found) {
        if (event.isValid === false) {
          tell({
            at: "failed",
            problem: {
              title: "The chain no longer takes the transaction; it did nothing and cost nothing",
              next: "Send it again.",
            },
          });
        } else {
          tell({ at: "sent" });
        }
        return;
      }
      const payload = event as { txHash: string } & Payload;
      if (!payload.ok) {
        const problem = describeDispatchError(payload.dispatchError as { type: string });
        tell({ at: "failed", problem });
        return;
      }
      const result: TransactionResult = {
        hash: event.txHash,
        block: payload.block,
        events: payload.events as TransactionResult["events"],
      };
      tell(event.type === "finalized" ? { at: "finalised", result } : { at: "inBlock", result });
    },
    error(error) {
      tell({ at: "failed", problem: describeFailure(error) });
    },
  });
}

/** The first event of a kind in a result: `eventOf(result, "Datanets", "DatanetCreated")`. @public */
export function eventOf<T>(result: TransactionResult, pallet: string, name: string): T {
  const found = result.events.find((event) => event.type === pallet && event.value.type === name);
  if (!found)
    throw new ProblemError(
      `The transaction in block ${result.block.number} lacks its event ${pallet}::${name}`,
    );
  return found.value.value as T;
}
