import { request } from "@/api/request";
import type { Config } from "@/api/types";
import { type Account, selectedAccount } from "./state";

// Wallets put themselves into `window.injectedWeb3`. Listing them needs no library; signing loads one
// (signing.ts).

interface Injected {
  enable: (origin: string) => Promise<{
    accounts: {
      get: () => Promise<{ address: string; name?: string; type?: string; genesisHash?: string | null }[]>;
    };
  }>;
}

const names: Record<string, string> = {
  "polkadot-js": "polkadot{.js}",
  "subwallet-js": "SubWallet",
  talisman: "Talisman",
  "fearless-wallet": "Fearless",
  enkrypt: "Enkrypt",
  "nova-wallet": "Nova Wallet",
};

/** An extension as people know it. */
export function extensionName(id: string): string {
  return names[id] ?? id;
}

function injected(): Record<string, Injected | undefined> {
  return (window as { injectedWeb3?: Record<string, Injected | undefined> }).injectedWeb3 ?? {};
}

/** The wallets of this browser. */
export function listExtensions(): string[] {
  return Object.keys(injected()).sort();
}

/** An account that a wallet shares. */
export interface Shared {
  account: Account;
  /** The wallet keeps it for another chain and would sign nothing for this one. */
  elsewhere: boolean;
}

/** Asks a wallet for its accounts; it asks the user the first time. */
export async function extensionAccounts(extension: string): Promise<Shared[]> {
  const wallet = injected()[extension];
  if (!wallet) throw new Error(`${extensionName(extension)} is not in this browser any more`);
  const [enabled, { toNetworkAddress }, config] = await Promise.all([
    wallet.enable("OpenLedger"),
    import("./address"),
    request<Config>("/v1/config"),
  ]);
  const accounts = await enabled.accounts.get();
  return accounts
    .filter(({ type }) => type !== "ethereum")
    .map(({ address, name, genesisHash }) => ({
      account: {
        address: toNetworkAddress(address),
        name: name || extensionName(extension),
        source: { kind: "extension", extension },
      },
      elsewhere: Boolean(genesisHash) && genesisHash?.replace(/^0x/, "") !== config.genesisHash,
    }));
}

/** Acts as an account from now on; null acts as nobody. */
export function select(account: Account | null): void {
  selectedAccount.set(account);
}
