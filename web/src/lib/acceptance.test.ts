import { expect, test } from "vitest";
import { sayAcceptance } from "./acceptance";

test("acceptance is a share of what was decided, and never rounds to all or none", () => {
  expect(sayAcceptance({ accepted: 5, rejected: 1 })).toBe("83 % (5 of 6)");
  expect(sayAcceptance({ accepted: 0, rejected: 3 })).toBe("0 % (0 of 3)");
  expect(sayAcceptance({ accepted: 4, rejected: 0 })).toBe("100 % (4 of 4)");
  expect(sayAcceptance({ accepted: 1, rejected: 999 })).toBe("< 1 % (1 of 1,000)");
  expect(sayAcceptance({ accepted: 9999, rejected: 1 })).toBe("> 99 % (9,999 of 10,000)");
  expect(sayAcceptance({ accepted: 0, rejected: 0 })).toBeNull();
});
