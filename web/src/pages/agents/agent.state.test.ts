import { describe, expect, it } from "vitest";
import { readTyped, typedOf } from "./agent.state";

describe("instructions as they are typed", () => {
  it("come back as they were", () => {
    const instructions = {
      system: "Be brief.\nAlways.",
      goal: "to earn",
      sources: ["docs", "https://docs.example.org/guide"],
    };
    expect(readTyped(typedOf(instructions))).toEqual({ instructions, errors: {} });
    expect(readTyped(typedOf(undefined)).instructions).toEqual({ system: "", goal: null, sources: ["docs"] });
  });
  it("can switch the agent off", () => {
    const off = { system: " ", goal: "", own: false, sources: "\n" };
    expect(readTyped(off)).toEqual({ instructions: { system: "", goal: null, sources: [] }, errors: {} });
  });
  it("are held to the gateway's bounds, in bytes", () => {
    const typed = { system: "é".repeat(4097), goal: "x".repeat(201), own: true, sources: "docs.example.org" };
    expect(Object.keys(readTyped(typed).errors)).toEqual(["system", "goal", "sources"]);
    const sources = (text: string) => readTyped({ ...typedOf(undefined), sources: text }).errors.sources;
    expect(sources("https://a.example/?ask=x")).toContain("without a query");
    expect(sources("https://a.example/x\nhttps://a.example/x")).toContain("twice");
    expect(sources(Array.from({ length: 8 }, (_, n) => `https://a.example/${n}`).join("\n"))).toContain(
      "at most 8",
    );
  });
});
