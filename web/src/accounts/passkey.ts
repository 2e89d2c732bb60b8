import { base64urlnopad } from "@scure/base";
import { ProblemError } from "@/lib/problem";

// A passkey as the opener of a key: WebAuthn's PRF extension gives 32 bytes that only this passkey gives. What
// browser, system and authenticator can do together is known by trying only.

/** Which of the passkey's outputs is asked for. The same for all keys, so that a synced passkey finds its own. */
const WHICH = new TextEncoder().encode("openledger browser key".padEnd(32, "."));
const TIMEOUT = 120_000;

/** Whether a passkey can be tried here at all; browsers refuse IP addresses and plain http. */
export function passkeysPossible(): boolean {
  return window.isSecureContext && typeof window.PublicKeyCredential === "function";
}

function refused(cause: unknown): ProblemError {
  const name = cause instanceof DOMException ? cause.name : "";
  if (name === "NotAllowedError" || name === "AbortError") {
    return new ProblemError("The passkey was not used", "Try again, or choose a password instead.", {
      cause,
    });
  }
  if (name === "SecurityError") {
    return new ProblemError(
      "This address cannot have passkeys",
      "Open the app by its name (http://localhost…, not a number), or choose a password.",
      { cause },
    );
  }
  return new ProblemError("The passkey did not work", "Choose a password instead.", { cause });
}

/** Makes a passkey; returns its id. Whether it can seal is known once it is asked (`ask`). */
export async function makePasskey(name: string): Promise<string> {
  try {
    const made = (await navigator.credentials.create({
      publicKey: {
        challenge: crypto.getRandomValues(new Uint8Array(32)),
        rp: { name: "OpenLedger" },
        user: { id: crypto.getRandomValues(new Uint8Array(16)), name, displayName: name },
        pubKeyCredParams: [
          { type: "public-key", alg: -7 },
          { type: "public-key", alg: -257 },
        ],
        authenticatorSelection: { residentKey: "required", userVerification: "required" },
        timeout: TIMEOUT,
        extensions: { prf: {} },
      },
    })) as PublicKeyCredential | null;
    if (!made) throw new DOMException("none was made", "NotAllowedError");
    return base64urlnopad.encode(new Uint8Array(made.rawId));
  } catch (cause) {
    throw refused(cause);
  }
}

/** Asks a passkey (any of this address, if `id` is null) for its 32 bytes; null bytes where PRF is missing. */
export async function askPasskey(id: string | null): Promise<{ id: string; output: Uint8Array | null }> {
  try {
    const given = (await navigator.credentials.get({
      publicKey: {
        challenge: crypto.getRandomValues(new Uint8Array(32)),
        allowCredentials: id ? [{ type: "public-key", id: Uint8Array.from(base64urlnopad.decode(id)) }] : [],
        userVerification: "required",
        timeout: TIMEOUT,
        extensions: { prf: { eval: { first: WHICH } } },
      },
    })) as PublicKeyCredential | null;
    if (!given) throw new DOMException("none was given", "NotAllowedError");
    const first = given.getClientExtensionResults().prf?.results?.first;
    const output = first ? new Uint8Array(ArrayBuffer.isView(first) ? first.buffer : first) : null;
    return { id: base64urlnopad.encode(new Uint8Array(given.rawId)), output };
  } catch (cause) {
    throw refused(cause);
  }
}
