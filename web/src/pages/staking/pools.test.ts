import { expect, it } from "vitest";
import { readJoin, readLeave } from "./pools";

const OPEN = 10n ** 18n;

it("joins a pool with what is free, and enough", () => {
  const facts = { free: 20n * OPEN, least: OPEN };
  expect(readJoin("5", facts)).toEqual({ amount: 5n * OPEN });
  expect(readJoin("0.5", facts).problem).toContain("1 OPEN at least");
  expect(readJoin("21", facts).problem).toContain("20 OPEN");
  expect(readJoin("", facts).problem).toContain("such as 25");
});

it("leaves a pool in its points, whole or with enough left", () => {
  // A slash has taken half of what the points were worth.
  const own = { bonded: 10n * OPEN, points: 20n * OPEN };
  expect(readLeave("4", own, OPEN)).toEqual({ points: 8n * OPEN });
  expect(readLeave("10", own, OPEN)).toEqual({ points: 20n * OPEN });
  expect(readLeave("9.5", own, OPEN).problem).toContain("0.5 OPEN would stay");
  expect(readLeave("11", own, OPEN).problem).toContain("10 OPEN of yours");
});
