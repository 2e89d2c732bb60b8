// @modelcontextprotocol/client 2, by the handshake that it has for older servers and by the revision without
// sessions. Arguments: the server's address, a Datanet with a pool, an account with OPEN.
import assert from "node:assert/strict";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { talk } from "./talk.mjs";

const [address, datanet, account] = process.argv.slice(2);
const modes = { legacy: "2025-11-25", auto: "2026-07-28" };
for (const [mode, expected] of Object.entries(modes)) {
  const about = { name: "openledger-test", version: "1.0.0" };
  const client = new Client(about, { versionNegotiation: { mode } });
  const transport = new StreamableHTTPClientTransport(new URL(address));
  await client.connect(transport);
  const revision = client.getNegotiatedProtocolVersion();
  assert.equal(revision, expected, mode);
  await talk(client, { datanet: Number(datanet), account });
  await client.close();
  console.log(`@modelcontextprotocol/client, ${mode}: ${revision}`);
}
