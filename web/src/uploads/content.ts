// Hashes and content ids as transactions carry them.

import { base32nopad } from "@scure/base";
import type { Api } from "@/chain/client";

type Item = Parameters<Api["tx"]["Datanets"]["submit"]>[0]["items"][number];

export function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

const RAW = 0x55;
const DAG_PB = 0x70;

/** A CIDv1 with sha2-256 in base32, as its codec and digest. */
export function parseContent(cid: string): { codec: "Raw" | "DagPb"; digest: string } {
  if (!cid.startsWith("b")) throw new Error(`${cid} is no content id in base32`);
  const bytes = base32nopad.decode(cid.slice(1).toUpperCase());
  const [version, codec, hash, length] = bytes;
  if (bytes.length !== 36 || version !== 1 || hash !== 0x12 || length !== 32) {
    throw new Error(`${cid} is no content id with sha2-256`);
  }
  if (codec !== RAW && codec !== DAG_PB) throw new Error(`${cid} has a codec that the chain does not take`);
  return { codec: codec === RAW ? "Raw" : "DagPb", digest: hex(bytes.slice(4)) };
}

/** A file as `Datanets.submit` names it. */
export function submissionItem(file: { content: string; sha256: string; size: number; media: string }): Item {
  const { codec, digest } = parseContent(file.content);
  const media = `${file.media[0]?.toUpperCase()}${file.media.slice(1)}`;
  return {
    content: { codec: { type: codec, value: undefined }, digest: `0x${digest}` },
    sha256: `0x${file.sha256}`,
    size: file.size,
    media: { type: media, value: undefined },
  } as Item;
}
