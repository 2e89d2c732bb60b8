import { describe, expect, it } from "vitest";
import type { ChainDraw } from "./committee";
import { standingOf } from "./reveal";

const vote = { address: "me", commitment: "ab".repeat(32) };

function draw(phase: string, progress: { type: string; value?: unknown }): ChainDraw {
  const members = [{ account: "me", generation: 0, progress }];
  return { members, phase: { type: phase, value: { by: 9 } } } as unknown as ChainDraw;
}

const committed = { type: "Committed", value: `0x${vote.commitment}` };

describe("a kept vote", () => {
  it("waits until reveals open, and can be revealed then", () => {
    expect(standingOf(vote, draw("Committing", committed))).toBe("sealed");
    expect(standingOf(vote, draw("Revealing", committed))).toBe("open");
  });

  it("is done once it is revealed, its time is over, or the draw is", () => {
    expect(standingOf(vote, draw("Revealing", { type: "Revealed" }))).toBe("done");
    expect(standingOf(vote, draw("Judged", committed))).toBe("done");
    expect(standingOf(vote, null)).toBe("done");
    // A node that is behind knows nothing of the draw: nothing is forgotten for that.
    expect(standingOf(vote, undefined)).toBe("unsent");
  });

  it("is another one than the chain has where that was sealed elsewhere", () => {
    const other = { type: "Committed", value: `0x${"cd".repeat(32)}` };
    expect(standingOf(vote, draw("Committing", other))).toBe("unsent");
    expect(standingOf(vote, draw("Committing", { type: "Drawn" }))).toBe("unsent");
    expect(standingOf(vote, draw("Revealing", other))).toBe("done");
  });
});
