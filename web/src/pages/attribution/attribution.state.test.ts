import { describe, expect, it } from "vitest";
import type { FileShare } from "@/api/types";
import { attributionCsv, percent } from "./attribution.state";

describe("attribution", () => {
  it("writes shares in percent, and never zero for something", () => {
    expect(percent(333_333_333, 1_000_000_000)).toBe("33.33 %");
    expect(percent(1, 1_000_000_000)).toBe("< 0.01 %");
    expect(percent(0, 1_000_000_000)).toBe("0.00 %");
    expect(percent(1_000_000_000, 1_000_000_000)).toBe("100.00 %");
  });
  it("is a CSV file with a line a file", () => {
    const file = {
      id: 7,
      datanet: 0,
      leaf: 3,
      contributor: "5F",
      sha256: "ab",
      content: "bafk",
      units: 12,
      share: 9,
    };
    expect(attributionCsv([file as FileShare], 10)).toBe(
      "submission,datanet,leaf,contributor,sha256,content,units,share,parts\r\n7,0,3,5F,ab,bafk,12,9,10\r\n",
    );
  });
});
