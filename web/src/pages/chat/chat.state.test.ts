import { describe, expect, it } from "vitest";
import { noAnswer } from "./answers";
import { type Exchange, promptOf, readParameters, usualParameters } from "./chat.state";

const exchange = (question: string, texts: string[]): Exchange => ({
  ...{ id: 1, prompts: [], question, columns: [] },
  answers: texts.map((text) => ({ ...noAnswer, text })),
});

describe("a conversation", () => {
  it("tells each model what it said itself", () => {
    const earlier = [exchange("One?", ["base", "adapter"]), exchange("Two?", ["", "again"])];
    expect(promptOf(earlier, 1, "Be brief.", "Three?")).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: "One?" },
      { role: "assistant", content: "adapter" },
      { role: "user", content: "Two?" },
      { role: "assistant", content: "again" },
      { role: "user", content: "Three?" },
    ]);
    // The base said nothing to the second question.
    expect(promptOf(earlier, 0, " ", "Three?").map(({ content }) => content)).toEqual([
      "One?",
      "base",
      "Three?",
    ]);
  });
  it("has parameters within the gateway's bounds", () => {
    expect(readParameters(usualParameters)).toEqual({
      read: { max_tokens: 200, temperature: 0, top_p: 1, seed: 42 },
      errors: {},
    });
    const { errors } = readParameters({
      system: "",
      maxTokens: "2049",
      temperature: "-1",
      topP: "",
      seed: "1.5",
    });
    expect(Object.keys(errors)).toEqual(["maxTokens", "temperature", "topP", "seed"]);
  });
});
