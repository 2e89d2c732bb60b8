// The accounts of people.ts, all there after one transaction: a block for each would be half of the network's start.

import { getPublicKey, sign } from "@scure/sr25519";
import { createClient } from "polkadot-api";
import { getPolkadotSigner } from "polkadot-api/signer";
import { getWsProvider } from "polkadot-api/ws";
import { developmentKey } from "../wallet.ts";

const OPEN = 10n ** 18n;

/** Who is given OPEN, how much, and who becomes a contributor. */
export interface Given {
  endowed: ReadonlyMap<string, bigint>;
  registered: readonly string[];
}

/** Has an account give OPEN to others and register them; resolves once that is in a block. */
export async function give(node: string, from: string, { endowed, registered }: Given): Promise<void> {
  const client = createClient(getWsProvider(node));
  try {
    const { tx } = client.getUnsafeApi();
    const { secret } = await developmentKey(from);
    const signer = getPolkadotSigner(getPublicKey(secret), "Sr25519", (bytes) => sign(secret, bytes));
    const address = async (name: string) => (await developmentKey(name)).address;
    const calls = await Promise.all([
      ...[...endowed].map(async ([name, amount]) => {
        const dest = { type: "Id", value: await address(name) };
        return tx.Balances?.transfer_keep_alive?.({ dest, value: amount * OPEN }).decodedCall;
      }),
      ...registered.map(
        async (name) => tx.Datanets?.register_for?.({ contributor: await address(name) }).decodedCall,
      ),
    ]);
    const batch = tx.Utility?.batch_all?.({ calls });
    if (!batch) throw new Error("the chain has no Utility.batch_all");
    await new Promise<void>((resolve, reject) => {
      batch.signSubmitAndWatch(signer).subscribe({
        next: (event) => {
          if (event.type !== "txBestBlocksState" || !event.found) return;
          if (event.ok) resolve();
          else reject(new Error(`the accounts are not there: ${JSON.stringify(event.dispatchError)}`));
        },
        error: reject,
      });
    });
  } finally {
    client.destroy();
  }
}
