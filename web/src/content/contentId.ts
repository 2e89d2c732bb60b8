import { base32nopad } from "@scure/base";
import type { Api } from "@/chain/client";
import { type Media, mediaTypes } from "./formats";

// Content ids as everybody computes them: profile `unixfs-v1-2025` (IPIP-499): CIDv1, sha2-256, raw leaves of
// 1 MiB, 1024 links a node. A file of an account and day has at most 10 MiB, so a tree has one level.

const CHUNK = 1 << 20;
const MOST_LINKS = 1024;
const RAW = 0x55;
const DAG_PB = 0x70;

/** What names a file, on the chain and on IPFS. */
export interface FileName {
  /** SHA-256 of the flat bytes, in hexadecimal. */
  sha256: string;
  content: ContentId;
  size: number;
}

export interface ContentId {
  codec: "Raw" | "DagPb";
  /** SHA-256 of the root block, in hexadecimal. */
  digest: string;
  /** Its text form. */
  text: string;
}

export function toHex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return bytes;
}

function field(number: number, bytes: readonly number[]): number[] {
  return [number * 8 + 2, ...varint(bytes.length), ...bytes];
}

function cidBytes(codec: number, digest: Uint8Array): number[] {
  return [1, codec, 0x12, 0x20, ...digest];
}

function contentId(codec: "Raw" | "DagPb", digest: Uint8Array): ContentId {
  const bytes = new Uint8Array(cidBytes(codec === "Raw" ? RAW : DAG_PB, digest));
  return { codec, digest: toHex(digest), text: `b${base32nopad.encode(bytes).toLowerCase()}` };
}

/** The root of a file of several chunks: a UnixFS file in dag-pb, its links before its data as dag-pb orders them. */
function root(chunks: readonly { digest: Uint8Array; size: number }[], size: number): number[] {
  const links = chunks.flatMap((chunk) =>
    field(2, [...field(1, cidBytes(RAW, chunk.digest)), ...field(2, []), 3 * 8, ...varint(chunk.size)]),
  );
  const data = [8, 2, 3 * 8, ...varint(size), ...chunks.flatMap((chunk) => [4 * 8, ...varint(chunk.size)])];
  return [...links, ...field(1, data)];
}

/** Hashes a file and computes its content id. */
export async function nameFile(bytes: Uint8Array<ArrayBuffer>): Promise<FileName> {
  const whole = await sha256(bytes);
  const size = bytes.length;
  if (size <= CHUNK) return { sha256: toHex(whole), content: contentId("Raw", whole), size };
  if (size > CHUNK * MOST_LINKS) throw new Error(`a file of ${size} bytes has more than one level of links`);
  const chunks: { digest: Uint8Array; size: number }[] = [];
  for (let at = 0; at < size; at += CHUNK) {
    const chunk = bytes.slice(at, Math.min(at + CHUNK, size));
    chunks.push({ digest: await sha256(chunk), size: chunk.length });
  }
  const digest = await sha256(new Uint8Array(root(chunks, size)));
  return { sha256: toHex(whole), content: contentId("DagPb", digest), size };
}

type Item = Parameters<Api["tx"]["Datanets"]["submit"]>[0]["items"][number];

/** A file as `Datanets.submit` names it. */
export function submissionItem({ content, sha256, size }: FileName, media: Media): Item {
  return {
    content: { codec: { type: content.codec, value: undefined }, digest: `0x${content.digest}` },
    sha256: `0x${sha256}`,
    size,
    media: { type: mediaTypes[media], value: undefined },
  };
}
