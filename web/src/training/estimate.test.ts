import { describe, expect, it } from "vitest";
import type { Worker } from "@/api/types";
import { estimate, estimateTokens, offers, price, suggestCeiling } from "./estimate";
import { defaults } from "./settings";

const worker = (account: string, pricePerToken: string, changes: Partial<Worker> = {}): Worker => ({
  account,
  registered: true,
  kinds: [{ family: "llama", method: "lora" }],
  pricePerToken,
  bond: "0",
  endpoint: "",
  job: null,
  paused: false,
  completed: 0,
  timedOut: 0,
  earned: "0",
  ...changes,
});

describe("an estimate", () => {
  it("counts windows, held-out examples, steps and tokens", () => {
    // 100 windows of 512 tokens: 10 held out, 90 ÷ 4 rounded up is 23 a pass, three passes.
    const found = estimate([{ leaves: 2, units: BigInt(100 * 512 * 4) }], defaults);
    expect(found).toEqual({ tokens: 51_200, examples: 100, heldOut: 10, steps: 69, trained: 138_240 });
  });
  it("takes a short file for an example", () => {
    const found = estimate([{ leaves: 30, units: 3000n }], { ...defaults, numTrainEpochs: 1 });
    expect(found).toMatchObject({ tokens: 750, examples: 30, heldOut: 3, steps: 7 });
  });
  it("counts records as examples, by the files that were looked at", () => {
    // Half the bytes are records of 100 bytes, the other half text.
    const sample = { records: 10, recordBytes: 1000, textBytes: 1000 };
    const found = estimate([{ leaves: 2, units: 40_960n, sample }], { ...defaults, numTrainEpochs: 1 });
    // 205 records, and 5,120 tokens of text in 10 windows.
    expect(found).toMatchObject({ examples: 215, heldOut: 22, steps: 49, tokens: 10_240 + 205 * 32 });
  });
  it("leaves one to train on, and is nothing of nothing", () => {
    expect(estimate([{ leaves: 1, units: 8n }], defaults)).toMatchObject({ heldOut: 0, steps: 3 });
    expect(estimate([{ leaves: 2, units: 8n }], defaults)).toMatchObject({ heldOut: 1, steps: 3 });
    expect(estimate([], defaults)).toEqual({ tokens: 0, examples: 0, heldOut: 0, steps: 0, trained: 0 });
  });
  it("rounds a token up", () => {
    expect(estimateTokens(5n)).toBe(2);
  });
  it("suggests a ceiling above what it expects", () => {
    expect(suggestCeiling(0)).toBe(1000);
    expect(suggestCeiling(138_240)).toBe(180_000);
    for (const trained of [1, 999, 12_345, 9_999_999]) {
      expect(suggestCeiling(trained)).toBeGreaterThanOrEqual(trained * 1.25);
    }
  });
});

describe("offers", () => {
  it("are those of the kind, the cheapest first", () => {
    const all = [
      worker("dear", "200"),
      worker("cheap", "100"),
      worker("paused", "1", { paused: true }),
      worker("gone", "1", { registered: false }),
      worker("other", "1", { kinds: [{ family: "gpt2", method: "lora" }] }),
      worker("quantised", "1", { kinds: [{ family: "llama", method: "qlora" }] }),
    ];
    expect(offers(all, "llama", "lora").map(({ account }) => account)).toEqual(["cheap", "dear"]);
    expect(price(worker("large", "12345678901234567890"), 1_000_000)).toBe(12345678901234567890000000n);
  });
});
