// Signs for the chosen account, wherever its key is. Loaded when something is signed.

import type { PolkadotSigner } from "polkadot-api";
import { connectInjectedExtension } from "polkadot-api/pjs-signer";
import { ProblemError } from "@/lib/problem";
import { encodeAddress } from "./address";
import { extensionName } from "./extensions";
import type { Account } from "./state";

/** A signer of an account's transactions and messages. */
export async function getSigner(account: Account): Promise<PolkadotSigner> {
  const { source } = account;
  if (source.kind === "browser") {
    const { browserSigner } = await import("./browserSigner");
    return browserSigner(source.id);
  }
  let extension: Awaited<ReturnType<typeof connectInjectedExtension>>;
  try {
    extension = await connectInjectedExtension(source.extension, "OpenLedger");
  } catch (cause) {
    throw new ProblemError(
      `${extensionName(source.extension)} did not open`,
      "See that the extension is installed and allows this page, then try again.",
      { cause },
    );
  }
  const found = extension
    .getAccounts()
    .find(({ polkadotSigner }) => encodeAddress(polkadotSigner.publicKey) === account.address);
  if (!found) {
    throw new ProblemError(
      `${extensionName(source.extension)} does not share this account with this page any more`,
      "Allow it in the extension, or choose another account.",
    );
  }
  return found.polkadotSigner;
}

/** Signs text as wallets do: over `<Bytes>` text `</Bytes>`. Returns the signature in hexadecimal. @public */
export async function signText(account: Account, text: string): Promise<string> {
  const signer = await getSigner(account);
  const signature = await signer.signBytes(new TextEncoder().encode(text));
  return [...signature].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
