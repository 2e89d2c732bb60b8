import { openledger } from "@polkadot-api/descriptors";
import { getDynamicBuilder, getLookupFn } from "@polkadot-api/metadata-builders";
import { decAnyMetadata, unifyMetadata } from "@polkadot-api/substrate-bindings";
import { describe, expect, it } from "vitest";
import { type Call, getDecoder, type Shown } from "@/calls/decode";
import { costOf, ruled } from "./costs";
import { MOST_BYTES, readLink } from "./link";
import { judge } from "./sign.state";

const ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const BOB = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";
const OPEN = 10n ** 18n;

const metadata = unifyMetadata(decAnyMetadata(await openledger.getMetadata()));
const lookup = getLookupFn(metadata);
const codec = getDynamicBuilder(lookup).buildDefinition(lookup.call ?? 0);
const decoder = await getDecoder();

const inner = (pallet: string, name: string, value?: unknown) => ({
  type: pallet,
  value: { type: name, value },
});
const encode = (pallet: string, name: string, value?: unknown): Uint8Array =>
  codec.enc(inner(pallet, name, value));
const transfer = (value: bigint) =>
  inner("Balances", "transfer_keep_alive", { dest: { type: "Id", value: BOB }, value });
const hex = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const cost = (call: Call) => costOf(call, decoder.constant);
const argument = (call: Call, name: string): Shown | undefined =>
  call.arguments.find(([field]) => field === name)?.[1];

describe("a link", () => {
  const genesis = "ab".repeat(32);
  it("is read whole", () => {
    expect(readLink(`#call=0x0102&genesis=0x${genesis}&spec=103`)).toEqual({
      call: new Uint8Array([1, 2]),
      genesis,
      spec: 103,
      more: false,
    });
  });

  it("may say more, which is told and not kept", () => {
    const link = readLink(`#call=0102&genesis=${genesis}&spec=103&description=Claim+your+prize`);
    expect(link.more).toBe(true);
    expect(JSON.stringify(link)).not.toContain("prize");
  });

  it.each([
    ["", "names no call"],
    [`call=010&genesis=${genesis}&spec=1`, "not hexadecimal"],
    [`call=zz&genesis=${genesis}&spec=1`, "not hexadecimal"],
    [`call=01&call=02&genesis=${genesis}&spec=1`, "call more than once"],
    ["call=01&spec=1", "which chain"],
    [`call=01&genesis=${genesis}`, "which version"],
    [`call=01&genesis=${genesis}&spec=1e3`, "which version"],
    [`call=${"00".repeat(MOST_BYTES + 1)}&genesis=${genesis}&spec=1`, `${MOST_BYTES + 1} bytes`],
    [`call=${"00".repeat(1_000_000)}`, "characters"],
  ])("%.40s is refused", (fragment, words) => {
    expect(() => readLink(fragment)).toThrow(words);
  });
});

describe("the chain of a link", () => {
  const link = readLink(`call=01&genesis=${"ab".repeat(32)}&spec=7`);
  const here = { chain: "Here", genesis: "ab".repeat(32), spec: 7 };
  it("is this one at this version", () => {
    expect(() => judge(link, here, 7)).not.toThrow();
    expect(() => judge(link, { ...here, genesis: "cd".repeat(32) }, 7)).toThrow("another chain");
    expect(() => judge(link, { ...here, spec: 8 }, 8)).toThrow("version 7 of the chain, which is at 8");
    expect(() => judge(link, here, 6)).toThrow("reads calls of version 6");
  });
});

