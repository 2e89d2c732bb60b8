import { describe, expect, it } from "vitest";
import { examplesOf } from "@/training/examples";
import { type Pair, pairProblem, pairsFile } from "./pairs";

const pair: Pair = {
  id: 1,
  prompt: [
    { role: "system", content: "Be\nbrief." },
    { role: "user", content: 'Who "pays"?' },
  ],
  chosen: "The pool.",
  rejected: "Nobody.",
  written: true,
};

describe("marked pairs", () => {
  it("are JSON lines that a training reads as preferences", () => {
    const file = pairsFile([pair, { ...pair, chosen: "The\npool." }]);
    const lines = file.trimEnd().split("\n");
    expect(lines).toHaveLength(2);
    expect(JSON.parse(lines[0] ?? "")).toEqual({
      prompt: pair.prompt,
      chosen: [{ role: "assistant", content: "The pool." }],
      rejected: [{ role: "assistant", content: "Nobody." }],
    });
    const read = examplesOf(file, false, 512, "txt");
    expect(read).toMatchObject({ kind: "records", unread: [] });
    expect(read.examples[0]?.map(({ role, learned }) => (learned ? `${role}!` : role))).toEqual([
      "system",
      "user",
      "chosen!",
      "rejected",
    ]);
  });
  it("differ and say something", () => {
    expect(pairProblem("a", "b")).toBeNull();
    expect(pairProblem("a ", "a")).not.toBeNull();
    expect(pairProblem(" ", "b")).not.toBeNull();
  });
});
