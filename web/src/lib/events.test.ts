import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { foldSteps, saidEvents, sayEvent } from "./events";

const event = (kind: string, fields: Record<string, unknown>) => ({
  id: "1-0",
  kind,
  block: 1,
  time: 0,
  extrinsic: null,
  fields,
});

describe("events in words", () => {
  it("are there for every event of the chain's own pallets, and for no other", () => {
    for (const [pallet, file] of [
      ["Datanets", "datanets/src/events.rs"],
      ["Review", "review/src/events.rs"],
      ["Leaderboard", "leaderboard/src/lib.rs"],
      ["Training", "training/src/events.rs"],
    ] as const) {
      const source = readFileSync(`../pallets/${file}`, "utf8");
      const body = /pub enum Event<T: Config> \{\n([\s\S]*?)\n {4}\}/.exec(source)?.[1] ?? "";
      const named = [...body.matchAll(/^ {8}(\w+)(?: \{|,)/gm)].map(([, name]) => `${pallet}.${name}`);
      expect(named.length).toBeGreaterThan(2);
      expect(saidEvents.filter((kind) => kind.startsWith(`${pallet}.`)).sort()).toEqual(named.sort());
    }
  });

  it("name who and how much, and lead to what they are about", () => {
    const account = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
    expect(
      sayEvent(event("Leaderboard.Funded", { datanet: 3, who: account, amount: "1500000000000000000" })),
    ).toEqual({ text: "5Grwva…GKutQY paid 1.5 OPEN into the pool of Datanet 3", href: "/datanets/3" });
    expect(sayEvent(event("Datanets.Accepted", { datanet: 3, submission: 9 }))).toEqual({
      text: "Submission 9 was accepted in Datanet 3",
      href: "/submissions/9",
    });
    expect(sayEvent(event("Training.JobTaken", { job: 7, worker: account })).href).toBe("/runs/7");
  });

  it("have of a job's steps only the newest, with the count of the rest", () => {
    const step = (job: number, at: number) => event("Training.JobProgressed", { job, step: at });
    const created = event("Training.JobCreated", { job: 1 });
    expect(foldSteps([step(1, 9), step(2, 3), step(1, 8), created, step(1, 7)])).toEqual([
      { event: step(1, 9), more: 2 },
      { event: step(2, 3), more: 0 },
      { event: created, more: 0 },
    ]);
  });

  it("are shown by name where there are no words, and survive missing fields", () => {
    expect(sayEvent(event("Grandpa.NewAuthorities", {})).text).toBe("Grandpa: new authorities");
    for (const kind of saidEvents) expect(sayEvent(event(kind, {})).text).not.toContain("undefined");
  });
});
