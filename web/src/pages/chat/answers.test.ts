import { describe, expect, it } from "vitest";
import { EventParser } from "@/api/eventStream";
import { ended, noAnswer, readBudget, readMessage } from "./answers";

const chunk = (rest: object) => `data: ${JSON.stringify(rest)}\n\n`;
const stream = [
  chunk({
    choices: [{ delta: { role: "assistant" } }],
    openledger: { seed: 7, base_sha256: "aa", adapter_sha256: "bb" },
  }),
  chunk({ choices: [{ delta: { content: "The " } }] }),
  ": still there\n\n",
  chunk({ choices: [{ delta: { content: "pool." }, finish_reason: "stop" }] }),
  chunk({ choices: [], usage: { completion_tokens: 2 } }),
  'event: budget\ndata: {"kind":"visitor","limit":5000,"remaining":4000,"resetsAt":1}\n\n',
  "data: [DONE]\n\n",
];
const read = (texts: string[]) =>
  new EventParser().push(texts.join("")).reduce((answer, message) => readMessage(answer, message), noAnswer);

describe("a streamed answer", () => {
  it("is put together, with what answered it", () => {
    expect(read(stream)).toEqual({
      ...{ text: "The pool.", state: "done", finish: "stop", error: null, tokens: 2 },
      ...{ seed: "7", baseSha256: "aa", adapterSha256: "bb", sources: null, receipt: null },
    });
  });
  it("has the documentation that was asked, and its receipt", () => {
    const sources = [{ number: 1, source: "docs", url: "/docs" }];
    const told = read([
      `event: sources\n${chunk(sources)}`,
      ...stream.slice(0, 4),
      `event: receipt\n${chunk({ id: "aa", sources })}`,
      "data: [DONE]\n\n",
    ]);
    expect(told).toMatchObject({ text: "The pool.", state: "done", sources, receipt: { id: "aa" } });
  });
  it("keeps what came where an error ends it", () => {
    const failed = read([
      ...stream.slice(0, 2),
      chunk({ error: { message: "out of memory" } }),
      "data: [DONE]\n\n",
    ]);
    expect(failed).toMatchObject({ text: "The ", state: "failed", error: "out of memory" });
  });
  it("that was cut is not taken for done", () => {
    expect(ended(read(stream.slice(0, 2)))).toMatchObject({
      state: "failed",
      error: "The answer was cut off",
    });
    expect(ended(read(stream)).state).toBe("done");
  });
  it("tells the budget", () => {
    const messages = new EventParser().push(stream.join(""));
    expect(messages.map(readBudget).filter(Boolean)).toEqual([
      { kind: "visitor", limit: 5000, remaining: 4000, resetsAt: 1 },
    ]);
  });
});
