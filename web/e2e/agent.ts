// An agent: it knows the gateway's tools, and has no key.

const origin = () => process.env.OPENLEDGER_E2E_ORIGIN ?? "";

/** A transaction as a tool prepares it. */
export interface Prepared {
  signUrl: string;
  call: string;
  genesisHash: string;
  specVersion: number;
}

/** Has a tool prepare a transaction, by the protocol's revision without sessions. */
export async function prepare(name: string, given: Record<string, unknown>): Promise<Prepared> {
  const meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": { name: "agent", version: "1.0.0" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const params = { name, arguments: given, _meta: meta };
  const response = await fetch(`${origin()}/mcp`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "tools/call",
      "mcp-name": name,
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params }),
  });
  const text = await response.text();
  const { result } = JSON.parse(text) as { result?: { isError: boolean; structuredContent: Prepared } };
  if (!response.ok || !result || result.isError) throw new Error(text);
  return result.structuredContent;
}
