import { describe, expect, it } from "vitest";
import { type Entry, gather, LOG_LINES, noCurves, speed, thin, timeLeft } from "./metrics";

let id = 0;
const step = (number: number, loss: number, attempt = 0): Entry => {
  id += 1;
  return {
    ...{ id, attempt, at: 1000 * id, kind: "step", step: number, totalSteps: 10, epoch: number / 10, loss },
    ...{ learningRate: 1e-3, gradNorm: 1, tokens: 100 * number, samples: 4 * number, tokensPerSecond: 50 },
    ...{ memory: 1 << 20, eta: 10 - number },
  };
};
const told = (kind: "resumed" | "evaluated" | "log", rest: object, attempt = 0): Entry => {
  id += 1;
  return { id, attempt, at: 1000 * id, kind, ...rest } as Entry;
};
const losses = (entries: Entry[]) => gather(noCurves, entries).runs[0]?.steps.map(({ loss }) => loss);

describe("the reducer of metrics", () => {
  it("keeps steps in order and passes over what it knows", () => {
    const entries = [step(1, 3), step(2, 2), step(3, 1)];
    const once = gather(noCurves, entries);
    expect(once.runs[0]?.steps.map((each) => each.step)).toEqual([1, 2, 3]);
    expect(gather(once, entries)).toBe(once);
    const inParts = gather(gather(noCurves, entries.slice(0, 2)), entries);
    expect(inParts).toEqual(once);
  });

  it("takes steps that are told again after a checkpoint in the earlier ones' place", () => {
    const entries = [
      ...[step(1, 3), step(2, 2.5), told("evaluated", { step: 2, loss: 2.4 }), step(3, 9)],
      ...[told("resumed", { step: 1 }), step(2, 2), told("evaluated", { step: 2, loss: 2.2 })],
    ];
    expect(losses(entries)).toEqual([3, 2]);
    expect(gather(noCurves, entries).runs[0]?.evaluations).toEqual([{ step: 2, loss: 2.2 }]);
  });

  it("replaces steps also where no word came of the resumption", () => {
    expect(losses([step(1, 3), step(2, 2), step(3, 1), step(2, 1.5)])).toEqual([3, 1.5]);
  });

  it("keeps attempts apart", () => {
    const { runs } = gather(noCurves, [step(1, 3), step(2, 2), step(1, 4, 1)]);
    expect(runs.map(({ attempt, steps }) => [attempt, steps.length])).toEqual([
      [0, 2],
      [1, 1],
    ]);
  });

  it("changes nothing that was given out", () => {
    const before = gather(noCurves, [step(1, 3)]);
    const copy = structuredClone(before);
    gather(before, [step(2, 2), told("log", { text: "x" })]);
    expect(before).toEqual(copy);
  });

  it("bounds the log and says how much is left out", () => {
    const lines = Array.from({ length: LOG_LINES + 7 }, (_, n) => told("log", { text: String(n) }));
    const run = gather(noCurves, lines).runs[0];
    expect(run?.log).toHaveLength(LOG_LINES);
    expect(run?.logCut).toBe(7);
    expect(run?.log.at(-1)?.text).toBe(String(LOG_LINES + 6));
  });

  it("lives with kinds that it does not know", () => {
    id += 1;
    const strange = { id, attempt: 0, at: 1, kind: "weather" } as unknown as Entry;
    expect(gather(noCurves, [strange]).lastId).toBe(id);
  });
});

describe("what is read off a run", () => {
  it("counts the estimate down between two steps", () => {
    const last = step(4, 1);
    const run = gather(noCurves, [last]).runs[0];
    if (!run) throw new Error("no run");
    expect(timeLeft(run, last.at)).toBe(6000);
    expect(timeLeft(run, last.at + 2500)).toBe(3500);
    expect(timeLeft(run, last.at + 60_000)).toBe(0);
    // A worker whose clock is ahead makes nothing longer.
    expect(timeLeft(run, last.at - 60_000)).toBe(6000);
    expect(timeLeft({ ...run, steps: [] }, 0)).toBeNull();
  });
  it("has a middle speed and the most memory", () => {
    const run = gather(noCurves, [step(1, 3), step(2, 2)]).runs[0];
    expect(run && speed(run)).toEqual({ tokensPerSecond: 50, memory: 1 << 20 });
  });
  it("is thinned evenly with both ends", () => {
    const list = Array.from({ length: 1001 }, (_, n) => n);
    expect(thin(list, 11)).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]);
    expect(thin([1, 2], 5)).toEqual([1, 2]);
  });
});
