// The WebSocket under the chain's client.

import type { createClient } from "polkadot-api";
import { getWsProvider } from "polkadot-api/ws";
import { relayAnswers, relayWaits } from "@/app/relay";

type Provider = Parameters<typeof createClient>[0];
type Message = Parameters<ReturnType<Provider>["send"]>[0];

/** Milliseconds without a word before the connection is made anew: the chain says something with each block. */
const SILENCE = 15_000;

/**
 * A message that keeps its id. The connection gives each message a number of its own before it is sent, and sends
 * those that were not answered again when it had to be made anew. It numbers the same objects, so that their second
 * answer would come under a number that nobody waits for, and the page would wait for ever.
 */
function keepingId(message: Message): Message {
  let numbered = message.id;
  return Object.defineProperties({ ...message } as Message, {
    id: {
      enumerable: true,
      get: () => message.id,
      set: (number: Message["id"]) => {
        numbered = number;
      },
    },
    toJSON: { value: () => ({ ...message, id: numbered }) },
  });
}

/** The gateway's relay at an address. `websocketClass` is for tests. */
export function relayProvider(address: string, websocketClass?: typeof WebSocket): Provider {
  const provider = getWsProvider(address, {
    heartbeatTimeout: SILENCE,
    ...(websocketClass ? { websocketClass } : {}),
  });
  const asked = new Set<Message["id"]>();
  return (onMessage) => {
    const { send, disconnect } = provider((message) => {
      if ("id" in message && asked.delete(message.id)) relayAnswers(asked.size > 0);
      onMessage(message);
    });
    return {
      send(message) {
        if (message.id !== undefined) asked.add(message.id);
        relayWaits();
        send(keepingId(message));
      },
      disconnect() {
        asked.clear();
        relayAnswers(false);
        disconnect();
      },
    };
  };
}
