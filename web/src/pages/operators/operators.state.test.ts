import { describe, expect, it } from "vitest";
import type { Job, Worker } from "@/api/types";
import { queues, servesInWords, workerState } from "./operators.state";

const worker = (changes: Partial<Worker>): Worker => ({
  ...{ account: "5", registered: true, kinds: [{ family: "llama", method: "lora" }], pricePerToken: "1" },
  ...{ bond: "0", endpoint: "", job: null, paused: false, completed: 0, timedOut: 0, earned: "0" },
  ...{ raiseTo: null, models: null, maxModelBytes: 2 ** 30, tokensPerSecond: 32, declined: 0 },
  ...changes,
});
const nameOf = (base: number) => `model ${base}`;
const job = (family: string, method: string) => ({ family, spec: { method } }) as Job;

describe("the operators' page", () => {
  it("counts queues by kind, also those that nobody serves", () => {
    const workers = [worker({}), worker({ job: 3 }), worker({ paused: true }), worker({ registered: false })];
    expect(
      queues([job("gpt2", "lora"), job("llama", "lora"), job("llama", "lora")], workers, ["llama"]),
    ).toEqual([
      { family: "llama", method: "lora", jobs: 2, workers: 2, idle: 1 },
      { family: "gpt2", method: "lora", jobs: 1, workers: 0, idle: 0 },
      { family: "llama", method: "qlora", jobs: 0, workers: 0, idle: 0 },
    ]);
  });
  it("says which models a worker takes", () => {
    expect(servesInWords({ models: [1, 4], maxModelBytes: null }, nameOf)).toBe("model 1, model 4");
    expect(servesInWords({ models: null, maxModelBytes: 2 ** 30 }, nameOf)).toBe("any model up to 1 GiB");
    expect(servesInWords({ models: [], maxModelBytes: null }, nameOf)).toBe("no base model yet");
  });
  it("says what a worker does", () => {
    expect(workerState(worker({})).label).toBe("idle");
    expect(workerState(worker({ paused: true })).label).toBe("paused");
    // One that pauses finishes the job that it has.
    expect(workerState(worker({ paused: true, job: 0 })).label).toBe("has a job");
    expect(workerState(worker({ registered: false })).label).toBe("left");
  });
});
