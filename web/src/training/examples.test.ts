import { describe, expect, it } from "vitest";
import { examplesOf } from "./examples";

const of = (text: string, media = "txt", truncated = false) => examplesOf(text, truncated, 16, media);

describe("what a training makes of a text", () => {
  it("takes a line of JSON for an example, and says what is learned", () => {
    const lines = [
      { prompt: "Who pays?", chosen: "The pool.", rejected: "Nobody." },
      {
        messages: [
          { role: "user", content: "Hi" },
          { from: "gpt", value: "Hello" },
        ],
      },
      { instruction: "Add", output: "Done" },
      { prompt: "Once", completion: " upon" },
      { text: "raw" },
    ];
    const found = of(`${lines.map((line) => JSON.stringify(line)).join("\n\n")}\n`);
    expect(found.kind).toBe("records");
    expect(
      found.examples.map((parts) => parts.map(({ role, learned }) => (learned ? `${role}!` : role))),
    ).toEqual([
      ["prompt", "chosen!", "rejected"],
      ["user", "gpt!"],
      ["user", "assistant!"],
      ["text", "completion!"],
      ["text!"],
    ]);
  });
  it("is plain text with one other line in it, and in other formats", () => {
    expect(of('{"text": "a"}\nnot JSON').kind).toBe("text");
    expect(of('{"text": "a"}', "md").kind).toBe("text");
    expect(of("[1]").kind).toBe("text");
  });
  it("names records of no known shape", () => {
    expect(of('{"text": "a"}\n{"colour": "red"}')).toMatchObject({ kind: "records", unread: [2] });
  });
  it("does not judge a line that is cut", () => {
    expect(of('{"text": "a"}\n{"text": "b', "txt", true).kind).toBe("records");
  });
  it("finds questions and answers of several lines, and leaves headings out", () => {
    const found = of(
      "# Pay\nQ: Who?\nA: The pool,\nevery period.\n\n# More\nQ: unanswered\nQ: When?\nA: Daily.",
      "md",
    );
    expect(found).toMatchObject({ kind: "questions", count: 2 });
    expect(found.examples.map((parts) => parts.map(({ text }) => text))).toEqual([
      ["Who?", "The pool,\nevery period."],
      ["When?", "Daily."],
    ]);
  });
  it("cuts other text into windows", () => {
    const found = of("x".repeat(150));
    expect(found.examples.map((parts) => parts[0]?.text.length)).toEqual([64, 64, 22]);
    expect(of("x".repeat(64 * 100 + 1))).toMatchObject({ count: 101 });
  });
});
