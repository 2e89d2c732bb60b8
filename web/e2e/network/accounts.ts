// The accounts of people.ts, all there after one transaction: a block for each would be half of the network's start.

import { developmentKey } from "../wallet.ts";
import { signed } from "./chain.ts";

const OPEN = 10n ** 18n;

/** Who is given OPEN, how much, and who becomes a contributor. */
export interface Given {
  endowed: ReadonlyMap<string, bigint>;
  registered: readonly string[];
}

/** Has an account give OPEN to others and register them; resolves once that is in a block. */
export async function give(node: string, from: string, { endowed, registered }: Given): Promise<void> {
  const address = async (name: string) => (await developmentKey(name)).address;
  await signed(node, from, async (call) => {
    const transactions = await Promise.all([
      ...[...endowed].map(async ([name, amount]) => {
        const dest = { type: "Id", value: await address(name) };
        return call("Balances", "transfer_keep_alive", { dest, value: amount * OPEN });
      }),
      ...registered.map(async (name) =>
        call("Datanets", "register_for", { contributor: await address(name) }),
      ),
    ]);
    return call("Utility", "batch_all", { calls: transactions.map(({ decodedCall }) => decodedCall) });
  });
}
