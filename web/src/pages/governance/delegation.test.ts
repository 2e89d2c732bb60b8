import { expect, it } from "vitest";
import { encodeAddress } from "@/accounts/address";
import { convictionNumber, readDelegation, weighs } from "./delegation";

const OPEN = 10n ** 18n;
const own = encodeAddress(new Uint8Array(32).fill(1));
const to = encodeAddress(new Uint8Array(32).fill(2));
const read = (change: object) =>
  readDelegation({ to, amount: "5", conviction: 1, tracks: [3], ...change }, { own, may: 20n * OPEN });

it("names another account, an amount that may vote, and a track", () => {
  expect(read({})).toEqual({ delegation: { to, amount: 5n * OPEN }, problems: {} });
  expect(read({ to: own }).problems.to).toContain("your own account");
  expect(read({ to: "5F" }).problems.to).toContain("mistyped");
  expect(read({ amount: "21" }).problems.amount).toContain("20 OPEN may vote");
  expect(read({ tracks: [] }).problems.tracks).toBe("Choose at least one track.");
});

it("weighs by its conviction", () => {
  expect([0, 1, 6].map((conviction) => weighs(10n, conviction))).toEqual([1n, 10n, 60n]);
  expect(["None", "Locked3x", "Unheard"].map((type) => convictionNumber({ type }))).toEqual([0, 3, 0]);
});
