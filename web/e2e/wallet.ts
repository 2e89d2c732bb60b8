// A wallet extension as stock ones are: it is given the polkadot-js payload as JSON, encodes it by itself,
// and signs with a real key. It knows nothing of OpenLedger.

import { blake2b } from "@noble/hashes/blake2.js";
import type { Page } from "@playwright/test";
import { getPublicKey, HDKD, secretFromSeed, sign } from "@scure/sr25519";
import { encodeAddress } from "../src/accounts/address.ts";
import { fromWords } from "../src/accounts/secret.ts";

const DEVELOPMENT = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";

export interface WalletKey {
  name: string;
  address: string;
  secret: Uint8Array;
  /** The chain that the wallet keeps the account for; missing for all. */
  genesisHash?: string;
}

/** A development account by its name, such as Alice; it has OPEN on a development chain. */
export async function developmentKey(name: string): Promise<WalletKey> {
  const { key } = await fromWords(DEVELOPMENT);
  const code = new Uint8Array(32);
  const text = new TextEncoder().encode(name);
  code.set([text.length << 2, ...text]);
  const secret = HDKD.secretHard(key, code);
  return { name, address: encodeAddress(getPublicKey(secret)), secret };
}

/** A new account with nothing. */
export function newKey(name: string): WalletKey {
  const secret = secretFromSeed(crypto.getRandomValues(new Uint8Array(32)));
  return { name, address: encodeAddress(getPublicKey(secret)), secret };
}

interface Payload {
  address: string;
  blockHash: string;
  era: string;
  genesisHash: string;
  method: string;
  mode?: number;
  metadataHash?: string;
  nonce: string;
  signedExtensions: string[];
  specVersion: string;
  tip: string;
  transactionVersion: string;
  version: number;
}

function bytes(hex: string): number[] {
  const digits = hex.replace(/^0x/, "");
  return Array.from({ length: digits.length / 2 }, (_, n) =>
    Number.parseInt(digits.slice(n * 2, n * 2 + 2), 16),
  );
}

function littleEndian(value: bigint, length: number): number[] {
  return Array.from({ length }, (_, n) => Number((value >> BigInt(8 * n)) & 0xffn));
}

function compact(value: bigint): number[] {
  if (value < 1n << 6n) return [Number(value) << 2];
  if (value < 1n << 14n) return littleEndian((value << 2n) | 1n, 2);
  if (value < 1n << 30n) return littleEndian((value << 2n) | 2n, 4);
  const length = Math.ceil(value.toString(16).length / 2);
  return [((length - 4) << 2) | 3, ...littleEndian(value, length)];
}

/** What is signed, as a wallet makes it of the payload: extensions without a known part add nothing. */
function encode(payload: Payload): Uint8Array {
  const extra: number[] = [];
  const additional: number[] = [];
  for (const extension of payload.signedExtensions) {
    switch (extension) {
      case "CheckSpecVersion":
        additional.push(...littleEndian(BigInt(payload.specVersion), 4));
        break;
      case "CheckTxVersion":
        additional.push(...littleEndian(BigInt(payload.transactionVersion), 4));
        break;
      case "CheckGenesis":
        additional.push(...bytes(payload.genesisHash));
        break;
      case "CheckMortality":
      case "CheckEra":
        extra.push(...bytes(payload.era));
        additional.push(...bytes(payload.blockHash));
        break;
      case "CheckNonce":
        extra.push(...compact(BigInt(payload.nonce)));
        break;
      case "ChargeTransactionPayment":
        extra.push(...compact(BigInt(payload.tip)));
        break;
      case "CheckMetadataHash":
        extra.push(payload.mode ?? 0);
        additional.push(...(payload.metadataHash ? [1, ...bytes(payload.metadataHash)] : [0]));
        break;
    }
  }
  const whole = Uint8Array.from([...bytes(payload.method), ...extra, ...additional]);
  return whole.length > 256 ? blake2b(whole, { dkLen: 32 }) : whole;
}

/** What a test can have the wallet do. */
export interface Wallet {
  /** Whether the user presses "reject" from now on. */
  refuses: boolean;
  /** The chain that it signs for whatever it is asked; null for the page's. */
  genesisHash: string | null;
  /** What was signed, newest last. */
  signed: (Payload | string)[];
}

const held = new WeakMap<Page, readonly WalletKey[]>();

/** The address of an account in the wallet of a page. */
export function addressOf(page: Page, name: string): string {
  const found = held.get(page)?.find((key) => key.name === name);
  if (!found) throw new Error(`the wallet has no account ${name}`);
  return found.address;
}

/** Puts a wallet with these keys into the browser, before the page loads. */
export async function installWallet(page: Page, ...keys: WalletKey[]): Promise<Wallet> {
  held.set(page, keys);
  const wallet: Wallet = { refuses: false, genesisHash: null, signed: [] };
  const secretOf = (address: string) => {
    const key = keys.find((known) => known.address === address);
    if (!key) throw new Error("the wallet has no such account");
    return key.secret;
  };
  const hex = (signature: Uint8Array) =>
    [...signature].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  await page.exposeFunction("walletSignPayload", (payload: Payload) => {
    if (wallet.refuses) return null;
    wallet.signed.push(payload);
    const asked = { ...payload, genesisHash: wallet.genesisHash ?? payload.genesisHash };
    // Wallets prefix the signature with the number of its kind; 1 is sr25519.
    return `0x01${hex(sign(secretOf(payload.address), encode(asked)))}`;
  });
  await page.exposeFunction("walletSignRaw", ({ address, data }: { address: string; data: string }) => {
    if (wallet.refuses) return null;
    const given = Uint8Array.from(bytes(data));
    const text = new TextDecoder().decode(given);
    wallet.signed.push(text);
    const wrapped = text.startsWith("<Bytes>") ? given : new TextEncoder().encode(`<Bytes>${text}</Bytes>`);
    return `0x${hex(sign(secretOf(address), wrapped))}`;
  });
  await page.addInitScript(
    (accounts) => {
      type Sign = (given: unknown) => Promise<string | null>;
      const exposed = window as unknown as {
        walletSignPayload: Sign;
        walletSignRaw: Sign;
        injectedWeb3: unknown;
      };
      let id = 0;
      const signing = (sign: Sign) => async (given: unknown) => {
        const signature = await sign(given);
        if (signature === null) throw new Error("Cancelled");
        id += 1;
        return { id, signature };
      };
      exposed.injectedWeb3 = {
        "test-wallet": {
          version: "1.0.0",
          enable: async () => ({
            accounts: {
              get: async () => accounts,
              subscribe: (listener: (all: unknown) => void) => {
                listener(accounts);
                return () => undefined;
              },
            },
            signer: {
              signPayload: signing((given) => exposed.walletSignPayload(given)),
              signRaw: signing((given) => exposed.walletSignRaw(given)),
            },
          }),
        },
      };
    },
    keys.map(({ name, address, genesisHash }) => ({ name, address, genesisHash, type: "sr25519" })),
  );
  return wallet;
}
