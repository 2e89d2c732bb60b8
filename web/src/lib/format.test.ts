import { describe, expect, it } from "vitest";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatOpen,
  formatRelative,
  parseOpen,
  plural,
  shorten,
} from "./format";

describe("amounts", () => {
  it("are written without loss", () => {
    expect(formatOpen(1_234_500_000_000_000_000n)).toBe("1.2345");
    expect(formatOpen("1000000000000000000000000000")).toBe("1,000,000,000");
    expect(formatOpen(1n)).toBe("0.000000000000000001");
    expect(formatOpen(0n)).toBe("0");
    expect(formatOpen(-1_500_000_000_000_000_000n)).toBe("−1.5");
  });
  it("never look larger than they are when shortened", () => {
    expect(formatOpen(1_999_999_999_999_999_999n, 2)).toBe("1.99");
    expect(formatOpen(1n, 4)).toBe("< 0.0001");
    expect(formatOpen(5_000_000_000_000_000_000n, 2)).toBe("5");
  });
  it("are read back from what people type", () => {
    expect(parseOpen("1.2345")).toBe(1_234_500_000_000_000_000n);
    expect(parseOpen(" 1,000 ")).toBe(1000n * 10n ** 18n);
    expect(parseOpen(".5")).toBe(5n * 10n ** 17n);
    for (const wrong of ["", ".", "-1", "1e3", "1.0000000000000000001", "abc", "1 2"]) {
      expect(parseOpen(wrong)).toBeNull();
    }
  });
});

describe("other values", () => {
  it("group digits of any size", () => {
    expect(formatCount("123456789012345678901234")).toBe("123,456,789,012,345,678,901,234");
    expect(formatCount(999)).toBe("999");
    expect(formatCount(-1000)).toBe("−1,000");
  });
  it("name bytes in binary units", () => {
    expect(formatBytes(10_485_760)).toBe("10 MiB");
    expect(formatBytes(1535)).toBe("1.5 KiB");
    expect(formatBytes(12)).toBe("12 B");
  });
  it("say how long", () => {
    expect(formatDuration(65_000)).toBe("1 min 5 s");
    expect(formatDuration(7_500_000)).toBe("2 h 5 min");
    expect(formatRelative(0, 125_000)).toBe("2 min ago");
    expect(formatRelative(30_000, 0)).toBe("in 30 s");
    expect(formatRelative(1000, 0)).toBe("just now");
  });
  it("shorten ids and count things", () => {
    expect(shorten("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY")).toBe("5Grwva…GKutQY");
    expect(shorten("short")).toBe("short");
    expect(plural(1, "file")).toBe("1 file");
    expect(plural(2n, "entry", "entries")).toBe("2 entries");
  });
});
