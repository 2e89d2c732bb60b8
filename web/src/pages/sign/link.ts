import { ProblemError } from "@/lib/problem";

/** Bytes of a call, at most: the largest that a page here makes has less than a quarter. */
export const MOST_BYTES = 16 * 1024;
/** Characters of a link's fragment that are looked at: the call in hexadecimal, and the rest. */
const MOST_CHARACTERS = 2 * MOST_BYTES + 1024;

/** What a link asks to sign. */
export interface SignLink {
  call: Uint8Array;
  /** The chain's first block, in hexadecimal. */
  genesis: string;
  spec: number;
  /** Whether the link says more; that is shown nowhere, because whoever made the link wrote it. */
  more: boolean;
}

function isHex(text: string): boolean {
  return text.length % 2 === 0 && /^[0-9a-f]*$/.test(text);
}

/** Reads what stands behind `#` in an address. */
export function readLink(fragment: string): SignLink {
  const text = fragment.replace(/^#/, "");
  if (text.length > MOST_CHARACTERS) {
    throw new ProblemError(
      `The link has ${text.length} characters; a call has at most ${MOST_BYTES} bytes`,
      "Have it made in several transactions.",
    );
  }
  const parameters = new URLSearchParams(text);
  const one = (name: string) => {
    const values = parameters.getAll(name);
    if (values.length > 1) throw new ProblemError(`The link names ${name} more than once`, ASK);
    return (values[0] ?? "").trim().toLowerCase().replace(/^0x/, "");
  };
  const [call, genesis, spec] = [one("call"), one("genesis"), one("spec")];
  if (!call) throw new ProblemError("The link names no call", ASK);
  if (!isHex(call)) throw new ProblemError("The call in the link is not hexadecimal", ASK);
  if (call.length > 2 * MOST_BYTES) {
    throw new ProblemError(
      `The call has ${call.length / 2} bytes; at most ${MOST_BYTES} are signed here`,
      "Have it made in several transactions.",
    );
  }
  if (genesis.length !== 64 || !isHex(genesis)) {
    throw new ProblemError("The link does not say which chain it is for", ASK);
  }
  if (!/^\d{1,9}$/.test(spec)) {
    throw new ProblemError("The link does not say which version of the chain it is for", ASK);
  }
  const known = ["call", "genesis", "spec"];
  return {
    call: Uint8Array.from(call.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)),
    genesis,
    spec: Number(spec),
    more: [...parameters.keys()].some((name) => !known.includes(name)),
  };
}

const ASK = "Ask whoever gave it to you for a whole one.";
