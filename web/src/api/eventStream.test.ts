import { describe, expect, it } from "vitest";
import { EventParser } from "./eventStream";

const stream =
  ': hello\n\nid: 7-0\nevent: block\ndata: {"a":1}\n\ndata: one\ndata: two\r\n\r\nretry: 10\n\nid: 8-1\ndata:x\n\n';

describe("the parser of events", () => {
  const whole = new EventParser().push(stream);

  it("reads ids, kinds and data of several lines, and leaves out comments", () => {
    expect(whole).toEqual([
      { id: "7-0", event: "block", data: '{"a":1}' },
      { id: "7-0", event: "message", data: "one\ntwo" },
      { id: "8-1", event: "message", data: "x" },
    ]);
  });

  it("finds the same messages however the text is cut", () => {
    for (let size = 1; size < stream.length; size += 1) {
      const parser = new EventParser();
      const found = [];
      for (let at = 0; at < stream.length; at += size)
        found.push(...parser.push(stream.slice(at, at + size)));
      expect(found).toEqual(whole);
    }
  });

  it("gives up on a line without end", () => {
    expect(() => new EventParser().push("x".repeat((1 << 20) + 1))).toThrow();
  });
});
