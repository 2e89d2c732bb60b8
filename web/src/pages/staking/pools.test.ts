import { expect, it } from "vitest";
import {
  keptOf,
  type Pool,
  readJoin,
  readKeeps,
  readLeave,
  readMake,
  readName,
  rolesIn,
  type Terms,
} from "./pools";

const OPEN = 10n ** 18n;

it("joins a pool with what is free, and enough", () => {
  const facts = { free: 20n * OPEN, least: OPEN };
  expect(readJoin("5", facts)).toEqual({ amount: 5n * OPEN });
  expect(readJoin("0.5", facts).problem).toContain("1 OPEN at least");
  expect(readJoin("21", facts).problem).toContain("20 OPEN");
  expect(readJoin("", facts).problem).toContain("such as 25");
});

it("leaves a pool in its points, whole or with enough left", () => {
  // A slash has taken half of what the points were worth.
  const own = { bonded: 10n * OPEN, points: 20n * OPEN };
  expect(readLeave("4", own, OPEN)).toEqual({ points: 8n * OPEN });
  expect(readLeave("10", own, OPEN)).toEqual({ points: 20n * OPEN });
  expect(readLeave("9.5", own, OPEN).problem).toContain("0.5 OPEN would stay");
  expect(readLeave("11", own, OPEN).problem).toContain("10 OPEN of yours");
});

it("lets who made a pool leave it last", () => {
  const own = { bonded: 150n * OPEN, points: 150n * OPEN };
  expect(readLeave("50", own, 100n * OPEN, true)).toEqual({ points: 50n * OPEN });
  expect(readLeave("150", own, 100n * OPEN, true).problem).toContain(
    "0 OPEN would stay. Who made a pool keeps 100",
  );
  expect(readLeave("150", own, 100n * OPEN)).toEqual({ points: 150n * OPEN });
});

const terms: Terms = { join: OPEN, make: 100n * OPEN, count: 2, most: 1000, keeps: 100_000_000 };

it("makes a pool with enough, where there is room for one", () => {
  const facts = { free: 130n * OPEN, deposit: OPEN / 1000n, terms };
  expect(readMake("120", facts)).toEqual({ amount: 120n * OPEN });
  expect(readMake("99", facts).problem).toContain("100 OPEN at least");
  expect(readMake("130", facts).problem).toContain("130 OPEN and 0.001 OPEN");
  expect(readMake("", facts).problem).toContain("such as 25");
  expect(readMake("120", { ...facts, terms: { ...terms, count: 1000 } }).problem).toContain("1,000 pools");
});

it("names a pool in 128 bytes", () => {
  expect(readName(" Bread ").name).toEqual(new TextEncoder().encode("Bread"));
  expect(readName("é".repeat(64)).name).toHaveLength(128);
  expect(readName("é".repeat(65)).problem).toContain("130 bytes");
});

it("keeps no more than the network lets a pool keep", () => {
  expect(readKeeps("2.5 %", terms.keeps)).toEqual({ parts: 25_000_000 });
  expect(readKeeps("0", terms.keeps)).toEqual({ parts: 0 });
  expect(readKeeps("10.1", terms.keeps).problem).toBe("Write a percentage from 0 to 10.");
  expect(readKeeps("", terms.keeps).parts).toBeNull();
});

it("counts what a pool kept as the chain does", () => {
  // 100 came in before, of which 60 were claimed and 5 kept and paid; 40 came in since, at 10 %.
  const rewards = { balance: 75n, claimed: 60n, keptPaid: 5n, recorded: 100n, keptWaits: 2n };
  expect(keptOf(rewards, 100_000_000)).toBe(6n);
  expect(keptOf({ ...rewards, balance: 30n }, 100_000_000)).toBe(2n);
});

it("knows what an account may do for a pool", () => {
  const pool = { root: "a", nominator: "b", bouncer: null } as Pool;
  expect(rolesIn(pool, "a")).toEqual({ all: true, backs: true, closes: true, any: true });
  expect(rolesIn(pool, "b")).toEqual({ all: false, backs: true, closes: false, any: true });
  expect(rolesIn(pool, "c").any).toBe(false);
});
