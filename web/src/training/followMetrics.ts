import { useMemo, useSyncExternalStore } from "react";
import { EventParser } from "@/api/eventStream";
import { createStore, type Store } from "@/lib/store";
import { whileVisible } from "@/lib/visible";
import { type Curves, type Entry, gather, noCurves } from "./metrics";

/** How the stream stands. */
export type Following = "connecting" | "live" | "broken";

interface Followed {
  curves: Curves;
  following: Following;
}

/** Entries that come together are drawn together. */
const GATHER = 200;
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 15_000;

interface Shared {
  store: Store<Followed>;
  watchers: number;
  stop: () => void;
  subscribe: (listener: () => void) => () => void;
}

const shared = new Map<number, Shared>();
const nothing: Followed = { curves: noCurves, following: "connecting" };

/**
 * A job's curves, from the first step on, and as they grow. One stream a job, for as long as something shows
 * it; after a break it goes on from the last entry.
 */
export function useCurves(job: number): Followed {
  const followed = share(job);
  return useSyncExternalStore(followed.subscribe, followed.store.get, followed.store.get);
}

function share(job: number): Shared {
  const known = shared.get(job);
  if (known) return known;
  const store = createStore<Followed>(nothing);
  const made: Shared = {
    store,
    watchers: 0,
    stop: () => undefined,
    subscribe(listener) {
      const stopListening = store.subscribe(listener);
      made.watchers += 1;
      if (made.watchers === 1) made.stop = whileVisible(() => follow(job, store));
      return () => {
        stopListening();
        made.watchers -= 1;
        if (made.watchers === 0) made.stop();
      };
    },
  };
  shared.set(job, made);
  return made;
}

function follow(job: number, store: Store<Followed>): () => void {
  const own = new AbortController();
  let waiting: Entry[] = [];
  let drawing: ReturnType<typeof setTimeout> | undefined;
  let again: ReturnType<typeof setTimeout> | undefined;
  let wait = FIRST_WAIT;
  let lastId = store.get().curves.lastId;
  const is = (following: Following) => store.set((now) => ({ ...now, following }));
  const draw = () => {
    drawing = undefined;
    const entries = waiting;
    waiting = [];
    store.set((now) => ({ ...now, curves: gather(now.curves, entries) }));
  };
  const read = async () => {
    const response = await fetch(`/v1/jobs/${job}/stream`, {
      headers: { accept: "text/event-stream", ...(lastId > 0 ? { "last-event-id": String(lastId) } : {}) },
      signal: own.signal,
      cache: "no-store",
    });
    if (!response.ok || !response.body) throw new Error(`the gateway answered ${response.status}`);
    is("live");
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const parser = new EventParser();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      wait = FIRST_WAIT;
      for (const message of parser.push(value)) {
        if (message.event !== "metrics") continue;
        const entry = JSON.parse(message.data) as Entry;
        lastId = Math.max(lastId, entry.id);
        waiting.push(entry);
      }
      if (waiting.length > 0) drawing ??= setTimeout(draw, GATHER);
    }
  };
  const keep = () => {
    void read()
      .catch(() => undefined)
      .finally(() => {
        if (own.signal.aborted) return;
        is("broken");
        again = setTimeout(keep, wait);
        wait = Math.min(wait * 2, LONGEST_WAIT);
      });
  };
  keep();
  return () => {
    own.abort();
    clearTimeout(again);
    clearTimeout(drawing);
    // What came and was not drawn yet comes again with the next stream: it goes on from what is drawn.
    waiting = [];
  };
}

/** The curves of several jobs. */
export function useCurvesOf(jobs: readonly number[]): readonly Followed[] {
  const key = jobs.join(",");
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` is the same as `jobs`
  const together = useMemo(() => gathered(jobs.map(share)), [key]);
  return useSyncExternalStore(together.subscribe, together.get, together.get);
}

function gathered(all: readonly Shared[]) {
  let last: readonly Followed[] = all.map(({ store }) => store.get());
  return {
    get: () => {
      const now = all.map(({ store }) => store.get());
      // The same array as long as nothing in it changed, as React asks for.
      if (now.some((each, n) => each !== last[n])) last = now;
      return last;
    },
    subscribe: (listener: () => void) => {
      const stops = all.map((each) => each.subscribe(listener));
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
}