describe("a call", () => {
  it("is shown with every argument", () => {
    const rules = {
      terms: { per_period: 10n * OPEN, max_per_point: 5n },
      next_terms: undefined,
      policy: `0x${"12".repeat(32)}`,
      next_policy: undefined,
    };
    const call = decoder.decode(encode("Leaderboard", "fund", { datanet: 3, amount: 2n * OPEN, rules }));
    expect([call.pallet, call.name]).toEqual(["Leaderboard", "fund"]);
    expect(call.about).toMatch(/^[A-Z].*\.$/);
    expect(call.arguments).toEqual([
      ["datanet", { kind: "number", value: 3n }],
      ["amount", { kind: "number", value: 2n * OPEN }],
      [
        "rules",
        {
          kind: "fields",
          fields: [
            [
              "terms",
              {
                kind: "fields",
                fields: [
                  ["per_period", { kind: "number", value: 10n * OPEN }],
                  ["max_per_point", { kind: "number", value: 5n }],
                ],
              },
            ],
            ["next_terms", { kind: "nothing" }],
            ["policy", { kind: "code", text: `0x${"12".repeat(32)}` }],
            ["next_policy", { kind: "nothing" }],
          ],
        },
      ],
    ]);
    expect(cost(call)).toEqual({
      spent: 2n * OPEN,
      held: 0n,
      notes: ["What points earn does not come back."],
    });
  });

  it("names files as people compare them, and costs nothing", () => {
    const digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const item = {
      content: { codec: { type: "Raw", value: undefined }, digest: `0x${digest}` },
      sha256: `0x${digest}`,
      size: 3,
      media: { type: "Txt", value: undefined },
    };
    const call = decoder.decode(encode("Datanets", "submit", { datanet: 0, items: [item] }));
    expect(argument(call, "items")).toEqual({
      kind: "list",
      items: [
        {
          kind: "fields",
          fields: [
            [
              "content",
              { kind: "code", text: "bafkreif2pall7dybz7vecqka3zo24irdwabwdi4wc55jznaq75q7eaavvu" },
            ],
            ["sha256", { kind: "code", text: `0x${digest}` }],
            ["size", { kind: "number", value: 3n }],
            ["media", { kind: "variant", name: "Txt", value: { kind: "nothing" } }],
          ],
        },
      ],
    });
    expect(cost(call).free).toContain("no fee");
  });

  it("of text shows text that hides nothing, and bytes otherwise", () => {
    const named = (name: string) => {
      const policy = { type: "Curators", value: { members: [ALICE], threshold: 1 } };
      const value = {
        name: new TextEncoder().encode(name),
        modality: { type: "Text", value: undefined },
        min_units: 1n,
        max_units: 2n,
        daily_limit: undefined,
        policy,
      };
      return decoder.decode(encode("Datanets", "create_datanet", value));
    };
    expect(argument(named("Recipes"), "name")).toEqual({ kind: "text", text: "Recipes" });
    expect(argument(named("Reci\u202epes"), "name")).toEqual({
      kind: "code",
      text: `0x${hex(new TextEncoder().encode("Reci\u202epes"))}`,
    });
    expect(cost(named("Recipes")).held).toBe(10n * OPEN);
  });

  it("within a batch is shown and counted in full", () => {
    const bytes = encode("Utility", "batch_all", {
      calls: [transfer(OPEN), inner("Datanets", "register"), transfer(2n * OPEN)],
    });
    const call = decoder.decode(bytes);
    expect(call.within.map(({ name }) => name)).toEqual([
      "transfer_keep_alive",
      "register",
      "transfer_keep_alive",
    ]);
    const shown = argument(call, "calls");
    expect(shown?.kind === "list" && shown.items.map(({ kind }) => kind)).toEqual(["call", "call", "call"]);
    expect(call.within[0]?.arguments[0]).toEqual(["dest", { kind: "account", account: BOB }]);
    expect(cost(call)).toMatchObject({ spent: 3n * OPEN, held: OPEN });
  });

  it.each([
    ["sudo", encode("Sudo", "sudo", { call: transfer(1n) })],
    ["the rights of another", encode("Utility", "as_derivative", { index: 0, call: transfer(1n) })],
    [
      "sudo in a batch",
      encode("Utility", "batch", { calls: [inner("Sudo", "sudo", { call: transfer(1n) })] }),
    ],
    ["other code", encode("System", "set_code", { code: new Uint8Array([1]) })],
    [
      "all there is",
      encode("Balances", "transfer_all", { dest: { type: "Id", value: BOB }, keep_alive: false }),
    ],
    ["session keys", encode("Session", "purge_keys")],
  ])("of %s is refused", (_, bytes) => {
    expect(() => cost(decoder.decode(bytes))).toThrow("This page does not sign");
  });

  it("that is too deep or has too many within it is refused", () => {
    const nest = (depth: number): ReturnType<typeof inner> =>
      depth === 0 ? transfer(1n) : inner("Utility", "batch", { calls: [nest(depth - 1)] });
    expect(() => decoder.decode(codec.enc(nest(2)))).not.toThrow();
    expect(() => decoder.decode(codec.enc(nest(3)))).toThrow("deep");
    const calls = Array.from({ length: 100 }, () => transfer(1n));
    expect(() => decoder.decode(encode("Utility", "batch", { calls }))).toThrow("more than 100 calls");
    // Deeper than a program's stack: nothing is read, and nothing breaks.
    const batch = encode("Utility", "batch", { calls: [] }).subarray(0, 2);
    const deep = new Uint8Array(MOST_BYTES);
    for (let at = 0; at + 3 <= deep.length; at += 3) deep.set([...batch, 4], at);
    expect(() => decoder.decode(deep)).toThrow("not a call");
  });

  it("that is no call, or more than one, is refused", () => {
    const bytes = codec.enc(transfer(1n)) as Uint8Array;
    expect(() => decoder.decode(new Uint8Array())).toThrow("not a call");
    expect(() => decoder.decode(new Uint8Array([250, 250]))).toThrow("not a call");
    expect(() => decoder.decode(bytes.subarray(0, -1))).toThrow();
    expect(() => decoder.decode(new Uint8Array([...bytes, 0]))).toThrow("more than the call");
    // 1 as a compact number in four bytes: the chain would take it, and it is not what it writes.
    const long = new Uint8Array([...bytes.subarray(0, -1), 6, 0, 0, 0]);
    expect(() => decoder.decode(long)).toThrow();
  });

  it("has a price here if a pallet of ours has it and anybody may send it", () => {
    const ofRoot = ["Review.raise_extractor"];
    for (const pallet of ["Datanets", "Review", "Leaderboard", "Training"]) {
      const type = metadata.pallets.find(({ name }) => name === pallet)?.calls?.type ?? 0;
      const definition = metadata.lookup[type]?.def;
      const names =
        definition?.tag === "variant" ? definition.value.map(({ name }) => `${pallet}.${name}`) : [];
      expect(names.length).toBeGreaterThan(4);
      const priced = ruled.filter((name) => name.startsWith(`${pallet}.`));
      expect([...priced].sort()).toEqual(names.filter((name) => !ofRoot.includes(name)).sort());
    }
  });
});
