import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { compact, decAnyMetadata, u32, unifyMetadata } from "@polkadot-api/substrate-bindings";
import { getPolkadotSigner, withMetadataHash } from "polkadot-api/signer";
import { describe, expect, it } from "vitest";

const metadata = new Uint8Array(readFileSync("../client/metadata.scale"));
// Written by polkadot-api's signer, and read by runtime/tests/chain_runtime/wallets.rs too.
const vector = JSON.parse(readFileSync("../runtime/tests/wallet-payload.json", "utf8"));
const hex = (bytes: Uint8Array) => `0x${Buffer.from(bytes).toString("hex")}`;
const bytes = (text: string) => new Uint8Array(Buffer.from(text.slice(2), "hex"));

// The ed25519 key //Alice: what it signs is the same each time.
const seed = "abf8e5bdbe30c65656c0a3cbd181ff8a56294a69dfedd27982aace4a76909115";
const key = createPrivateKey({
  key: Buffer.from(`302e020100300506032b657004220420${seed}`, "hex"),
  format: "der",
  type: "pkcs8",
});
let payload = new Uint8Array();
const signer = getPolkadotSigner(
  new Uint8Array(createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32)),
  "Ed25519",
  (given) => {
    payload = new Uint8Array(given);
    return new Uint8Array(sign(null, given, key));
  },
);

/** The vector's extensions, of the names that the metadata has. */
function extensions(metadataHash: string) {
  const none = new Uint8Array();
  const parts: Record<string, { value?: Uint8Array; additionalSigned?: Uint8Array }> = {
    CheckSpecVersion: { additionalSigned: u32.enc(vector.specVersion) },
    CheckTxVersion: { additionalSigned: u32.enc(vector.transactionVersion) },
    CheckGenesis: { additionalSigned: bytes(vector.genesisHash) },
    CheckMortality: { value: Uint8Array.of(0), additionalSigned: bytes(vector.genesisHash) },
    CheckNonce: { value: compact.enc(vector.nonce) },
    ChargeTransactionPayment: { value: compact.enc(0) },
    CheckMetadataHash: {
      value: Uint8Array.of(1),
      additionalSigned: Uint8Array.of(1, ...bytes(metadataHash)),
    },
  };
  const named = unifyMetadata(decAnyMetadata(metadata)).extrinsic.signedExtensions[0] ?? [];
  return Object.fromEntries(
    named.map(({ identifier }) => [
      identifier,
      { identifier, value: none, additionalSigned: none, ...parts[identifier] },
    ]),
  );
}

describe("the metadata's hash", () => {
  it("is for a stock signer the one that the runtime's builder compiles in", async () => {
    const wallet = withMetadataHash({ decimals: 18, tokenSymbol: "OPEN" }, signer);
    await wallet.signTx(bytes(vector.method), extensions(vector.metadataHash), metadata, 0);
    expect(hex(payload.slice(-32))).toBe(readFileSync("../client/metadata-hash.txt", "utf8").trim());
  });

  it("is part of what a stock signer signs, as the chain's own tests check it", async () => {
    const given = extensions(vector.metadataHash);
    const transaction = await signer.signTx(bytes(vector.method), given, metadata, 0);
    expect(hex(payload)).toBe(vector.payload);
    expect(hex(transaction)).toBe(vector.transaction);
  });
});
