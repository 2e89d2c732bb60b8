import { describe, expect, it } from "vitest";
import { noSample } from "@/training/estimate";
import { defaults } from "@/training/settings";
import {
  callOf,
  check,
  createdJob,
  emptyDraft,
  held,
  keepSettled,
  readBudget,
  readCeiling,
  readDeadline,
  withText,
} from "./factory.state";

describe("a draft", () => {
  it("begins with the chain's defaults", () => {
    expect(check(emptyDraft)).toEqual({ spec: defaults, errors: {} });
  });
  it("names each field that is wrong, and estimates with the default in its place", () => {
    const draft = {
      ...emptyDraft,
      seed: "x",
      texts: { ...emptyDraft.texts, loraR: "0", learningRateNano: "2e-4" },
    };
    const { spec, errors } = check(draft);
    expect(errors).toEqual({
      loraR: "It may be 1 to 256",
      seed: "Write a whole number, 0 to 18,446,744,073,709,551,615",
    });
    expect(spec).toEqual({ ...defaults, learningRateNano: 200_000 });
  });
  it("keeps of a parent what decides its tensors", () => {
    const parent = { ...defaults, loraR: 32, loraAlpha: 64, targetModules: 5, numTrainEpochs: 9 };
    expect(keepSettled(defaults, parent)).toEqual({
      ...defaults,
      loraR: 32,
      loraAlpha: 64,
      targetModules: 5,
    });
  });
});

describe("money and limits", () => {
  it("are read as people write them", () => {
    expect(readCeiling("200,000")).toEqual({ value: 200_000 });
    expect(readCeiling("0")).toHaveProperty("error");
    expect(readCeiling("1e6")).toHaveProperty("error");
    expect(readCeiling("99999999999999999999")).toHaveProperty("error");
    expect(readBudget("0.1", 10n ** 17n)).toEqual({ value: 10n ** 17n });
    expect(readBudget("0.09", 10n ** 17n)).toEqual({ error: "The least budget is 0.1 OPEN" });
    expect(readBudget("much", 1n)).toHaveProperty("error");
    expect(readDeadline("2", 201_600)).toEqual({ value: 2400 });
    expect(readDeadline("0.5", 201_600)).toEqual({ value: 600 });
    for (const wrong of ["", "0", "-1", "x", "168"]) {
      expect(readDeadline(wrong, 201_600), wrong).toHaveProperty("error");
    }
  });
});

describe("a sample", () => {
  it("adds up questions and text, in bytes as the chain counts them", () => {
    const asked = withText(noSample, "Q: One?\nA: Yes.\nQ: Two?\nA: No.", false, "md");
    expect(asked).toMatchObject({ bytes: 30, records: 2, recordBytes: 30 });
    expect(withText(asked, "Маяк.", false, "md")).toMatchObject({ bytes: 39, records: 2, recordBytes: 30 });
  });
  it("counts of records what is trained on, and not their JSON or what was rejected", () => {
    const line = JSON.stringify({
      prompt: "Who?",
      chosen: "Me.",
      rejected: "Nobody that I know of. ".repeat(20),
    });
    const found = withText(noSample, `${line}\n${line}\n`, false, "txt");
    // Two times a word and a sign, of the question and of the answer.
    expect(found).toMatchObject({ records: 2, tokens: 8 });
  });
});

describe("the transaction", () => {
  const order = {
    ...{ base: 3, parent: null, spec: { ...defaults, method: "qlora", seed: "18446744073709551615" } },
    datasets: [{ datanet: 1, leaves: 12, root: "ab".repeat(32), leftOut: 2 }],
    ...{ ceiling: 5000, budget: 35_001n, deadline: 99 },
  };
  it("says what was chosen in the chain's names", () => {
    const call = callOf(order);
    expect(call).toMatchObject({ base: 3, token_ceiling: 5000n, price_per_token: 8n, deadline: 99 });
    expect(held(35_001n, 5000)).toBe(40_000n);
    expect(held(35_000n, 5000)).toBe(35_000n);
    // The least offer stays one whatever the ceiling.
    expect(held(10n ** 17n, 5100)).toBeGreaterThanOrEqual(10n ** 17n);
    expect(call.datasets).toEqual([{ datanet: 1, version: { leaves: 12n, root: `0x${"ab".repeat(32)}` } }]);
    expect(call.spec).toMatchObject({
      method: { type: "Qlora" },
      schedule: { type: "Cosine" },
      learning_rate_nano: 1_000_000,
      seed: 18446744073709551615n,
    });
    expect(Object.keys(call.spec)).toHaveLength(16);
  });
  it("is followed to the job's number", () => {
    const events = [
      { type: "Balances", value: { type: "Held", value: {} } },
      { type: "Training", value: { type: "JobCreated", value: { job: 41n } } },
    ];
    const block = { hash: "0x", number: 1, index: 0 };
    expect(createdJob({ hash: "0x", block, events })).toBe(41);
    expect(createdJob({ hash: "0x", block, events: [] })).toBeNull();
  });
});
