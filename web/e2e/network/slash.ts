// A slash that waits: a development chain takes slashes at once, so this one is written into its storage, of an era that
// no test comes to and of accounts that stake nothing.

import { hexToBytes } from "@noble/hashes/utils.js";
import { decodeAddress } from "../../src/accounts/address.ts";
import { newKey } from "../wallet.ts";

const OPEN = 10n ** 18n;

/** The era at whose beginning it is taken. */
const ERA = 400;

/** Plancks, in 16 bytes, the lowest first. */
const plancks = (open: bigint) =>
  Uint8Array.from({ length: 16 }, (_, n) => Number(((open * OPEN) >> BigInt(8 * n)) & 0xffn));

/** What the storage map of slashes that wait has for an era: one, of 30 OPEN of a validator and 12 of who backed it. */
function slashes(): Uint8Array {
  const account = () => decodeAddress(newKey("Slashed").address) ?? new Uint8Array(32);
  const parts = [[4], account(), plancks(30n), [4], account(), plancks(12n), [0], plancks(0n)];
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

interface Map {
  getKey(era: number): Promise<string>;
}

/** Key and value by which `system.set_storage` writes it. */
export async function waitingSlash(map: Map | undefined): Promise<[Uint8Array, Uint8Array]> {
  if (!map) throw new Error("the chain has no Staking.UnappliedSlashes");
  return [hexToBytes((await map.getKey(ERA)).slice(2)), slashes()];
}
