import type { ReactNode } from "react";
import { Amount, NotYet } from "@/components/ui/Values";
import { classes } from "@/lib/classes";
import { type Ongoing, percent, standing, type Track } from "./referenda";

/** A share with the line that it has to stand above. */
function Bar({
  name,
  has,
  needs,
  note,
}: {
  name: string;
  has: number;
  needs: number | null;
  note: ReactNode;
}) {
  const above = needs !== null && has >= needs;
  const words = `${percent(has)}${needs === null ? "" : `, needs ${percent(needs)} now`}`;
  return (
    <div className="grid gap-1.5">
      <div className="flex flex-wrap justify-between gap-x-3 text-sm">
        <span>{name}</span>
        <span className={classes("tabular", above ? "text-good" : "text-soft")}>{words}</span>
      </div>
      <div className="relative h-2 rounded-full bg-sunken ring-1 ring-line ring-inset" aria-hidden="true">
        <span
          className={classes("block h-full rounded-full", above ? "bg-good" : "bg-accent")}
          style={{ width: `${Math.min(100, has * 100)}%` }}
        />
        {needs !== null && (
          <span
            className="absolute -top-1 h-4 w-0.5 bg-ink"
            style={{ left: `${Math.min(100, needs * 100)}%` }}
          />
        )}
      </div>
      <p className="text-xs text-soft">{note}</p>
    </div>
  );
}

/** Approval and support of a referendum, each with the line of its track at this block. */
export function TallyBars({
  ongoing,
  track,
  active,
  block,
}: {
  ongoing: Ongoing;
  track: Track;
  active: bigint;
  block: number | null;
}) {
  if (block === null) return <NotYet />;
  const { approval, support } = standing(ongoing, track, active, block);
  const { ayes, nays } = ongoing.tally;
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <Bar
        name="Approval"
        {...approval}
        note={
          <>
            <Amount plancks={ayes} /> for, <Amount plancks={nays} /> against, with conviction
          </>
        }
      />
      <Bar
        name="Support"
        {...support}
        note={
          <>
            <Amount plancks={ongoing.tally.support} /> of <Amount plancks={active} /> that may vote
          </>
        }
      />
    </div>
  );
}
