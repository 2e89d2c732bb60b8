import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { describeDispatchError, describeFailure, describeInvalid, nextSteps } from "./errors";
import { refusals } from "./refusals";

describe("rules of admission", () => {
  it("are those of the chain, number by number", () => {
    const file = readFileSync("../primitives/src/refusal.rs", "utf8");
    const start = file.indexOf("pub enum RefusalRule");
    const source = file.slice(start, file.indexOf("closed_list!", start));
    const listed = [...source.matchAll(/^\s+(\w+) = (\d+), "(\w+)", "([^"]+)";/gm)].map(
      ([, , code, name, words]) => [Number(code), name, words],
    );
    expect(listed.length).toBeGreaterThan(10);
    expect(Object.entries(refusals).map(([code, rule]) => [Number(code), rule.name, rule.words])).toEqual(
      listed,
    );
  });

  it("are named when the pool answers their number", () => {
    const refused = { type: "Invalid", value: { type: "Custom", value: 9 } };
    expect(describeInvalid(refused)).toEqual({
      title: "Refused: the account's files of the day are used up",
      next: "Try again after 00:00 UTC.",
    });
    expect(describeInvalid({ type: "Invalid", value: { type: "Custom", value: 99 } }).title).toContain("99");
  });
});

describe("errors of pallets", () => {
  it("are said in the words of the pallet's documentation", () => {
    const error = { type: "Module", value: { type: "Datanets", value: { type: "AlreadyRegistered" } } };
    const { title, next } = describeDispatchError(error);
    expect(title).toMatch(/^[A-Z].*\(Datanets::AlreadyRegistered\)$/);
    expect(title).not.toContain("the call was refused");
    expect(next).toContain("submit files");
  });

  it("are known with words for every pallet of ours", async () => {
    const { default: documents } = await import("@polkadot-api/descriptors/errors.json");
    for (const pallet of ["Datanets", "Review", "Leaderboard", "Training"] as const) {
      const entries = Object.entries((documents as Record<string, Record<string, string>>)[pallet] ?? {});
      expect(entries.length).toBeGreaterThan(3);
      for (const [, words] of entries) expect(words.length).toBeGreaterThan(8);
    }
  });
});

describe("what to do next", () => {
  it("is said of errors that the chain has", async () => {
    const { default: documents } = await import("@polkadot-api/descriptors/errors.json");
    const known = documents as Record<string, Record<string, string>>;
    const unknown = Object.keys(nextSteps).filter((key) => {
      const [pallet = "", name = ""] = key.split(".");
      return known[pallet]?.[name] === undefined;
    });
    expect(unknown).toEqual([]);
  });
});

describe("other failures", () => {
  it("tell a refusal to sign from a fault", () => {
    expect(describeFailure(new Error("Cancelled")).title).toBe("It was not signed; nothing was sent");
    expect(describeFailure(new Error("Rejected by user")).title).toBe("It was not signed; nothing was sent");
    expect(describeFailure(new Error("the disk is on fire")).title).toBe("the disk is on fire");
  });
});
