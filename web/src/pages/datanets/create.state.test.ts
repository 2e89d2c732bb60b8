import { describe, expect, it } from "vitest";
import { emptyDraft, readDraft } from "./create.state";

const alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const bob = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";
const OPEN = 10n ** 18n;
/** What a committee of five costs a file. */
const price = OPEN / 2n;
const draft = { ...emptyDraft(alice), name: "Letters" };
const committee = { ...draft, judges: "modality" as const };

describe("a draft of a Datanet", () => {
  it("becomes its rules", () => {
    const { rules, problems } = readDraft(
      {
        ...draft,
        limited: true,
        dailyFiles: "1,000",
        dailyMebibytes: "2",
        curators: `${alice}\n${bob}`,
        threshold: "2",
      },
      price,
    );
    expect(problems).toEqual({});
    expect(rules).toEqual({
      name: new TextEncoder().encode("Letters"),
      minUnits: 100n,
      maxUnits: 100_000n,
      dailyLimit: { files: 1000, bytes: 2_097_152n },
      policy: { type: "Curators", value: { members: [alice, bob], threshold: 2 } },
      budget: 0n,
      terms: null,
      admission: null,
      invited: [],
    });
    expect(readDraft(draft, price).rules?.dailyLimit).toBeUndefined();
  });

  it("has committees judge, with what they are paid from", () => {
    const own = { ...committee, judges: "own" as const, curators: "", budget: "12.5" };
    expect(readDraft({ ...own, filesADay: "40", share: "25" }, price).rules).toMatchObject({
      policy: { type: "Committee", value: { own_seats: true } },
      budget: (25n * OPEN) / 2n,
      terms: { files_a_day: 40, share: 25 },
    });
    // What the chain says anyway is not said again, and nothing has to be paid in at once.
    expect(readDraft(committee, price).rules).toMatchObject({
      policy: { type: "Committee", value: { own_seats: false } },
      budget: 0n,
      terms: null,
    });
  });

  it("takes files of whom its owner says", () => {
    const invited = `${alice}\n${bob}`;
    expect(readDraft({ ...draft, admission: "invited", invited }, price).rules).toMatchObject({
      admission: { type: "Invited" },
      invited: [alice, bob],
    });
    expect(readDraft({ ...draft, admission: "points", leastPoints: "2,500" }, price).rules).toMatchObject({
      admission: { type: "Points", value: { least: 2500n } },
      invited: [],
    });
    // What was typed before everybody was chosen counts for nothing.
    expect(readDraft({ ...draft, invited: "nobody" }, price).rules?.invited).toEqual([]);
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
    ["budget", { judges: "own", budget: "a lot" }],
    ["budget", { judges: "own", budget: "0.4" }],
    ["filesADay", { judges: "modality", filesADay: "0" }],
    ["share", { judges: "modality", share: "101" }],
    ["leastPoints", { admission: "points", leastPoints: "0" }],
    ["invited", { admission: "invited", invited: "nobody" }],
    ["invited", { admission: "points", invited: `${alice} ${alice}` }],
  ] as const)("says what is wrong with %s of %o", (field, change) => {
    const { rules, problems } = readDraft({ ...draft, ...change }, price);
    expect(rules).toBeNull();
    expect(problems[field]).toBeTruthy();
  });

  it("takes the largest that the chain takes", () => {
    const most = { ...draft, name: "é".repeat(32), minUnits: "12582912", maxUnits: "12582912" };
    expect(readDraft(most, price).problems).toEqual({});
  });
});
