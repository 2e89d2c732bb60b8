import { describe, expect, it } from "vitest";
import type { Worker } from "@/api/types";
import { countTokens, estimate, estimateTokens, offers, price, stepTokens, suggestCeiling } from "./estimate";
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
  ...{ raiseTo: null, models: null, maxModelBytes: 100, tokensPerSecond: 32, declined: 0 },
  ...changes,
});

/** A Datanet of plain text at four bytes a token, all of which was looked at. */
const text = (leaves: number, units: number) => {
  const sample = { bytes: units, tokens: units / 4, records: 0, recordBytes: 0 };
  return { leaves, units: BigInt(units), sample };
};

describe("an estimate", () => {
  it("counts windows, held-out examples, steps and tokens", () => {
    // 100 windows of 512 tokens: 10 held out, 90 ÷ 4 rounded up is 23 a pass, three passes.
    const found = estimate([text(2, 100 * 512 * 4)], defaults);
    const counts = { tokens: 51_200, examples: 100, heldOut: 10, steps: 69, trained: 138_240 };
    expect(found).toEqual({ ...counts, unseen: false });
    expect(stepTokens(found)).toBe(2004);
  });
  it("takes a short file for an example", () => {
    const found = estimate([text(30, 3000)], { ...defaults, numTrainEpochs: 1 });
    expect(found).toMatchObject({ tokens: 750, examples: 30, heldOut: 3, steps: 7 });
  });
  it("counts records as examples, by the files that were looked at", () => {
    // Half the bytes are records of 100 bytes, the other half text.
    const sample = { bytes: 2000, tokens: 500, records: 10, recordBytes: 1000 };
    const found = estimate([{ leaves: 2, units: 40_960n, sample }], { ...defaults, numTrainEpochs: 1 });
    // 205 records, and 5,120 tokens of text in 10 windows.
    expect(found).toMatchObject({ examples: 215, heldOut: 22, steps: 49, tokens: 10_240 + 205 * 32 });
  });
  it("takes what nobody could look at for short questions and answers", () => {
    // Six real files of the story's: 80 examples, 4,349 tokens by the worker's tokenizer, 3,908 trained on.
    const found = estimate([{ leaves: 6, units: 8666n }], { ...defaults, numTrainEpochs: 1 });
    expect(found.unseen).toBe(true);
    expect(found.examples).toBeGreaterThanOrEqual(80);
    expect(found.trained).toBeGreaterThanOrEqual(3908);
    expect(found.trained).toBeLessThan(2 * 3908);
  });
  it("leaves one to train on, and is nothing of nothing", () => {
    expect(estimate([text(1, 8)], defaults)).toMatchObject({ heldOut: 0, steps: 3 });
    expect(estimate([text(2, 8)], defaults)).toMatchObject({ heldOut: 1, steps: 3 });
    const nothing = estimate([], defaults);
    const counts = { tokens: 0, examples: 0, heldOut: 0, steps: 0, trained: 0 };
    expect(nothing).toEqual({ ...counts, unseen: false });
    expect(stepTokens(nothing)).toBe(0);
  });
  it("counts tokens of any script about as tokenizers do", () => {
    const near = (words: string, tokens: number) => {
      expect(countTokens(words), words).toBeGreaterThanOrEqual(tokens * 0.9);
      expect(countTokens(words), words).toBeLessThanOrEqual(tokens * 1.35);
    };
    // The numbers on the right are those of SmolLM2's tokenizer.
    near("Старый смотритель маяка каждый вечер зажигал лампу и долго смотрел на тёмное море.", 62);
    near("灯台守は毎晩ランプを灯し、暗い海を長い間見つめていた。", 51);
    near("The keeper lights the lamp every evening and looks out to sea for a long while.", 17);
    near("let mut all = self.0.assigned.lock().unwrap_or_else(PoisonError::into_inner);", 28);
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
      worker("small", "1", { maxModelBytes: 99 }),
      worker("named", "150", { models: [7], maxModelBytes: null }),
      worker("others", "1", { models: [6], maxModelBytes: null }),
    ];
    const model = { id: 7, family: "llama", weightsSize: 100 };
    expect(offers(all, model, "lora").map(({ account }) => account)).toEqual(["cheap", "named", "dear"]);
    expect(price(worker("large", "12345678901234567890"), 1_000_000)).toBe(12345678901234567890000000n);
  });
});
