import { base64 } from "@scure/base";
import { ProblemError } from "@/lib/problem";
import { fromKey, fromWords, type Secret } from "./secret";

// How a key made in the browser is kept: AES-GCM under a key that a passkey gives (WebAuthn PRF, stretched by
// HKDF) or that a password gives (PBKDF2). Nothing that is kept opens it.

/** What is kept of a secret. Numbers and bytes are text, so that it can be stored anywhere. */
export interface Sealed {
  by: "passkey" | "password";
  salt: string;
  iv: string;
  bytes: string;
}

/** OWASP's count of 2023 for PBKDF2 with SHA-256. */
const ROUNDS = 600_000;
const INFO = "openledger browser key 1";
const text = new TextEncoder();

async function sealingKey(by: Sealed["by"], opener: Uint8Array<ArrayBuffer>, salt: Uint8Array<ArrayBuffer>) {
  const name = by === "passkey" ? "HKDF" : "PBKDF2";
  const material = await crypto.subtle.importKey("raw", opener, name, false, ["deriveKey"]);
  const derivation =
    by === "passkey"
      ? { name, hash: "SHA-256", salt, info: text.encode(INFO) }
      : { name, hash: "SHA-256", salt, iterations: ROUNDS };
  return crypto.subtle.deriveKey(derivation, material, { name: "AES-GCM", length: 256 }, false, [
    "encrypt",
    "decrypt",
  ]);
}

/** The output of a passkey's PRF, or a password, as the bytes that open. */
export function openerOf(given: Uint8Array | string): Uint8Array<ArrayBuffer> {
  return typeof given === "string" ? text.encode(given.normalize("NFKC")) : Uint8Array.from(given);
}

/** Seals a secret; it opens for its own account only. */
export async function seal(
  secret: Secret,
  by: Sealed["by"],
  opener: Uint8Array<ArrayBuffer>,
): Promise<Sealed> {
  const salt = crypto.getRandomValues(new Uint8Array(32));
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const plain = text.encode(secret.words ?? base64.encode(secret.key));
  const sealed = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv, additionalData: text.encode(secret.address) },
    await sealingKey(by, opener, salt),
    plain,
  );
  return {
    by,
    salt: base64.encode(salt),
    iv: base64.encode(iv),
    bytes: base64.encode(new Uint8Array(sealed)),
  };
}

/** Opens what `seal` made. */
export async function unseal(
  sealed: Sealed,
  account: string,
  opener: Uint8Array<ArrayBuffer>,
): Promise<Secret> {
  let plain: string;
  try {
    const key = await sealingKey(sealed.by, opener, Uint8Array.from(base64.decode(sealed.salt)));
    const opened = await crypto.subtle.decrypt(
      {
        name: "AES-GCM",
        iv: Uint8Array.from(base64.decode(sealed.iv)),
        additionalData: text.encode(account),
      },
      key,
      Uint8Array.from(base64.decode(sealed.bytes)),
    );
    plain = new TextDecoder().decode(opened);
  } catch (cause) {
    throw new ProblemError(
      sealed.by === "password"
        ? "The password does not open this key"
        : "This passkey does not open this key",
      sealed.by === "password"
        ? "Passwords tell capitals from small letters."
        : "Use the passkey it was made with.",
      { cause },
    );
  }
  const secret = plain.includes(" ")
    ? await fromWords(plain)
    : { words: null, ...fromKey(base64.decode(plain)) };
  if (secret.address !== account) throw new ProblemError("What was kept belongs to another account");
  return secret;
}
