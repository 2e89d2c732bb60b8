import { describe, expect, it } from "vitest";
import { nameFile, submissionItem } from "./contentId";

const MIB = 1 << 20;

/** The bytes of `Pattern` in content/tests/content_store/support. */
function pattern(size: number): Uint8Array<ArrayBuffer> {
  const base = new Uint8Array(MIB);
  for (let i = 0; i < MIB; i += 1)
    base[i] = Number((BigInt(i) * BigInt(i) * 31n + BigInt(i) * 7n + 11n) >> 3n);
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += MIB) {
    const chunk = base.slice(0, Math.min(MIB, size - at));
    const head = new Uint8Array(8);
    new DataView(head.buffer).setBigUint64(0, BigInt(at / MIB), true);
    chunk.set(head.slice(0, chunk.length));
    bytes.set(chunk, at);
  }
  return bytes;
}

// The golden ones of content/tests/content_store/import.rs, which Kubo 0.43 gives too.
const golden: readonly (readonly [number, string, string])[] = [
  [
    0,
    "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  ],
  [
    1,
    "bafkreidogqfzz75tpkmjzjke425xqcrmpcib2p5tg44hnbirumdbpl5adu",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  ],
  [
    1_048_576,
    "bafkreic3awpwqujjcragnzyiq5wfvoui4xgir3quholjrop422sct4ebii",
    "5b059f685129144066e708876c5aba88e5cc88ee143b9698b9fcd6a429f08142",
  ],
  [
    1_048_577,
    "bafybeig2ajhatzrzlukmyiq77uo6hcevbh46w34o5wswesczvlz5durdry",
    "729094a2e6a21156dc9a5c812274e007f23745cec8e1c1a35de1c029b308fe08",
  ],
  [
    10_485_760,
    "bafybeicdyyuiy6xfguqmpvjd2wiqviiyx4wat4eiviqmjztyfmvz2ouy3q",
    "da1347fc45e4ef9e2270cba7e9ce8e62e403b13eba7e34554483ee4c39c8f008",
  ],
];

describe("content ids", () => {
  for (const [size, content, sha256] of golden) {
    it(`of ${size} bytes are the golden ones`, async () => {
      const named = await nameFile(pattern(size));
      expect(named).toMatchObject({ sha256, size });
      expect(named.content.text).toBe(content);
    });
  }

  it("are what a submission names", async () => {
    // `ipfs add --cid-version=1 --raw-leaves` of the five bytes "hello".
    const named = await nameFile(new TextEncoder().encode("hello"));
    expect(named.content.text).toBe("bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq");
    expect(submissionItem(named, "txt")).toEqual({
      content: { codec: { type: "Raw", value: undefined }, digest: `0x${named.sha256}` },
      sha256: `0x${named.sha256}`,
      size: 5,
      media: { type: "Txt", value: undefined },
    });
  });
});
