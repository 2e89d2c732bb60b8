// Reads a file out of a CAR (version 1), in which the gateway gives content so that a reader can check it. Who
// calls this compares the file's sha256 with what the chain names, so blocks are not hashed one by one.

const DAG_PB = 0x70;
/** Version, codec, hash function and its length, then a sha2-256. */
const CID_BYTES = 36;
/** Depth of links; 1,024 links a node make a file of terabytes. */
const DEEPEST = 4;

class Reader {
  at = 0;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  varint(): number {
    let value = 0;
    for (let shift = 1; ; shift *= 0x80) {
      const byte = this.bytes[this.at];
      if (byte === undefined || shift > 2 ** 42) throw new Error("the content is cut off");
      this.at += 1;
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) return value;
    }
  }

  take(length: number): Uint8Array {
    if (this.at + length > this.bytes.length) throw new Error("the content is cut off");
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}

const key = (cid: Uint8Array) => String.fromCharCode(...cid);

/** Fields of a protobuf message that are bytes, by their number. */
function* fields(message: Uint8Array): Generator<readonly [number, Uint8Array]> {
  const reader = new Reader(message);
  while (!reader.done) {
    const tag = reader.varint();
    if (tag % 8 === 2) yield [Math.floor(tag / 8), reader.take(reader.varint())];
    else if (tag % 8 === 0) reader.varint();
    else throw new Error("a node of the content has a field of an unknown kind");
  }
}

/** The content ids that a dag-pb node links to, in order. */
function links(node: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (const [number, link] of fields(node)) {
    if (number !== 2) continue;
    for (const [part, cid] of fields(link)) if (part === 1) found.push(cid);
  }
  return found;
}

/** The pieces of the file whose root is the first block of the CAR. */
export function fileOfCar(car: Uint8Array): Uint8Array[] {
  const reader = new Reader(car);
  reader.take(reader.varint());
  const blocks = new Map<string, Uint8Array>();
  let root: Uint8Array | undefined;
  while (!reader.done) {
    const block = reader.take(reader.varint());
    const cid = block.subarray(0, CID_BYTES);
    root ??= cid;
    blocks.set(key(cid), block.subarray(CID_BYTES));
  }
  if (!root) throw new Error("the content has no block");
  const pieces: Uint8Array[] = [];
  const walk = (cid: Uint8Array, depth: number) => {
    const block = blocks.get(key(cid));
    if (!block || depth > DEEPEST) throw new Error("a part of the content is missing");
    if (cid[1] !== DAG_PB) pieces.push(block);
    else for (const link of links(block)) walk(link, depth + 1);
  };
  walk(root, 0);
  return pieces;
}
