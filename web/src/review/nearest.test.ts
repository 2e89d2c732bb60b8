import { expect, it } from "vitest";
import { attemptOf } from "./committee";
import {
  compareTexts,
  isWhole,
  leaves,
  sayAlike,
  sayCompared,
  sayEnded,
  sayLeave,
  sayMissing,
} from "./nearest";

const whole = { unknown: 0, missing: [], undrawn: [], complete: true };

it("says how an earlier file is alike, and what was not compared", () => {
  expect(sayAlike({ same: "bytes", media: "txt" })).toContain("same bytes");
  expect(sayAlike({ same: "text", media: "pdf" })).toContain("same canonical text");
  expect(sayAlike({ same: "likeness", media: "docx" })).toContain("part of its letters");
  expect(sayAlike({ same: "likeness", media: "png" })).toContain("part of its detail");
  expect(sayCompared({ compared: 1 })).toMatch(/^Compared with 1 submission to .* submitted\.$/);
  expect(sayMissing(whole)).toBe("");
  expect(sayMissing({ ...whole, unknown: 1, missing: [12] })).toBe(
    "1 earlier file could not be compared, since this gateway does not have it: #12.",
  );
  expect(sayMissing({ ...whole, unknown: 5, missing: [15, 12] })).toBe(
    "2 earlier files could not be compared, since this gateway does not have them: #15, #12. 3 earlier files have not been measured by this gateway yet.",
  );
  const many = Array.from({ length: 20 }, (_, n) => n);
  expect(sayMissing({ ...whole, unknown: 40, missing: many })).toMatch(
    /^At least 20 earlier files could not/,
  );
});

it("says what is not measured yet, has no committee, or was left out, though nothing is missing", () => {
  expect(isWhole(whole)).toBe(true);
  const unmeasured = { ...whole, unknown: 1 };
  expect(sayMissing(unmeasured)).toBe("1 earlier file has not been measured by this gateway yet.");
  const undrawn = { ...whole, undrawn: [4] };
  expect(sayMissing(undrawn)).toMatch(
    /^1 earlier submission has no committee yet, .* once it has one: #4\.$/,
  );
  const latest = { ...whole, complete: false };
  expect(sayMissing(latest)).toContain("latest thousand earlier submissions alone");
  const first = attemptOf({ asked: 0, challenges: null }, 3);
  for (const lacking of [unmeasured, undrawn, latest]) {
    expect([isWhole(lacking), leaves(lacking, first)]).toEqual([false, true]);
    expect(sayLeave(lacking, first)).toContain("cannot be compared");
  }
  expect(leaves(whole, first)).toBe(false);
  expect(leaves(undefined, first)).toBe(true);
  expect(sayEnded({ endedMissing: [] })).toBe("");
  expect(sayEnded({ endedMissing: [7, 5] })).toContain("#7, #5");
});

it("says so while it is not known which committee it is", () => {
  const attempt = attemptOf({ asked: 2, challenges: null }, null);
  expect(attempt).toEqual({ number: 3, of: null });
  expect(leaves({ ...whole, unknown: 1 }, attempt)).toBe(true);
  expect(sayLeave({ ...whole, unknown: 1 }, attempt)).toContain("not known whether it is the last");
  expect(attemptOf({ asked: 0, challenges: { draw: 1, file: 0 } }, null)).toBe(null);
});

it("tells a member of any committee who lacks an earlier file to say that it cannot be compared", () => {
  const draw = (asked: number) => attemptOf({ asked, challenges: null }, 3);
  const missing = { ...whole, unknown: 1, missing: [12] };
  expect(sayLeave(missing, draw(0))).toMatch(/^This is committee 1 of 3: .* cannot be compared/);
  expect(sayLeave(missing, draw(1))).toContain("committee 2 of 3");
  expect(sayLeave(missing, draw(1))).toContain("lose a part of your seat");
  expect(sayLeave(missing, draw(2))).toContain("committee 3 of 3");
  expect(sayLeave(whole, draw(0))).toBe("");
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
