// Follows a network as a light client does: it trusts the spec and nobody else.
//
// Usage: node light.mjs SPEC [ADDRESS]
//   SPEC      a file with what `sync_state_genSyncSpec` answers, and in it a bootnode that listens for WebSockets
//   ADDRESS   whose balance to read, with a proof that is checked here

import { readFileSync } from "node:fs";
import { createClient } from "polkadot-api";
import { getSmProvider } from "polkadot-api/sm-provider";
import { start } from "polkadot-api/smoldot";

const [file, address] = process.argv.slice(2);
const light = start({ maxLogLevel: 2 });
const spec = readFileSync(file, "utf8");
const client = createClient(getSmProvider(() => light.addChain({ chainSpec: spec })));
const block = await client.getFinalizedBlock();
console.log("final:", block.number, block.hash);
if (address) {
  const account = await client.getUnsafeApi().query.System.Account.getValue(address, { at: block.hash });
  console.log("free:", account.data.free.toString());
}
// The connections would keep it running.
process.exit(0);
