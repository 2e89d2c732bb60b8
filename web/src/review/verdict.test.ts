import { describe, expect, it } from "vitest";
import type { Preview } from "@/api/types";
import { rejections } from "@/content/reasons";
import { cannotAccept, parseScore, type ReasonName, verdictOf } from "./verdict";

const preview: Preview = {
  sha256: "00",
  media: "txt",
  isolation: null,
  unit: "bytes of canonical text",
  units: 1481,
  textRoot: "ab".repeat(32),
  text: "…",
  truncated: false,
  leftOut: [],
  refusal: null,
  extractor: 2,
};

describe("a verdict", () => {
  it("to accept names what was measured, and by which extractor", () => {
    expect(verdictOf({ accept: true, score: 90 }, preview)).toEqual({
      type: "Accept",
      value: { score: 90, units: 1481n, text_root: `0x${"ab".repeat(32)}`, extractor: 2 },
    });
  });

  it("on a picture has no root over text", () => {
    const verdict = verdictOf({ accept: true, score: 1 }, { ...preview, textRoot: null });
    expect(verdict).toMatchObject({ value: { text_root: `0x${"00".repeat(32)}` } });
  });

  it("to refuse has each of the chain's reasons", () => {
    const named = Object.keys(rejections).map((reason) => {
      const verdict = verdictOf({ accept: false, reason: reason as ReasonName }, preview);
      return (verdict.value as { type: string }).type;
    });
    expect(named).toEqual([
      "WrongFormat",
      "OffTopic",
      "LowQuality",
      "Duplicate",
      "TooSmall",
      "Harmful",
      "Licence",
    ]);
  });

  it("cannot accept what is refused, unmeasured or too small", () => {
    expect(cannotAccept(preview, 1481)).toBeNull();
    expect(cannotAccept(preview, 1482)).toContain("1482");
    expect(cannotAccept({ ...preview, refusal: "it hides text" }, 1)).toBe("it hides text");
    expect(cannotAccept({ ...preview, units: null }, 0)).not.toBeNull();
  });

  it("takes scores from 1 to 100", () => {
    expect(["1", " 100 ", "50"].map(parseScore)).toEqual([1, 100, 50]);
    expect(["0", "101", "5.5", "", "-3", "1e2"].map(parseScore)).toEqual([
      null,
      null,
      null,
      null,
      null,
      null,
    ]);
  });
});
