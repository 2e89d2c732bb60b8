import { pbkdf2Async } from "@noble/hashes/pbkdf2.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { generateMnemonic, mnemonicToEntropy } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { getPublicKey, secretFromSeed } from "@scure/sr25519";
import { ProblemError } from "@/lib/problem";
import { encodeAddress } from "./address";

/** An sr25519 key: the expanded secret (scalar and nonce), and the words it came from where it came from words. */
export interface Secret {
  words: string | null;
  /** 64 bytes. */
  key: Uint8Array;
  address: string;
}

/** A new random key with its 12 words. */
export function generate(): Promise<Secret> {
  return fromWords(generateMnemonic(wordlist, 128));
}

/**
 * The key of 12 to 24 words, as wallets and `openledger account` make it: Substrate stretches the words'
 * entropy, where other chains stretch the words.
 */
export async function fromWords(text: string): Promise<Secret> {
  const words = text.trim().toLowerCase().split(/\s+/).join(" ");
  let entropy: Uint8Array;
  try {
    entropy = mnemonicToEntropy(words, wordlist);
  } catch (cause) {
    const unknown = words.split(" ").filter((word) => word && !wordlist.includes(word));
    throw new ProblemError(
      unknown.length > 0
        ? `${unknown.map((word) => `“${word}”`).join(", ")} ${unknown.length === 1 ? "is no word" : "are no words"} of a recovery phrase`
        : "These words are no recovery phrase",
      "It has 12 to 24 words in their order; the last one checks the others.",
      { cause },
    );
  }
  const seed = await pbkdf2Async(sha512, entropy, new TextEncoder().encode("mnemonic"), {
    c: 2048,
    dkLen: 64,
  });
  return { words, ...fromKey(secretFromSeed(seed.subarray(0, 32))) };
}

/** The account of an expanded secret. */
export function fromKey(key: Uint8Array): { key: Uint8Array; address: string } {
  return { key, address: encodeAddress(getPublicKey(key)) };
}
