import { describe, expect, it } from "vitest";
import type { Event } from "@/api/types";
import type { Run } from "@/training/metrics";
import { line } from "@/training/RunCurves";
import { timeline } from "@/training/words";
import { comparedRuns, progress } from "./runs.state";

const run = (steps: number[]): Run => ({
  ...{ attempt: 0, begun: null, evaluations: [], log: [], logCut: 0, lastAt: null },
  steps: steps.map((step) => ({
    ...{ step, at: 0, totalSteps: 20, epoch: 0, loss: 1 / step, learningRate: 0, gradNorm: 0, tokens: 0 },
    ...{ samples: 0, tokensPerSecond: 1, memory: step === 2 ? null : step, eta: 0 },
  })),
});

describe("runs", () => {
  it("are compared four at most, each once", () => {
    expect(comparedRuns("?runs=3,1,3,x,-1,2,9,10,11")).toEqual([3, 1, 2, 9]);
    expect(comparedRuns("")).toEqual([]);
  });
  it("progress by whichever knows more", () => {
    expect(progress({ step: 5, totalSteps: 10 }, undefined)).toBe(50);
    expect(progress({ step: 5, totalSteps: 20 }, run([9, 10]))).toBe(50);
    expect(progress({ step: 12, totalSteps: 20 }, run([10]))).toBe(60);
    expect(progress({ step: null, totalSteps: null }, undefined)).toBeNull();
  });
  it("leave out what was not told", () => {
    const points = line("Memory", run([1, 2, 3]), 0, ({ memory }) => memory).points;
    expect(points).toEqual([
      { step: 1, value: 1 },
      { step: 3, value: 3 },
    ]);
  });
  it("have signs of life in a row on one line", () => {
    const event = (kind: string, block: number): Event => ({
      ...{ id: `${block}-0`, kind: `Training.${kind}`, block, time: block, extrinsic: null, fields: {} },
    });
    const kinds = ["JobCreated", "JobTaken", "JobProgressed", "JobProgressed", "ResultSubmitted", "Unheard"];
    const lines = timeline(kinds.map(event));
    expect(lines.map(({ text, repeated }) => [text, repeated])).toEqual([
      ["Queued; the budget is held", 1],
      ["The worker began", 1],
      ["Sign of life", 2],
      ["The adapter was posted", 1],
      ["Training.Unheard", 1],
    ]);
    expect(lines[2]?.event.block).toBe(3);
  });
});
