import { expect, it } from "vitest";
import { readTarget } from "./payout.state";

const alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const bob = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";

it("where rewards are paid is an account, and another one than now", () => {
  expect(readTarget(bob, alice)).toEqual({ to: bob, problem: null });
  expect(readTarget(alice, alice).problem).toContain("already");
  expect(readTarget(bob.slice(1), alice).problem).toContain("mistyped");
  expect(readTarget(" ", alice).problem).toContain("Write");
});
