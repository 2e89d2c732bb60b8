// What somebody types who wants to validate: the session keys that a node made, and a commission.

/** Session keys as `session.set_keys` takes them, all in hexadecimal: of BABE and GRANDPA, and the node's proof. */
export interface NodeKeys {
  babe: string;
  grandpa: string;
  proof: string;
}

const KEYS = 64;
const PROOF = 128;

const ASK =
  "Paste all that the node answered to author_rotateKeysWithOwner: an object with keys and proof, 0x… each.";

interface Read {
  keys: NodeKeys | null;
  problem?: string;
}

const hex = (text: unknown, bytes: number): string | null => {
  const digits = typeof text === "string" ? text.toLowerCase().replace(/^0x/, "") : "";
  return new RegExp(`^[0-9a-f]{${2 * bytes}}$`).test(digits) ? digits : null;
};

/** Keys and proof in what a node answered: the JSON of its answer, of its result, or the two one after the other. */
export function readKeys(typed: string): Read {
  const text = typed.trim();
  if (text === "") return { keys: null, problem: ASK };
  let given: unknown[];
  if (text.startsWith("{")) {
    try {
      const { error, result, ...rest } = JSON.parse(text) as Record<string, unknown>;
      if (error) {
        const { message } = error as { message?: unknown };
        return { keys: null, problem: `The node refused: ${String(message ?? "it does not say why")}.` };
      }
      if (typeof result === "string") given = [result];
      else {
        const { keys, proof } = (result ?? rest) as Record<string, unknown>;
        given = [keys, proof];
      }
    } catch {
      return { keys: null, problem: `This is not the whole answer. ${ASK}` };
    }
  } else given = text.split(/[\s,]+/).map((word) => word.replaceAll(/^["']|["']$/g, ""));
  const keys = hex(given[0], KEYS);
  const proof = hex(given[1], PROOF);
  if (keys && given.length === 1) {
    return {
      keys: null,
      problem:
        "These are keys without the proof that the node has them. Ask it by author_rotateKeysWithOwner, which gives both.",
    };
  }
  if (!keys || !proof) return { keys: null, problem: ASK };
  return { keys: { babe: `0x${keys.slice(0, 64)}`, grandpa: `0x${keys.slice(64)}`, proof: `0x${proof}` } };
}

/** What asks a node for keys of an account, on the node's own machine. `owner` is its public key. */
export const askForKeys = (owner: Uint8Array, port = 9944) => {
  const key = [...owner].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const body = `{"jsonrpc":"2.0","id":1,"method":"author_rotateKeysWithOwner","params":["0x${key}"]}`;
  return `curl -s -H 'content-type: application/json' -d '${body}' http://127.0.0.1:${port}`;
};

/** A commission in percent that is typed, in parts of a billion; or what is wrong with it. */
export function readCommission(typed: string, least: number): { parts: number | null; problem?: string } {
  const text = typed.trim().replace(/\s*%$/, "");
  const percent = Number(text);
  if (text === "" || !(percent >= 0 && percent <= 100)) {
    return { parts: null, problem: "Write a percentage from 0 to 100, such as 5." };
  }
  const parts = Math.round(percent * 1e7);
  if (parts < least) return { parts: null, problem: `The network’s least commission is ${least / 1e7} %.` };
  return { parts };
}
