import { describe, expect, it } from "vitest";
import { parseContent, sha256, submissionItem } from "./content";

// `ipfs add --cid-version=1 --raw-leaves` of the five bytes "hello".
const HELLO = "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq";
const DIGEST = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

describe("content ids", () => {
  it("are codec and digest", async () => {
    expect(await sha256(new TextEncoder().encode("hello"))).toBe(DIGEST);
    expect(parseContent(HELLO)).toEqual({ codec: "Raw", digest: DIGEST });
  });
  it("are what a submission names", () => {
    expect(submissionItem({ content: HELLO, sha256: DIGEST, size: 5, media: "txt" })).toEqual({
      content: { codec: { type: "Raw", value: undefined }, digest: `0x${DIGEST}` },
      ...{ sha256: `0x${DIGEST}`, size: 5, media: { type: "Txt", value: undefined } },
    });
  });
  it("of other kinds are refused", () => {
    for (const wrong of ["QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG", "b", "bafkr", `${HELLO}aa`]) {
      expect(() => parseContent(wrong), wrong).toThrow();
    }
  });
});
