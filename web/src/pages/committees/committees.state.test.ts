import { describe, expect, it } from "vitest";
import type { Draw } from "@/api/types";
import { readAddresses, readSeats, seatFacts, todo } from "./committees.state";

const SEAT = 100n;

function view(change: Partial<Parameters<typeof seatFacts>[0]["reviewer"]>, placed = 2, uncovered = 0) {
  const reviewer = {
    seats: 2,
    leaving: 0,
    left: false,
    held: 200n,
    generation: 0,
    open: 0,
    open_before: 0,
    ...change,
  };
  return seatFacts({ reviewer, placed, uncovered }, SEAT);
}

describe("seats", () => {
  it("can be drawn once they have a place and are covered", () => {
    expect(view({})).toMatchObject({ drawable: 2, entering: 0, lost: 0n, canGiveUp: true });
    expect(view({}, 0)).toMatchObject({ drawable: 0, entering: 2 });
    expect(view({ held: 140n }, 2, 1)).toMatchObject({ drawable: 1, uncovered: 1, lost: 60n });
    expect(view({ leaving: 1, held: 300n }, 3)).toMatchObject({ drawable: 2 });
    expect(view({ leaving: 1, left: true, held: 300n }, 2)).toMatchObject({ drawable: 2 });
  });

  it("come back once they have left and nothing that they judged is open", () => {
    const leaving = { seats: 1, leaving: 1 };
    expect(view(leaving)).toMatchObject({ canWithdraw: false, canGiveUp: false });
    expect(view({ ...leaving, left: true, open_before: 1 })).toMatchObject({
      canWithdraw: false,
      judging: 1,
    });
    expect(view({ ...leaving, left: true, open: 3 })).toMatchObject({ canWithdraw: true, judging: 0 });
  });

  it("are bonded 64 at a time", () => {
    expect(["1", " 64 ", "65", "0", "x", "1.5"].map((text) => readSeats(text))).toEqual([
      1,
      64,
      null,
      null,
      null,
      null,
    ]);
    expect(readSeats("3", 2)).toBeNull();
  });
});

describe("where files are served", () => {
  const peer = "/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

  it("is numbers with a port and a peer, one a line", () => {
    const four = ["/ip4/203.0.113.7/tcp/4001", "/ip6/2001:db8::7/udp/4001/quic-v1"].map((one) => one + peer);
    expect(readAddresses(`\n${four.join("\n  ")}\n`)).toEqual(four);
    expect(readAddresses("")).toEqual([]);
    expect(readAddresses([...four, ...four, ...four].join("\n"))).toBeNull();
  });

  it("is no name, no page, and nothing without a peer", () => {
    for (const bad of [
      `/dns4/example.org/tcp/4001${peer}`,
      "https://example.org",
      "/ip4/203.0.113.7/tcp/4001",
      `/ip4/203.0.113.7/udp/4001${peer}`,
      `/ip4/203.0.113.7/tcp/4001${peer}${"a".repeat(128)}`,
    ]) {
      expect(readAddresses(bad)).toBeNull();
    }
  });
});

describe("a draw", () => {
  const moment = { block: 1, time: 1, extrinsic: null };
  const draw = (state: string, committed: boolean, revealed: boolean) =>
    ({
      state,
      members: [
        {
          account: "me",
          committed: committed ? moment : null,
          revealed: revealed ? moment : null,
          words: [],
        },
      ],
    }) as unknown as Draw;

  it("says what is left to do for a member", () => {
    expect(todo(draw("committing", false, false), "me")).toBe("seal");
    expect(todo(draw("committing", true, false), "me")).toBe("wait");
    expect(todo(draw("revealing", true, false), "me")).toBe("reveal");
    expect(todo(draw("revealing", true, true), "me")).toBe("wait");
    expect(todo(draw("revealing", false, false), "me")).toBe("wait");
    expect(todo(draw("judged", true, true), "me")).toBeNull();
    expect(todo(draw("committing", false, false), "another")).toBeNull();
  });
});
