import { createClient } from "polkadot-api";
import { afterEach, expect, test, vi } from "vitest";
import { relay } from "@/app/relay";
import { relayProvider } from "./provider";

interface Said {
  id: number;
  method: string;
}

/** A relay that answers by `hear`: undefined breaks the connection, null says nothing. */
function relayOf(hear: (connection: number, said: Said) => unknown) {
  let connections = 0;
  return class extends EventTarget {
    private readonly connection: number;
    readonly url: string;

    constructor(url: string) {
      super();
      this.url = url;
      connections += 1;
      this.connection = connections;
      setTimeout(() => this.dispatchEvent(new Event("open")));
    }

    send(text: string): void {
      const said = JSON.parse(text) as Said;
      const result =
        said.method === "rpc_methods"
          ? { methods: ["chainHead_v1_follow", "chainSpec_v1_chainName"] }
          : hear(this.connection, said);
      if (result === null) return;
      setTimeout(() => {
        if (result === undefined) return this.dispatchEvent(new Event("close"));
        const data = JSON.stringify({ jsonrpc: "2.0", id: said.id, result });
        this.dispatchEvent(Object.assign(new Event("message"), { data }));
      });
    }

    close(): void {}
  } as unknown as typeof WebSocket;
}

afterEach(() => {
  vi.useRealTimers();
  relay.set({ waits: false });
});

test("what was asked before the connection broke is answered after it", async () => {
  vi.useFakeTimers();
  const websocket = relayOf((connection) => (connection === 1 ? undefined : "answered"));
  const client = createClient(relayProvider("ws://relay", websocket));
  const first = client._request<string>("chainSpec_v1_chainName", []);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(await Promise.race([first, "nothing"])).toBe("answered");
  client.destroy();
});

test("a connection that says nothing is made anew, and one is told that the chain has not answered", async () => {
  vi.useFakeTimers();
  const websocket = relayOf((connection) => (connection === 1 ? null : "answered"));
  const client = createClient(relayProvider("ws://relay", websocket));
  const first = client._request<string>("chainSpec_v1_chainName", []);
  await vi.advanceTimersByTimeAsync(4_000);
  expect(relay.get().waits).toBe(false);
  await vi.advanceTimersByTimeAsync(4_000);
  expect(relay.get().waits).toBe(true);
  await vi.advanceTimersByTimeAsync(12_000);
  expect(relay.get().waits).toBe(false);
  expect(await Promise.race([first, "nothing"])).toBe("answered");
  client.destroy();
});
