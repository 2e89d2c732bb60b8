import { describe, expect, it } from "vitest";
import { type Facts, standing } from "./standing.state";

const open: Facts = {
  status: "Open",
  barred: false,
  admission: { type: "Open" },
  invited: false,
  points: 0n,
  budget: null,
};

describe("a Datanet", () => {
  it("takes files where nothing is in the way", () => {
    expect(standing(open)).toBeNull();
    expect(standing({ ...open, admission: { type: "Invited" }, invited: true })).toBeNull();
    expect(standing({ ...open, admission: { type: "Points", least: 5n }, points: 5n })).toBeNull();
    expect(standing({ ...open, admission: { type: "Points", least: 5n }, invited: true })).toBeNull();
    expect(standing({ ...open, budget: { available: 5n, file: 5n } })).toBeNull();
  });

  it("says why it takes none, and what to do", () => {
    const closed = standing({ ...open, status: "Closed" });
    expect(closed).toMatchObject({ takes: false, title: "It is closed" });
    expect(standing({ ...open, status: "Paused" })).toMatchObject({ takes: false });
    expect(standing({ ...open, barred: true })).toMatchObject({ takes: false, tone: "bad" });
    expect(standing({ ...open, admission: { type: "Invited" } })?.next).toContain("not invited");
    const few = standing({ ...open, admission: { type: "Points", least: 5000n }, points: 20n });
    expect(few?.title).toContain("5,000");
    expect(few?.next).toContain("You have 20");
    expect(few?.link?.href).toBe("/leaderboard/global");
  });

  it("takes none that its review budget does not cover", () => {
    const empty = standing({ ...open, budget: { available: 4n, file: 5n } });
    expect(empty).toMatchObject({ takes: false, title: "Its review budget pays for no committee" });
  });

  it("being closed outweighs the rest", () => {
    const all = { ...open, status: "Closed", barred: true, admission: { type: "Invited" } } as const;
    expect(standing(all)?.title).toBe("It is closed");
  });
});
