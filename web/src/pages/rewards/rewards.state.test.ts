import { describe, expect, it } from "vitest";
import type { Reward } from "@/api/types";
import { claimableOf, MOST_CLAIMS, sayClaimed } from "./rewards.state";

const reward = (datanet: number, claimable: string): Reward => ({
  datanet,
  datanetName: `Datanet ${datanet}`,
  entry: {
    rank: 1,
    share: 0.5,
    account: "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
    points: "10",
    sequence: 0,
    files: 1,
    counts: { pending: 0, accepted: 1, rejected: 0, withdrawn: 0 },
  },
  claimable,
  claimed: "0",
  lastPeriod: null,
});
const claimed = (amount: bigint) => ({ type: "Leaderboard", value: { type: "Claimed", value: { amount } } });
const result = (events: ReturnType<typeof claimed>[]) => ({
  hash: "0x",
  block: { hash: "0x", number: 1, index: 0 },
  events,
});

describe("rewards", () => {
  it("are claimed where there are some, and added up without loss", () => {
    expect(claimableOf([reward(0, "1"), reward(1, "0"), reward(2, "99999999999999999999999")])).toEqual({
      datanets: [0, 2],
      total: 100000000000000000000000n,
      more: 0,
    });
    expect(claimableOf([])).toEqual({ datanets: [], total: 0n, more: 0 });
  });

  it("are claimed from as many Datanets as a claim takes, the others later", () => {
    const many = Array.from({ length: 23 }, (_, n) => reward(n, "2"));
    const { datanets, total, more } = claimableOf(many, MOST_CLAIMS);
    expect([datanets.length, total, more]).toEqual([20, 40n, 3]);
  });

  it("are told as the chain paid them, not as they were expected", () => {
    expect(sayClaimed(result([claimed(1500000000000000000n)]), 1)).toEqual({
      text: "1.5 OPEN paid from 1 Datanet",
      failed: false,
    });
    expect(sayClaimed(result([claimed(1n), claimed(2n)]), 3)).toEqual({
      text: "0.000000000000000003 OPEN paid from 2 Datanets; 1 Datanet had nothing left to claim",
      failed: true,
    });
  });
});
