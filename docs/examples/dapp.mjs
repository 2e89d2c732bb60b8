// Reads a Datanet and its board, submits a file without a fee, follows the events until the file has a
// verdict, and says why.
//
// Usage: OPENLEDGER_SECRET=//Dave node dapp.mjs ws://127.0.0.1:9944 DATANET

import { createHash } from "node:crypto";
import { sr25519CreateDerive } from "@polkadot-labs/hdkd";
import { DEV_MINI_SECRET, ss58Address } from "@polkadot-labs/hdkd-helpers";
import { createClient } from "polkadot-api";
import { getPolkadotSigner } from "polkadot-api/signer";
import { getWsProvider } from "polkadot-api/ws";

const [node, number] = process.argv.slice(2);
const datanet = Number(number);

// Connect. Calls, types and events come from the node's own metadata; a program that is built with
// `npx papi add` has their TypeScript types as well.
const client = createClient(getWsProvider(node));
const api = client.getUnsafeApi();
// A development key; in a browser the wallet's signer takes its place.
const key = sr25519CreateDerive(DEV_MINI_SECRET)(process.env.OPENLEDGER_SECRET);
const signer = getPolkadotSigner(key.publicKey, "Sr25519", key.sign);
const me = ss58Address(key.publicKey);
const { name } = await client.getChainSpecData();
console.log("chain:", name, "spec version", (await api.constants.System.Version()).spec_version);

// Read: the Datanet from storage, its board in order of rank by JSON-RPC (docs/json-rpc.md).
const found = await api.query.Datanets.Datanets.getValue(datanet);
if (!found) throw new Error(`there is no Datanet ${datanet}`);
console.log("Datanet:", new TextDecoder().decode(found.name), "owner", found.owner);
const board = await client._request("openledger_leaderboard", [datanet, 10]);
board.forEach((entry, rank) => console.log("rank", rank + 1, entry.account, entry.points, "points"));

// A file: the chain gets its hash, size and format. Its bytes are for an IPFS node to serve.
const text = Buffer.from(`The town hall opens at eight. Written at ${Date.now()} by ${me}.\n`);
const sha256 = createHash("sha256").update(text).digest("hex");
// A file of at most 1 MiB is one raw block, whose content id has the same digest.
const item = {
  content: { codec: { type: "Raw" }, digest: `0x${sha256}` },
  sha256: `0x${sha256}`,
  size: text.length,
  media: { type: "Txt" },
};
const submit = api.tx.Datanets.submit({ datanet, items: [item] });

// Submit. It costs no fee within the day's quota; a broken rule is answered by the pool.
const free = async () => (await api.query.System.Account.getValue(me, { at: "best" })).data.free;
const before = await free();
const done = await submit.signAndSubmit(signer);
if (!done.ok) throw new Error(JSON.stringify(done.dispatchError));
console.log("submitted in block", done.block.number, "fee", (before - (await free())).toString());

// The same again is refused, and `Custom` with 8 is a number of the table in docs/submissions.md.
await submit.signAndSubmit(signer).catch((refused) => console.log("again:", JSON.stringify(refused.error)));

// Follow the events of each new block until the file has a verdict.
const submission = done.events.find((event) => event.value?.type === "Submitted").value.value.submission;
const decided = new Promise((resolve) => {
  const events = api.event.Review.Decided.watch().subscribe(({ events: seen }) => {
    const ours = seen.find(({ payload }) => payload.submission === submission);
    if (!ours) return;
    events.unsubscribe();
    resolve(ours.payload);
  });
});
console.log("submission", submission.toString(), "sha256", sha256);
console.log("verdict:", (await decided).accepted ? "accepted" : "not accepted");

// Why: reason, block and curators stand with the submission.
const why = await client._request("openledger_submission", [datanet, sha256]);
console.log("why:", why.state, why.reason, why.explanation, "in block", why.at, "by", why.judges.join(", "));
client.destroy();
