import { describe, expect, it } from "vitest";
import { emptyDraft, readDraft } from "./create.state";

const alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const bob = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";
const draft = { ...emptyDraft(alice), name: "Letters" };

describe("a draft of a Datanet", () => {
  it("becomes its rules", () => {
    const { rules, problems } = readDraft({
      ...draft,
      limited: true,
      dailyFiles: "1,000",
      dailyMebibytes: "2",
      curators: `${alice}\n${bob}`,
      threshold: "2",
    });
    expect(problems).toEqual({});
    expect(rules).toEqual({
      name: new TextEncoder().encode("Letters"),
      minUnits: 100n,
      maxUnits: 100_000n,
      dailyLimit: { files: 1000, bytes: 2_097_152n },
      curators: [alice, bob],
      threshold: 2,
    });
    expect(readDraft(draft).rules?.dailyLimit).toBeUndefined();
  });

  it.each([
    ["name", { name: " " }],
    ["name", { name: "é".repeat(33) }],
    ["name", { name: "a\u0007b" }],
    ["minUnits", { minUnits: "0" }],
    ["minUnits", { minUnits: "1.5" }],
    ["minUnits", { modality: "audio", minUnits: "1800001", maxUnits: "1800000" }],
    ["maxUnits", { modality: "image", maxUnits: "40000001" }],
    ["maxUnits", { minUnits: "10", maxUnits: "9" }],
    ["dailyFiles", { limited: true, dailyFiles: "0" }],
    ["dailyMebibytes", { limited: true, dailyMebibytes: "" }],
    ["curators", { curators: "" }],
    ["curators", { curators: `${alice} ${alice}` }],
    ["curators", { curators: `${alice.slice(0, -1)}Z` }],
    ["threshold", { threshold: "2" }],
    ["threshold", { threshold: "0" }],
  ] as const)("says what is wrong with %s of %o", (field, change) => {
    const { rules, problems } = readDraft({ ...draft, ...change });
    expect(rules).toBeNull();
    expect(problems[field]).toBeTruthy();
  });

  it("takes the largest that the chain takes", () => {
    const most = { ...draft, name: "é".repeat(32), minUnits: "12582912", maxUnits: "12582912" };
    expect(readDraft(most).problems).toEqual({});
  });
});
