import { describe, expect, it } from "vitest";
import { misnamed, refusalOf } from "./files";

const rules = { name: "Our town", formats: ["md", "txt"] };

describe("a file before it is sent", () => {
  it("is taken when name, size and bytes fit", () => {
    expect(refusalOf({ name: "notes.MD", size: 10 }, rules)).toBeNull();
    expect(misnamed("md", new TextEncoder().encode("# Notes"))).toBeNull();
  });

  it("is refused by what is wrong, with what to do", () => {
    expect(refusalOf({ name: "photo.png", size: 10 }, rules)?.problem).toContain(".png");
    expect(refusalOf({ name: "photo.png", size: 10 }, rules)?.next).toContain(".md, .txt");
    expect(refusalOf({ name: "README", size: 10 }, rules)?.problem).toContain("no ending");
    expect(refusalOf({ name: "a.txt", size: 0 }, rules)?.problem).toContain("empty");
    expect(refusalOf({ name: "a.txt", size: 10 * 1024 * 1024 + 1 }, rules)?.problem).toContain("10 MiB");
    expect(refusalOf({ name: "a.txt", size: 10 * 1024 * 1024 }, rules)).toBeNull();
    expect(misnamed("txt", new Uint8Array([0x50, 0x4b, 0, 0]))?.problem).toContain(".txt");
  });
});
