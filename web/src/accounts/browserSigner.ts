import { sign } from "@scure/sr25519";
import type { PolkadotSigner } from "polkadot-api";
import { getPolkadotSigner } from "polkadot-api/signer";
import { ProblemError } from "@/lib/problem";
import { decodeAddress } from "./address";
import { getKey } from "./keys";
import { unlock } from "./unlock";

/** A signer by a key of this browser; it is opened when it signs. */
export async function browserSigner(id: string): Promise<PolkadotSigner> {
  const { address } = await getKey(id);
  const publicKey = decodeAddress(address);
  if (!publicKey)
    throw new ProblemError("What was kept of this key is damaged", "Restore it from its backup.");
  return getPolkadotSigner(publicKey, "Sr25519", async (message) => sign((await unlock(id)).key, message));
}
