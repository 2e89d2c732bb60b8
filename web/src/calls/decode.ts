// Reads calls by the metadata that this app was built with: what is shown is what the bytes say, whoever sent them.

import { openledger } from "@polkadot-api/descriptors";
import { getDynamicBuilder, getLookupFn, type LookupEntry } from "@polkadot-api/metadata-builders";
import { decAnyMetadata, type UnifiedMetadata, unifyMetadata } from "@polkadot-api/substrate-bindings";
import { base32nopad } from "@scure/base";
import { ProblemError } from "@/lib/problem";

/** Calls within calls that are looked at: a batch of batches is as deep as anybody needs. */
const MOST_DEPTH = 3;
/** Calls of one transaction, those within others counted. */
const MOST_CALLS = 100;

/** A value as it is shown. */
export type Shown =
  | { kind: "nothing" }
  | { kind: "word"; text: string }
  | { kind: "number"; value: bigint }
  | { kind: "account"; account: string }
  /** Bytes or an id, in one piece. */
  | { kind: "code"; text: string }
  /** Bytes that are text, without what text hides. */
  | { kind: "text"; text: string }
  | { kind: "list"; items: readonly Shown[] }
  | { kind: "fields"; fields: readonly (readonly [string, Shown])[] }
  | { kind: "variant"; name: string; value: Shown }
  | { kind: "call"; call: Call };

/** A call. */
export interface Call {
  pallet: string;
  name: string;
  /** What the pallet says of it. */
  about: string;
  arguments: readonly (readonly [string, Shown])[];
  /** The arguments as polkadot-api decodes them. */
  // biome-ignore lint/suspicious/noExplicitAny: each call has a type of its own
  values: Record<string, any>;
  /** Calls among the arguments. */
  within: readonly Call[];
}

/** Calls of one version of the chain. */
export interface Decoder {
  spec: number;
  decode(bytes: Uint8Array): Call;
  /** A constant of a pallet; of one that has several numbers the one of a field. */
  constant(pallet: string, name: string, field?: string): bigint;
}

interface Enum {
  type: string;
  value: unknown;
}

function toHex(bytes: Uint8Array): string {
  return `0x${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** Text that hides nothing, or nothing. */
function plainText(bytes: Uint8Array): string | null {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    // Control, format (bidirectional, zero width), surrogate, private and unassigned characters.
    return text !== "" && !/[\p{C}\p{Zl}\p{Zp}]/u.test(text.replaceAll("\n", "")) ? text : null;
  } catch {
    return null;
  }
}

function bytesOf(value: unknown): Uint8Array | null {
  if (value instanceof Uint8Array) return value;
  if (typeof value === "string" && /^0x([0-9a-f]{2})*$/.test(value)) {
    return Uint8Array.from(value.slice(2).match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
  }
  return null;
}

/** Reads values by their types. */
class Reader {
  private readonly metadata: UnifiedMetadata;
  private readonly lookup: ReturnType<typeof getLookupFn>;
  private calls = 0;

  constructor(metadata: UnifiedMetadata, lookup: ReturnType<typeof getLookupFn>) {
    this.metadata = metadata;
    this.lookup = lookup;
  }

  call(value: Enum, depth: number): Call {
    this.calls += 1;
    if (depth > MOST_DEPTH || this.calls > MOST_CALLS) {
      throw new ProblemError(
        `The transaction has more than ${MOST_CALLS} calls, or calls within calls ${MOST_DEPTH} deep`,
        "Have it made in several transactions.",
      );
    }
    const pallet = value.type;
    const inner = value.value as Enum;
    const type = this.metadata.pallets.find(({ name }) => name === pallet)?.calls?.type;
    const definition = type === undefined ? undefined : this.metadata.lookup[type]?.def;
    const variant =
      definition?.tag === "variant" ? definition.value.find(({ name }) => name === inner.type) : undefined;
    if (!variant) throw new Error(`${pallet}.${inner.type} is not in the metadata`);
    const values = (inner.value ?? {}) as Call["values"];
    const within: Call[] = [];
    const shown = variant.fields.map(({ name, type }, n) => {
      const field = name ?? String(n);
      return [field, this.value(this.lookup(type), values[field], depth, within)] as const;
    });
    const about = variant.docs.join("\n").split(/\n\s*\n/)[0] ?? "";
    return {
      pallet,
      name: inner.type,
      about: about
        .replaceAll(/\s+/g, " ")
        .replaceAll(/\[([^\]]*)\](\([^)]*\))?/g, "$1")
        .replaceAll("`", "")
        .replaceAll(/ ([.,])/g, "$1")
        .trim(),
      arguments: shown,
      values,
      within,
    };
  }

  private value(entry: LookupEntry, value: unknown, depth: number, within: Call[]): Shown {
    if (entry.id === this.lookup.call) {
      const call = this.call(value as Enum, depth + 1);
      within.push(call);
      return { kind: "call", call };
    }
    if (this.metadata.lookup[entry.id]?.path.at(-1) === "ContentId") return contentId(value);
    const inner = (of: LookupEntry, one: unknown) => this.value(of, one, depth, within);
    const listed = (one: readonly unknown[], of: (n: number) => LookupEntry): Shown => ({
      kind: "list",
      items: one.map((item, n) => inner(of(n), item)),
    });
    switch (entry.type) {
      case "void":
        return { kind: "nothing" };
      case "primitive":
      case "compact":
        return simple(value);
      case "AccountId32":
        return { kind: "account", account: String(value) };
      case "AccountId20":
      case "bitSequence":
        return { kind: "code", text: JSON.stringify(value) };
      case "option":
        return value === undefined ? { kind: "nothing" } : inner(entry.value, value);
      case "result": {
        const result = value as { success: boolean; value: unknown };
        const of = result.success ? entry.value.ok : entry.value.ko;
        return { kind: "variant", name: result.success ? "Ok" : "Err", value: inner(of, result.value) };
      }
      case "sequence":
      case "array": {
        const bytes = bytesOf(value);
        if (bytes) return bytesShown(bytes, entry.type === "sequence");
        return listed(value as readonly unknown[], () => entry.value);
      }
      case "tuple":
        return listed(value as readonly unknown[], (n) => entry.value[n] as LookupEntry);
      case "struct":
        return this.fields(entry.value, value as Record<string, unknown>, depth, within);
      case "enum": {
        const { type: name, value: held } = value as Enum;
        const variant = entry.value[name];
        if (!variant) throw new Error(`${name} is not a variant of type ${entry.id}`);
        // The way almost every account is named.
        if (name === "Id" && variant.type === "lookupEntry" && variant.value.type === "AccountId32") {
          return inner(variant.value, held);
        }
        return { kind: "variant", name, value: this.variant(variant, held, depth, within) };
      }
    }
  }

  private variant(
    of: Extract<LookupEntry, { type: "enum" }>["value"][string],
    value: unknown,
    depth: number,
    within: Call[],
  ): Shown {
    switch (of.type) {
      case "void":
        return { kind: "nothing" };
      case "lookupEntry":
        return this.value(of.value, value, depth, within);
      case "struct":
        return this.fields(of.value, value as Record<string, unknown>, depth, within);
      case "tuple":
        return {
          kind: "list",
          items: (value as readonly unknown[]).map((item, n) =>
            this.value(of.value[n] as LookupEntry, item, depth, within),
          ),
        };
      case "array": {
        const bytes = bytesOf(value);
        if (bytes) return bytesShown(bytes, false);
        const items = (value as readonly unknown[]).map((item) => this.value(of.value, item, depth, within));
        return { kind: "list", items };
      }
    }
  }

  private fields(
    of: Record<string, LookupEntry>,
    value: Record<string, unknown>,
    depth: number,
    within: Call[],
  ): Shown {
    const fields = Object.entries(of).map(
      ([name, entry]) => [name, this.value(entry, value[name], depth, within)] as const,
    );
    return { kind: "fields", fields };
  }
}

