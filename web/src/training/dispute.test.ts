import { describe, expect, it } from "vitest";
import type { Dispute, Event, Verifier } from "@/api/types";
import { shown, standing, until, wasDisputed } from "./dispute";

const moment = { block: 5, time: 0, extrinsic: null };
const verifier: Verifier = { worker: "5A", committed: null, finding: null, revealed: null, paid: null };
const dispute: Dispute = {
  job: 3,
  state: "drawing",
  disputer: "5D",
  bond: "3000000000000000000",
  opened: moment,
  drawAt: 7,
  commitBy: null,
  verifiers: [],
  outcome: null,
  penalty: null,
  returned: null,
  settled: null,
};
const event = (kind: string): Event => ({ id: "5-0", kind, fields: {}, ...moment });

describe("a dispute in words", () => {
  it("is looked for where the job's events tell of one", () => {
    expect(wasDisputed({ timeline: [event("Training.JobCreated")] })).toBe(false);
    expect(wasDisputed({ timeline: [event("Training.JobCreated"), event("Training.JobDisputed")] })).toBe(
      true,
    );
  });

  it("says until when each part of it lasts", () => {
    const rules = { bond: 3n, reveal: 200 };
    expect(until(dispute, rules)).toBe(7);
    expect(until({ ...dispute, state: "hashes", commitBy: 1207 }, rules)).toBe(1207);
    expect(until({ ...dispute, state: "findings", commitBy: 9 }, rules)).toBe(209);
    expect(until({ ...dispute, state: "findings", commitBy: 9 }, undefined)).toBeNull();
    expect(until({ ...dispute, state: "settled", commitBy: 9, outcome: "upheld" }, rules)).toBeNull();
  });

  it("tells every state and outcome apart", () => {
    const labels = ["drawing", "hashes", "findings"].map((state) => standing({ state, outcome: null }).label);
    const ended = ["upheld", "rejected", "no-quorum"].map(
      (outcome) => standing({ state: "settled", outcome }).label,
    );
    expect(new Set([...labels, ...ended]).size).toBe(6);
    expect(standing({ state: "settled", outcome: "new" }).label).toBe("new");
  });

  it("says what each has shown", () => {
    expect(shown(verifier)).toContain("nothing");
    expect(shown({ ...verifier, committed: moment })).toContain("sealed");
    expect(shown({ ...verifier, committed: moment, finding: "holds" })).toBe("found: it holds");
  });
});
