import { useEffect } from "react";
import { whileVisible } from "@/lib/visible";
import { EventParser, type Message } from "./eventStream";
import { queryClient } from "./queryClient";
import { address, request } from "./request";
import type { Status } from "./types";

// One connection for the whole page, over which the topics of everything on screen come. It is read with
// fetch and not with EventSource, which cannot be told the last event of the connection before it.

export interface LiveEvent {
  kind: string;
  block?: number;
  [field: string]: unknown;
}

type Listener = (event: LiveEvent) => void;

const topics = new Map<string, number>();
const listeners = new Set<Listener>();
/** Changes of topics on one page come together. */
const SETTLE = 150;
/** At most this often is what is on screen read anew. */
const REFRESH = 1000;
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 20_000;

/** Blocks before the newest indexed one whose events a page hears again when it opens. */
const EARLIER = 2;

let lastId: string | undefined;
let connection: AbortController | null = null;
let connected = "";
let wait = FIRST_WAIT;
let timer: ReturnType<typeof setTimeout> | undefined;

let visible = false;

function wanted(): string {
  return !visible ? "" : [...topics.keys()].sort().join(",");
}

function schedule(delay: number): void {
  clearTimeout(timer);
  timer = setTimeout(connect, delay);
}

function connect(): void {
  if (connection && connected === wanted()) return;
  connection?.abort();
  connection = null;
  if (wanted() === "") return;
  const own = new AbortController();
  connection = own;
  connected = wanted();
  void read(own, connected).finally(() => {
    if (connection !== own) return;
    connection = null;
    schedule(wait);
    wait = Math.min(wait * 2, LONGEST_WAIT);
  });
}

/**
 * Where a page's first connection begins: some blocks before what the gateway had indexed when the page opened. What is
 * on screen was read before there was a connection, and what happened between the two would be missed until something
 * else happens.
 */
async function beginning(): Promise<string | undefined> {
  try {
    const { indexed } = await queryClient.fetchQuery({
      queryKey: ["status"],
      queryFn: ({ signal }) => request<Status>("/v1/status", { signal }),
      staleTime: Number.POSITIVE_INFINITY,
    });
    return indexed === null ? undefined : `${Math.max(0, indexed - EARLIER)}-end`;
  } catch {
    return undefined;
  }
}

async function read(own: AbortController, chosen: string): Promise<void> {
  try {
    const after = lastId ? undefined : await beginning();
    if (own.signal.aborted) return;
    const response = await fetch(address("/v1/stream", { topics: chosen, after }), {
      headers: { accept: "text/event-stream", ...(lastId ? { "last-event-id": lastId } : {}) },
      signal: own.signal,
      cache: "no-store",
    });
    if (!response.ok || !response.body) {
      // A gateway that does not know the last event (another chain, a new index) starts afresh.
      if (response.status >= 400 && response.status < 500) lastId = undefined;
      return;
    }
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const parser = new EventParser();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      wait = FIRST_WAIT;
      for (const message of parser.push(value)) take(message);
    }
  } catch {
    // The line broke or the page has other topics now; `connect` goes on from the last event.
  }
}

function take(message: Message): void {
  if (message.id) lastId = message.id;
  let event: LiveEvent;
  try {
    event = JSON.parse(message.data) as LiveEvent;
  } catch {
    return;
  }
  if (!event.kind) event.kind = message.event;
  for (const listener of listeners) listener(event);
  refresh(event.kind === "block" || event.kind === "blocks");
}

let refreshing = false;
let onlyStatus = true;

/** Reads anew what is on screen: everything that comes over the stream is about something on screen. */
function refresh(isBlock: boolean): void {
  onlyStatus &&= isBlock;
  if (refreshing) return;
  refreshing = true;
  setTimeout(() => {
    void queryClient.invalidateQueries(
      onlyStatus
        ? { predicate: ({ queryKey }) => queryKey[0] === "status" || queryKey[0] === "network" }
        : { predicate: ({ queryKey }) => queryKey[0] !== "config" },
    );
    refreshing = false;
    onlyStatus = true;
  }, REFRESH);
}

/** Keeps what a page shows up to date: `useLive("datanet:0", "account:5…")`. */
export function useLive(...chosen: readonly (string | null | undefined)[]): void {
  const key = chosen.filter(Boolean).join(",");
  useEffect(() => {
    const own = key ? key.split(",") : [];
    for (const topic of own) topics.set(topic, (topics.get(topic) ?? 0) + 1);
    schedule(SETTLE);
    return () => {
      for (const topic of own) {
        const count = (topics.get(topic) ?? 1) - 1;
        if (count > 0) topics.set(topic, count);
        else topics.delete(topic);
      }
      schedule(SETTLE);
    };
  }, [key]);
}

/** Calls `listener` with each event of the stream, for curves and logs. It must stay the same function. @public */
export function useEvents(listener: Listener): void {
  useEffect(() => {
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }, [listener]);
}

/** Keeps the connection while the tab is in sight; what it misses meanwhile comes when it is again. */
function whileInSight(): () => void {
  return whileVisible(() => {
    visible = true;
    schedule(0);
    return () => {
      visible = false;
      schedule(0);
    };
  });
}

/** New blocks, for as long as the app is open. */
export function LiveUpdates(): null {
  useEffect(whileInSight, []);
  useLive("blocks");
  return null;
}
