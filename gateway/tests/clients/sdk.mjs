// @modelcontextprotocol/sdk 1. Arguments as for client.mjs.
import assert from "node:assert/strict";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { talk } from "./talk.mjs";

const [address, datanet, account] = process.argv.slice(2);
const client = new Client({ name: "openledger-test", version: "1.0.0" });
const transport = new StreamableHTTPClientTransport(new URL(address));
await client.connect(transport);
assert.equal(transport.protocolVersion, "2025-11-25");
assert(transport.sessionId, "a session");
await talk(client, { datanet: Number(datanet), account });
await transport.terminateSession();
await client.close();
console.log(`@modelcontextprotocol/sdk: ${transport.protocolVersion}`);
