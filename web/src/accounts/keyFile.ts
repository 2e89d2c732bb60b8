import { xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { scryptAsync } from "@noble/hashes/scrypt.js";
import { base64 } from "@scure/base";
import { getPublicKey } from "@scure/sr25519";
import { ProblemError } from "@/lib/problem";
import { fromKey, type Secret } from "./secret";

// Key files in the JSON format of polkadot-js (version 3), which wallets and `openledger account import` read:
// base64(salt 32 | n 4 | p 4 | r 4 | nonce 24 | secret box of the PKCS #8 key).

const HEADER = 68;
const PKCS8_HEADER = Uint8Array.from([48, 83, 2, 1, 1, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32]);
const PKCS8_DIVIDER = Uint8Array.from([161, 35, 3, 33, 0]);
const WHOLE = PKCS8_HEADER.length + 64 + PKCS8_DIVIDER.length + 32;
/** Costs of scrypt that polkadot-js has written; others could keep a browser busy for ever. */
const ALLOWED = new Set(["8192/10/8", "16384/5/8", "32768/3/8", "32768/1/8", "65536/2/8", "131072/1/8"]);
const COST = { N: 1 << 15, p: 1, r: 8 };
/** A file of ours has about 600 bytes. */
const LONGEST = 16 * 1024;

function join(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

async function boxKey(password: string, salt: Uint8Array, cost: { N: number; p: number; r: number }) {
  const stretched = await scryptAsync(new TextEncoder().encode(password), salt, { ...cost, dkLen: 64 });
  return stretched.subarray(0, 32);
}

/** An encrypted backup of a key. */
export async function writeKeyFile(secret: Secret, name: string, password: string): Promise<string> {
  const salt = crypto.getRandomValues(new Uint8Array(32));
  const nonce = crypto.getRandomValues(new Uint8Array(24));
  const numbers = new DataView(new ArrayBuffer(12));
  [COST.N, COST.p, COST.r].forEach((value, n) => {
    numbers.setUint32(n * 4, value, true);
  });
  const plain = join(PKCS8_HEADER, secret.key, PKCS8_DIVIDER, getPublicKey(secret.key));
  const box = xsalsa20poly1305(await boxKey(password, salt, COST), nonce).encrypt(plain);
  return JSON.stringify({
    encoded: base64.encode(join(salt, new Uint8Array(numbers.buffer), nonce, box)),
    encoding: { content: ["pkcs8", "sr25519"], type: ["scrypt", "xsalsa20-poly1305"], version: "3" },
    address: secret.address,
    meta: { name, whenCreated: Date.now() },
  });
}

/** Opens a backup, of ours or of a wallet. */
export async function readKeyFile(text: string, password: string): Promise<Secret & { name: string }> {
  const unreadable = (reason: string, cause?: unknown) =>
    new ProblemError(
      `This is not a key file that can be read: ${reason}`,
      "Choose the .json file that a wallet or this app saved.",
      { cause },
    );
  if (text.length > LONGEST) throw unreadable("it is too large");
  let encoded: Uint8Array;
  let name = "";
  try {
    const file = JSON.parse(text) as {
      encoded: string;
      encoding: { content: string[]; type: string[]; version: string };
      meta?: { name?: unknown };
    };
    const { content, type, version } = file.encoding;
    if (content[1] !== "sr25519") throw unreadable(`its key is of the kind ${content[1]}, not sr25519`);
    if (version !== "3" || type[0] !== "scrypt" || type[1] !== "xsalsa20-poly1305") {
      throw unreadable("it is sealed in another way");
    }
    encoded = base64.decode(file.encoded);
    if (typeof file.meta?.name === "string") name = file.meta.name.slice(0, 64);
  } catch (cause) {
    throw cause instanceof ProblemError ? cause : unreadable("it is damaged or of another kind", cause);
  }
  if (encoded.length < HEADER) throw unreadable("it is cut short");
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  const cost = { N: view.getUint32(32, true), p: view.getUint32(36, true), r: view.getUint32(40, true) };
  if (!ALLOWED.has(`${cost.N}/${cost.p}/${cost.r}`))
    throw unreadable("its cost is none that polkadot-js writes");
  let plain: Uint8Array;
  try {
    const key = await boxKey(password, encoded.subarray(0, 32), cost);
    plain = xsalsa20poly1305(key, encoded.subarray(44, HEADER)).decrypt(encoded.subarray(HEADER));
  } catch (cause) {
    throw new ProblemError("The password does not open this file, or the file was changed", undefined, {
      cause,
    });
  }
  if (plain.length !== WHOLE) throw unreadable("its key has another length");
  const { key, address } = fromKey(plain.slice(PKCS8_HEADER.length, PKCS8_HEADER.length + 64));
  return { words: null, key, address, name };
}
