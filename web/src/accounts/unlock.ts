import { ProblemError } from "@/lib/problem";
import { asking } from "./asking";
import { type BrowserKey, getKey } from "./keys";
import { askPasskey } from "./passkey";
import { openerOf, unseal } from "./seal";
import type { Secret } from "./secret";

/** So long an opened key stays open: a submission takes two signatures, and one opening. */
const OPEN_FOR = 5 * 60_000;
const opened = new Map<string, { secret: Secret; timer: ReturnType<typeof setTimeout> }>();

function keepOpen(id: string, secret: Secret): void {
  clearTimeout(opened.get(id)?.timer);
  opened.set(id, { secret, timer: setTimeout(() => lock(id), OPEN_FOR) });
}

/** Forgets an opened key. */
export function lock(id: string): void {
  const held = opened.get(id);
  clearTimeout(held?.timer);
  held?.secret.key.fill(0);
  opened.delete(id);
}

function askPassword(key: BrowserKey, problem: string | null): Promise<string | null> {
  return new Promise((resolve) => {
    asking.set({
      key,
      problem,
      answer: (password) => {
        asking.set(null);
        resolve(password);
      },
    });
  });
}

/** Opens a key: its passkey is asked, or its password, again until it fits or the user gives up. */
export async function unlock(id: string): Promise<Secret> {
  const held = opened.get(id);
  if (held) {
    keepOpen(id, held.secret);
    return held.secret;
  }
  const key = await getKey(id);
  const secret = await open(key);
  keepOpen(id, secret);
  return secret;
}

async function open(key: BrowserKey): Promise<Secret> {
  if (key.sealed.by === "passkey") {
    const { output } = await askPasskey(key.credential);
    if (!output) {
      throw new ProblemError(
        "This browser cannot open keys by passkey",
        "Restore the key from its words or file, and seal it by a password.",
      );
    }
    return unseal(key.sealed, key.address, openerOf(output));
  }
  let problem: string | null = null;
  for (;;) {
    const password = await askPassword(key, problem);
    if (password === null) throw new ProblemError("It was not signed; nothing was sent");
    try {
      return await unseal(key.sealed, key.address, openerOf(password));
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
  }
}
