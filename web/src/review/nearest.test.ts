import { expect, it } from "vitest";
import { sayAlike, sayCompared } from "./nearest";

it("says how an earlier file is alike, and what was not compared", () => {
  expect(sayAlike({ same: "bytes", media: "txt" })).toContain("same bytes");
  expect(sayAlike({ same: "text", media: "pdf" })).toContain("same canonical text");
  expect(sayAlike({ same: "likeness", media: "docx" })).toContain("runs of twenty letters");
  expect(sayAlike({ same: "likeness", media: "png" })).toContain("pictures");
  expect(sayCompared({ compared: 1, unknown: 0 })).toMatch(/^Compared with 1 submission to .* wait\.$/);
  expect(sayCompared({ compared: 1200, unknown: 1 })).toContain("1 other has not been measured");
});
