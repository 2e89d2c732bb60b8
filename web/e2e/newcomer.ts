import { signed } from "./network/chain.ts";
import { newKey, type WalletKey } from "./wallet.ts";

/** A new account with OPEN of somebody's, so that a test finds it as it was when it is tried again. */
export async function newcomer(name: string, from: string, open: bigint): Promise<WalletKey> {
  const key = newKey(name);
  await signed(process.env.OPENLEDGER_E2E_NODE ?? "", from, (call) =>
    call("Balances", "transfer_keep_alive", {
      dest: { type: "Id", value: key.address },
      value: open * 10n ** 18n,
    }),
  );
  return key;
}
