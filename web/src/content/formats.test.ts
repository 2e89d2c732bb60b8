import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { looksLike, mediaOf, mediaTypes } from "./formats";

describe("formats", () => {
  it("are those of the chain, in its order", () => {
    const source = readFileSync(new URL("../../../primitives/src/media.rs", import.meta.url), "utf8");
    const list = source.slice(source.indexOf("pub enum MediaType"));
    const found = [...list.matchAll(/^\s+(\w+) = \d+, "(\w+)",/gm)].map(([, variant, name]) => [
      name,
      variant,
    ]);
    expect(Object.entries(mediaTypes)).toEqual(found);
  });

  it("are told by a name's last extension, in any case", () => {
    expect(mediaOf("Notes.of.May.MD")).toBe("md");
    expect(mediaOf("photo.JPEG")).toBe("jpeg");
    expect(mediaOf("archive.zip")).toBeNull();
    expect(mediaOf("pdf")).toBeNull();
    expect(mediaOf("folder.txt/file")).toBeNull();
    expect(mediaOf("x.constructor")).toBeNull();
  });

  it("are told from others by their first bytes", () => {
    const head = (text: string) => new TextEncoder().encode(text);
    expect(looksLike("pdf", head("%PDF-1.7"))).toBe(true);
    expect(looksLike("pdf", head("hello"))).toBe(false);
    expect(looksLike("txt", head("hello"))).toBe(true);
    expect(looksLike("txt", new Uint8Array([104, 0, 105]))).toBe(false);
    expect(looksLike("wav", head("RIFF0000WAVEfmt "))).toBe(true);
    expect(looksLike("webp", head("RIFF0000WAVEfmt "))).toBe(false);
  });
});
