import { describe, expect, it } from "vitest";
import { fitting, left } from "./quota";

const file = (size: number) => ({ size });

describe("the quota", () => {
  it("is never less than nothing", () => {
    const used = { files: 21, bytes: 11 };
    expect(left({ used, limits: { files: 20, bytes: 10 } })).toEqual({ files: 0, bytes: 0 });
  });

  it("takes 20 of 25 files, and keeps the last five", () => {
    const files = Array.from({ length: 25 }, (_, n) => ({ size: 1, n }));
    const { fits, waits } = fitting(files, { files: 20, bytes: 1000 });
    expect(fits.map(({ n }) => n)).toEqual(Array.from({ length: 20 }, (_, n) => n));
    expect(waits.map(({ n }) => n)).toEqual([20, 21, 22, 23, 24]);
  });

  it("goes on with smaller files after one that is too large", () => {
    const { fits, waits } = fitting([file(6), file(7), file(4)], { files: 20, bytes: 10 });
    expect(fits).toEqual([file(6), file(4)]);
    expect(waits).toEqual([file(7)]);
  });

  it("fills to the last byte and no further", () => {
    expect(fitting([file(10)], { files: 1, bytes: 10 }).waits).toEqual([]);
    expect(fitting([file(11)], { files: 1, bytes: 10 }).fits).toEqual([]);
  });
});
