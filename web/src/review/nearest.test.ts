import { expect, it } from "vitest";
import { compareTexts, sayAlike, sayCompared } from "./nearest";

it("says how an earlier file is alike, and what was not compared", () => {
  expect(sayAlike({ same: "bytes", media: "txt" })).toContain("same bytes");
  expect(sayAlike({ same: "text", media: "pdf" })).toContain("same canonical text");
  expect(sayAlike({ same: "likeness", media: "docx" })).toContain("runs of twenty letters");
  expect(sayAlike({ same: "likeness", media: "png" })).toContain("pictures");
  expect(sayCompared({ compared: 1, unknown: 0 })).toMatch(/^Compared with 1 submission to .* wait\.$/);
  expect(sayCompared({ compared: 1200, unknown: 1 })).toContain("1 other has not been measured");
});

it("finds the sentences and lines that only one of two texts has", () => {
  const own = (pieces: { text: string; shared: boolean }[]) =>
    pieces.filter(({ shared }) => !shared).map(({ text }) => text.trim());
  const [here, earlier] = compareTexts(
    "The lamp was lit at six. Wind from the west.\nA ship passed",
    "The  lamp w\u200bas lit at SIX.\nWind from the east. A ship passed",
  );
  expect([own(here), own(earlier)]).toEqual([["Wind from the west."], ["Wind from the east."]]);
  expect(here.map(({ text }) => text).join("")).toBe(
    "The lamp was lit at six. Wind from the west.\nA ship passed",
  );
  expect(compareTexts("", "\n\n").flatMap(own)).toEqual([]);
});
