import { expect, test } from "vitest";
import { readTransfer } from "./account.state";

const alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const bob = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";

test("a transfer goes to an account that is another's, and moves something", () => {
  expect(readTransfer({ to: ` ${bob} `, amount: "1.5" }, alice)).toEqual({
    transfer: { to: bob, amount: 1_500_000_000_000_000_000n },
    problems: {},
  });
  expect(readTransfer({ to: "", amount: "" }, alice)).toEqual({
    transfer: null,
    problems: { to: "Write an account.", amount: "Write an amount of OPEN, such as 25 or 0.5." },
  });
  expect(readTransfer({ to: bob.replace("t", "u"), amount: "0" }, alice)).toEqual({
    transfer: null,
    problems: { to: "This is no account; it may be mistyped.", amount: "Write more than 0." },
  });
  expect(readTransfer({ to: alice, amount: "1" }, alice)).toEqual({
    transfer: null,
    problems: { to: "This is the account that sends." },
  });
});
