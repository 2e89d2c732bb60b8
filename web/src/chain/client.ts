// The chain, over the gateway's relay to its node. Loaded when a page reads chain state or something is
// signed: `const { api } = await getChain()` after `import("@/chain/client")`.

import { openledger } from "@polkadot-api/descriptors";
import { createClient, type PolkadotClient, type TypedApi } from "polkadot-api";
import { keepMetadata, keptMetadata } from "./metadata";
import { relayProvider } from "./provider";

export type Api = TypedApi<typeof openledger>;

export interface Chain {
  client: PolkadotClient;
  api: Api;
}

let chain: Chain | undefined;

/** The one connection to the chain. */
export function getChain(): Chain {
  if (!chain) {
    const scheme = window.location.protocol === "https:" ? "wss" : "ws";
    const client = createClient(relayProvider(`${scheme}://${window.location.host}/rpc`), {
      getMetadata: keptMetadata,
      setMetadata: keepMetadata,
    });
    chain = { client, api: client.getTypedApi(openledger) };
  }
  return chain;
}