function simple(value: unknown): Shown {
  if (typeof value === "bigint" || typeof value === "number") return { kind: "number", value: BigInt(value) };
  if (typeof value === "boolean") return { kind: "word", text: value ? "yes" : "no" };
  const text = String(value);
  return plainText(new TextEncoder().encode(text)) === null
    ? { kind: "code", text: JSON.stringify(text) }
    : { kind: "text", text };
}

function bytesShown(bytes: Uint8Array, mayBeText: boolean): Shown {
  if (bytes.length === 0) return { kind: "nothing" };
  const text = mayBeText ? plainText(bytes) : null;
  return text === null ? { kind: "code", text: toHex(bytes) } : { kind: "text", text };
}

/** A content id in the form in which people compare them. */
function contentId(value: unknown): Shown {
  const { codec, digest } = value as { codec: Enum; digest: unknown };
  const hash = bytesOf(digest);
  if (!hash) throw new Error("a content id without a digest");
  const bytes = new Uint8Array([1, codec.type === "Raw" ? 0x55 : 0x70, 0x12, 0x20, ...hash]);
  return { kind: "code", text: `b${base32nopad.encode(bytes).toLowerCase()}` };
}

let made: Promise<Decoder> | undefined;

/** The decoder of the version that this app was built for. */
export function getDecoder(): Promise<Decoder> {
  made ??= openledger.getMetadata().then(decoderOf);
  return made;
}

function decoderOf(raw: Uint8Array): Decoder {
  const metadata = unifyMetadata(decAnyMetadata(raw));
  const lookup = getLookupFn(metadata);
  const builder = getDynamicBuilder(lookup);
  const constant = (pallet: string, name: string): unknown => {
    const of = metadata.pallets.find((one) => one.name === pallet);
    const found = of?.constants.find((one) => one.name === name);
    if (!found) throw new Error(`${pallet}.${name} is not in the metadata`);
    return builder.buildConstant(pallet, name).dec(found.value);
  };
  if (lookup.call === null) throw new Error("the metadata does not say what a call is");
  const codec = builder.buildDefinition(lookup.call);
  return {
    spec: (constant("System", "Version") as { spec_version: number }).spec_version,
    constant: (pallet, name, field) => {
      const found = constant(pallet, name);
      return BigInt((field === undefined ? found : (found as Record<string, unknown>)[field]) as bigint);
    },
    decode(bytes) {
      let value: Enum;
      let again: Uint8Array;
      try {
        value = codec.dec(bytes) as Enum;
        again = codec.enc(value);
      } catch (cause) {
        throw new ProblemError(
          "The bytes are not a call of this chain",
          "Nothing is signed that cannot be read. Ask for another link.",
          { cause },
        );
      }
      // Bytes that mean nothing would be signed too.
      if (again.length !== bytes.length || again.some((byte, n) => byte !== bytes[n])) {
        throw new ProblemError(
          "The bytes hold more than the call, or the call in another way than the chain writes it",
          "Nothing is signed that cannot be read. Ask for another link.",
        );
      }
      return new Reader(metadata, lookup).call(value, 1);
    },
  };
}
