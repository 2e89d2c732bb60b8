// @vitest-environment happy-dom
import { afterEach, describe, expect, it, vi } from "vitest";
import { whileVisible } from "./visible";

function see(hidden: boolean): void {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}

afterEach(() => {
  see(false);
  vi.useRealTimers();
});

describe("what runs while a tab is in sight", () => {
  it("ends some seconds after it went, begins again when it is back, and ends for good", () => {
    vi.useFakeTimers();
    const runs: string[] = [];
    const end = whileVisible(() => {
      runs.push("begin");
      return () => runs.push("end");
    });
    see(true);
    vi.advanceTimersByTime(1000);
    see(false);
    vi.advanceTimersByTime(60_000);
    expect(runs).toEqual(["begin"]);
    see(true);
    vi.advanceTimersByTime(60_000);
    expect(runs).toEqual(["begin", "end"]);
    see(false);
    expect(runs).toEqual(["begin", "end", "begin"]);
    end();
    see(true);
    see(false);
    expect(runs).toEqual(["begin", "end", "begin", "end"]);
  });
});
