import { describe, expect, it } from "vitest";
import { fileOfCar } from "./car";

const utf8 = new TextEncoder();
const part = (number: number, bytes: readonly number[]) => [number * 8 + 2, bytes.length, ...bytes];
/** A content id; a test needs no hash, only that they differ. */
const cid = (codec: number, name: number) => [1, codec, 0x12, 0x20, ...Array(32).fill(name)];
const size = (length: number) => (length < 128 ? [length] : [(length % 128) + 128, length >> 7]);
const block = (id: readonly number[], bytes: readonly number[]) => [
  ...size(id.length + bytes.length),
  ...id,
  ...bytes,
];
const node = (...ids: (readonly number[])[]) => [
  ...ids.flatMap((id) => part(2, [...part(1, id), ...part(2, []), 24, 5])),
  ...part(1, [8, 2]),
];
const car = (...blocks: (readonly number[])[]) => Uint8Array.from([3, 0xa1, 0, 0, ...blocks.flat()]);
const text = (bytes: Uint8Array) => fileOfCar(bytes).map((piece) => new TextDecoder().decode(piece));
const [hello, world] = [[...utf8.encode("hello")], [...utf8.encode(" world")]];

describe("a file of a CAR", () => {
  it("is its one block", () => {
    expect(text(car(block(cid(0x55, 1), hello)))).toEqual(["hello"]);
  });
  it("is its chunks in the order of the links, one that comes twice too", () => {
    const root = node(cid(0x55, 2), cid(0x55, 1), cid(0x55, 2));
    const whole = car(block(cid(0x70, 9), root), block(cid(0x55, 2), hello), block(cid(0x55, 1), world));
    expect(text(whole)).toEqual(["hello", " world", "hello"]);
  });
  it("is refused where it is cut off or a part is missing", () => {
    const root = block(cid(0x70, 9), node(cid(0x55, 1)));
    expect(() => text(car(root))).toThrow("a part of the content is missing");
    expect(() => text(car(root).slice(0, -1))).toThrow("cut off");
    expect(() => text(Uint8Array.of(3, 0xa1, 0, 0))).toThrow("no block");
    // A node that links to itself.
    expect(() => text(car(block(cid(0x70, 9), node(cid(0x70, 9)))))).toThrow("missing");
  });
});
