import { expect, it } from "vitest";
import { attemptOf } from "./committee";
import { compareTexts, sayAlike, sayCompared, sayLeave, sayMissing } from "./nearest";

it("says how an earlier file is alike, and what was not compared", () => {
  expect(sayAlike({ same: "bytes", media: "txt" })).toContain("same bytes");
  expect(sayAlike({ same: "text", media: "pdf" })).toContain("same canonical text");
  expect(sayAlike({ same: "likeness", media: "docx" })).toContain("part of its letters");
  expect(sayAlike({ same: "likeness", media: "png" })).toContain("part of its detail");
  expect(sayCompared({ compared: 1, unknown: 0, missing: [] })).toMatch(
    /^Compared with 1 submission to .* submitted\.$/,
  );
  expect(sayCompared({ compared: 1200, unknown: 2, missing: [7] })).toContain(
    "1 other has not been measured",
  );
  expect(sayCompared({ compared: 3, unknown: 2, missing: [15, 12] })).not.toContain("measured");
  expect(sayMissing({ unknown: 0, missing: [] })).toBe("");
  expect(sayMissing({ unknown: 1, missing: [12] })).toBe(
    "1 earlier file could not be compared, since this gateway does not have it: #12.",
  );
  expect(sayMissing({ unknown: 5, missing: [15, 12] })).toBe(
    "2 earlier files could not be compared, since this gateway does not have them: #15, #12.",
  );
  const many = Array.from({ length: 20 }, (_, n) => n);
  expect(sayMissing({ unknown: 40, missing: many })).toMatch(/^At least 20 earlier files could not/);
});

it("tells a member who lacks an earlier file to leave it to another committee, as long as there is one", () => {
  const draw = (asked: number) => attemptOf({ asked, challenges: null }, 3);
  const missing = { missing: [12] };
  expect(sayLeave(missing, draw(0))).toMatch(/^This is committee 1 of 3, .* cannot be compared/);
  expect(sayLeave(missing, draw(1))).toContain("committee 2 of 3");
  expect(sayLeave(missing, draw(1))).toContain("lose a part of your seat");
  expect(sayLeave(missing, draw(2))).toBe("");
  expect(sayLeave({ missing: [] }, draw(0))).toBe("");
  expect(sayLeave(missing, attemptOf({ asked: 0, challenges: { draw: 1, file: 0 } }, 3))).toBe("");
  expect(sayLeave(missing, null)).toBe("");
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
