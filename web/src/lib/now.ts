import { createStore, useStore } from "./store";

const second = createStore(Date.now());
let watchers = 0;
let timer: ReturnType<typeof setInterval> | undefined;

const ticking = {
  ...second,
  subscribe(listener: () => void) {
    const stop = second.subscribe(listener);
    watchers += 1;
    timer ??= setInterval(() => second.set(Date.now()), 1000);
    return () => {
      stop();
      watchers -= 1;
      if (watchers === 0) {
        clearInterval(timer);
        timer = undefined;
      }
    };
  },
};

/** The time, once a second, by one timer for the whole page. */
export function useNow(): number {
  return useStore(ticking);
}
