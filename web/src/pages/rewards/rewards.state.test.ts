import { describe, expect, it } from "vitest";
import type { Reward } from "@/api/types";
import { claimableOf, sayClaimed } from "./rewards.state";

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
const failed = { type: "Utility", value: { type: "ItemFailed", value: {} } };
const result = (events: (typeof failed)[]) => ({
  hash: "0x",
  block: { hash: "0x", number: 1, index: 0 },
  events,
});

describe("rewards", () => {
  it("are claimed where there are some, and added up without loss", () => {
    expect(claimableOf([reward(0, "1"), reward(1, "0"), reward(2, "99999999999999999999999")])).toEqual({
      datanets: [0, 2],
      total: 100000000000000000000000n,
    });
    expect(claimableOf([])).toEqual({ datanets: [], total: 0n });
  });

  it("are told as the chain paid them, not as they were expected", () => {
    expect(sayClaimed(result([claimed(1500000000000000000n)]))).toEqual({
      text: "1.5 OPEN paid from 1 Datanet",
      failed: false,
    });
    expect(sayClaimed(result([claimed(1n), failed, claimed(2n)]))).toEqual({
      text: "0.000000000000000003 OPEN paid from 2 Datanets; 1 claim had nothing left to claim",
      failed: true,
    });
  });
});
