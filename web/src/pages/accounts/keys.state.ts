import { select } from "@/accounts/extensions";
import { accountOf, type BrowserKey, saveKey } from "@/accounts/keys";
import { askPasskey, makePasskey } from "@/accounts/passkey";
import { openerOf, seal } from "@/accounts/seal";
import type { Secret } from "@/accounts/secret";
import { ProblemError } from "@/lib/problem";

/** How a key is to be sealed. */
export type Sealing = { by: "passkey" } | { by: "password"; password: string };

export const SHORTEST_PASSWORD = 8;

/** Why a passkey cannot seal here, so that a password is asked for. */
export class NoPrfError extends ProblemError {
  constructor() {
    super("This passkey cannot seal a key", "Choose a password; everything else stays the same.");
  }
}

/** Seals a secret, keeps it in this browser, and acts as its account from now on. */
export async function keep(
  secret: Secret,
  name: string,
  sealing: Sealing,
  backedUp: boolean,
): Promise<BrowserKey> {
  let opener: Uint8Array<ArrayBuffer>;
  let credential: string | null = null;
  if (sealing.by === "passkey") {
    credential = await makePasskey(name);
    // What browser and passkey can do together shows when it is asked, and not before.
    const { output } = await askPasskey(credential);
    if (!output) throw new NoPrfError();
    opener = openerOf(output);
  } else {
    opener = openerOf(sealing.password);
  }
  const key: BrowserKey = {
    id: crypto.randomUUID(),
    address: secret.address,
    name,
    createdAt: Date.now(),
    sealed: await seal(secret, sealing.by, opener),
    credential,
    backedUp,
  };
  await saveKey(key);
  select(accountOf(key));
  return key;
}

/** Has the browser save text as a file. */
export function saveFile(name: string, text: string, type: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
