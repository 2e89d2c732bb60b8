import { fetchOk } from "@/api/request";
import { ProblemError } from "@/lib/problem";
import type { BrowserKey } from "./keys";
import { askPasskey } from "./passkey";
import { openerOf, unseal } from "./seal";

// A sealed copy at the gateway, by the id of the passkey that opens it: with a passkey that is synced, a lost
// device loses nothing. The gateway cannot open it, and shows it only to who has the passkey: `Vault-Key` is
// derived from the passkey's output, by other words than the key that seals.

const INFO = "openledger vault key 1";

async function vaultKey(output: Uint8Array): Promise<string> {
  const material = await crypto.subtle.importKey("raw", openerOf(output), "HKDF", false, ["deriveBits"]);
  const bits = await crypto.subtle.deriveBits(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info: new TextEncoder().encode(INFO) },
    material,
    256,
  );
  return [...new Uint8Array(bits)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function noPrf(): ProblemError {
  return new ProblemError("This passkey gives nothing that could open a key", "Use the words or the file.");
}

/** Keeps a sealed copy of a key at the gateway. */
export async function keepCopy(key: BrowserKey): Promise<void> {
  const { id, output } = await askPasskey(key.credential);
  if (!output) throw noPrf();
  const { address, name, createdAt, sealed } = key;
  await fetchOk(`/v1/vault/${id}`, {
    method: "PUT",
    body: { address, name, createdAt, sealed },
    headers: { "vault-key": await vaultKey(output), "content-type": "application/octet-stream" },
  });
}

/** Brings a key back from its copy at the gateway; the passkey says which. */
export async function restoreCopy(): Promise<BrowserKey> {
  const { id, output } = await askPasskey(null);
  if (!output) throw noPrf();
  const response = await fetchOk(`/v1/vault/${id}`, { headers: { "vault-key": await vaultKey(output) } });
  const kept = (await response.json().catch(() => null)) as Omit<BrowserKey, "id"> | null;
  if (!kept?.sealed || typeof kept.address !== "string") {
    throw new ProblemError("What the gateway kept is no key", "Use the words or the file.");
  }
  // It must open before it counts as restored.
  await unseal(kept.sealed, kept.address, openerOf(output));
  return {
    id: crypto.randomUUID(),
    address: kept.address,
    name: String(kept.name).slice(0, 40),
    createdAt: Number(kept.createdAt) || Date.now(),
    sealed: kept.sealed,
    credential: id,
    backedUp: true,
  };
}
