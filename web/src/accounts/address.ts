import { blake2b } from "@noble/hashes/blake2.js";
import { base58 } from "@scure/base";

// SS58: base58 of prefix, public key and the first two bytes of a BLAKE2b hash over both.

/** The prefix of this network's addresses; any network's are read. */
const PREFIX = 42;
const CONTEXT = new TextEncoder().encode("SS58PRE");

function checksum(payload: Uint8Array): Uint8Array {
  const hashed = new Uint8Array(CONTEXT.length + payload.length);
  hashed.set(CONTEXT);
  hashed.set(payload, CONTEXT.length);
  return blake2b(hashed, { dkLen: 64 }).subarray(0, 2);
}

/** A public key as this network's address. */
export function encodeAddress(publicKey: Uint8Array): string {
  const bytes = new Uint8Array(35);
  bytes[0] = PREFIX;
  bytes.set(publicKey, 1);
  bytes.set(checksum(bytes.subarray(0, 33)), 33);
  return base58.encode(bytes);
}

/** The public key of an address; null if it is none. */
export function decodeAddress(address: string): Uint8Array | null {
  let bytes: Uint8Array;
  try {
    bytes = base58.decode(address.trim());
  } catch {
    return null;
  }
  const prefix = (bytes[0] ?? 255) < 64 ? 1 : 2;
  if (bytes.length !== prefix + 34 || (bytes[0] ?? 255) >= 128) return null;
  const payload = bytes.subarray(0, prefix + 32);
  const [first, second] = checksum(payload);
  if (bytes[prefix + 32] !== first || bytes[prefix + 33] !== second) return null;
  return payload.slice(prefix);
}

/** An account that somebody typed, as this network writes it; null if it is none. */
export function readAddress(typed: string): string | null {
  const key = decodeAddress(typed);
  return key ? encodeAddress(key) : null;
}

/** An address of any network as this one's. */
export function toNetworkAddress(address: string): string {
  const key = decodeAddress(address);
  if (!key) throw new Error(`${address} is not an account of this network`);
  return encodeAddress(key);
}
