import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  barReasons,
  MAX_DESCRIPTION,
  MAX_SUMMARY,
  MAX_TAG,
  MAX_TAGS,
  readCaps,
  readDescription,
} from "./owner.state";

describe("what a Datanet says of itself", () => {
  const typed = {
    summary: "Letters of sailors",
    description: "Old ones.\r\nWith dates.",
    tags: "sea, letters",
  };

  it("is taken as it is typed, tags apart", () => {
    const { text, problems } = readDescription(typed);
    expect(problems).toEqual({});
    const read = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);
    expect(read(text?.description)).toBe("Old ones.\nWith dates.");
    expect(text?.tags.map(read)).toEqual(["sea", "letters"]);
  });

  it("is bounded in bytes, part by part, and shows all of its characters", () => {
    expect(readDescription({ ...typed, summary: "é".repeat(101) }).problems.summary).toContain("202 bytes");
    expect(readDescription({ ...typed, summary: "two\nlines" }).problems.summary).toContain("one line");
    expect(readDescription({ ...typed, summary: "turned \u202e round" }).problems.summary).toContain("seen");
    for (const tower of [`o${"\u0301".repeat(5)}`, `o${"\u0e49".repeat(7)}`, "\u0301o"]) {
      expect(readDescription({ ...typed, summary: tower }).problems.summary).toContain("marks");
      expect(readDescription({ ...typed, tags: tower }).problems.tags).toContain("marks");
    }
    for (const fine of [
      "Tie\u0302\u0301ng Vie\u0323\u0302t",
      "\u05e9\u05c1\u05bc\u05b8\u05bd\u0596",
      "ผู้ใหญ่",
    ]) {
      expect(readDescription({ ...typed, summary: fine }).problems).toEqual({});
    }
    expect(readDescription({ ...typed, summary: "an \ufffc object" }).problems.summary).toContain("seen");
    expect(readDescription({ ...typed, description: "x".repeat(4097) }).problems.description).toContain(
      "4,096",
    );
    expect(readDescription({ ...typed, tags: "a,b,c,d,e,f,g,h,i" }).problems.tags).toContain("9 tags");
    expect(readDescription({ ...typed, tags: "sea, sea" }).problems.tags).toContain("twice");
    expect(readDescription({ ...typed, tags: "t".repeat(33) }).problems.tags).toContain("32 bytes");
  });

  it("has the chain's bounds and reasons", () => {
    const bounds = readFileSync("../primitives/src/datanet.rs", "utf8");
    const most = (name: string) =>
      Number(new RegExp(`pub const ${name}: u32 = ([\\d_]+)`).exec(bounds)?.[1]?.replaceAll("_", ""));
    expect([MAX_SUMMARY, MAX_DESCRIPTION, MAX_TAGS, MAX_TAG]).toEqual(
      ["MAX_SUMMARY", "MAX_DESCRIPTION", "MAX_TAGS", "MAX_TAG"].map(most),
    );
    const rules = readFileSync("../primitives/src/refusal.rs", "utf8");
    const source = rules.slice(rules.indexOf("pub enum BarReason"));
    const listed = [...source.matchAll(/^\s+(\w+) = \d+, "\w+", "([^"]+)";/gm)].map(([, name, words]) => [
      name,
      words,
    ]);
    expect(Object.entries(barReasons)).toEqual(listed.slice(0, Object.keys(barReasons).length));
    expect(listed.length).toBeGreaterThanOrEqual(Object.keys(barReasons).length);
  });
});

describe("daily limits", () => {
  const typed = { limited: true, files: "200", mebibytes: "10", share: "25" };

  it("are numbers of files and bytes, and a share of them", () => {
    expect(readCaps(typed).caps).toEqual({ daily_limit: { files: 200, bytes: 10_485_760n }, share: 25 });
    expect(readCaps({ ...typed, limited: false, files: "" }).caps).toEqual({
      daily_limit: undefined,
      share: 25,
    });
  });

  it("are refused by field", () => {
    expect(readCaps({ ...typed, files: "0" }).problems.files).toBeDefined();
    expect(readCaps({ ...typed, mebibytes: "x" }).problems.mebibytes).toBeDefined();
    expect(readCaps({ ...typed, share: "101" }).problems.share).toBeDefined();
  });
});
