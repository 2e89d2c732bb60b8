// Transactions that no command sends, signed by the tests themselves.

import { getPublicKey, sign } from "@scure/sr25519";
import { createClient, type PolkadotClient } from "polkadot-api";
import { getPolkadotSigner } from "polkadot-api/signer";
import { getWsProvider } from "polkadot-api/ws";
import { developmentKey } from "../wallet.ts";

type UnsafeApi = ReturnType<PolkadotClient["getUnsafeApi"]>;
type Transaction = ReturnType<NonNullable<NonNullable<UnsafeApi["tx"][string]>[string]>>;

/** Makes a call by its name: `call("Balances", "transfer_keep_alive", { … })`. */
export type Calls = (pallet: string, name: string, given: unknown) => Transaction;

/** Asks a node something by its runtime API or storage. */
export async function asked<T>(node: string, ask: (api: UnsafeApi) => Promise<T>): Promise<T> {
  const client = createClient(getWsProvider(node));
  try {
    return await ask(client.getUnsafeApi());
  } finally {
    client.destroy();
  }
}

/** Has somebody sign what `make` makes; resolves once it is in a block, with its events. */
export async function signed(
  node: string,
  name: string,
  make: (call: Calls, api: UnsafeApi) => Transaction | Promise<Transaction>,
): Promise<{ type: string; value: { type: string; value: unknown } }[]> {
  const client = createClient(getWsProvider(node));
  try {
    const api = client.getUnsafeApi();
    const { tx } = api;
    const { secret } = await developmentKey(name);
    const signer = getPolkadotSigner(getPublicKey(secret), "Sr25519", (bytes) => sign(secret, bytes));
    const made = await make((pallet, name, given) => {
      const call = tx[pallet]?.[name];
      if (!call) throw new Error(`the chain has no ${pallet}.${name}`);
      return call(given);
    }, api);
    return await new Promise((resolve, reject) => {
      made.signSubmitAndWatch(signer).subscribe({
        next: (event) => {
          if (event.type !== "txBestBlocksState" || !event.found) return;
          if (event.ok) resolve(event.events as never);
          else reject(new Error(`${name}: ${JSON.stringify(event.dispatchError)}`));
        },
        error: reject,
      });
    });
  } finally {
    client.destroy();
  }
}
