import { Meter as BaseMeter } from "@base-ui/react/meter";
import { Progress as BaseProgress } from "@base-ui/react/progress";
import type { ReactNode } from "react";
import { classes } from "@/lib/classes";

const track = "h-2 overflow-hidden rounded-full bg-sunken ring-1 ring-line ring-inset";
const fill = "block h-full rounded-full transition-[width] duration-300";

/** How far something has come; `value` null while that is not known. */
export function Progress({
  label,
  value,
  shown,
}: {
  label: ReactNode;
  value: number | null;
  shown?: ReactNode;
}) {
  return (
    <BaseProgress.Root value={value} className="grid gap-1.5">
      <div className="flex justify-between gap-3 text-sm">
        <BaseProgress.Label>{label}</BaseProgress.Label>
        <span className="tabular text-soft">{shown}</span>
      </div>
      <BaseProgress.Track className={track}>
        <BaseProgress.Indicator
          className={classes(fill, "bg-accent", value === null && "w-1/3 animate-pulse")}
        />
      </BaseProgress.Track>
    </BaseProgress.Root>
  );
}

/** How much of a limit is used. */
export function Meter({
  label,
  value,
  max,
  shown,
}: {
  label: ReactNode;
  value: number;
  max: number;
  shown: string;
}) {
  const share = max > 0 ? value / max : 1;
  return (
    <BaseMeter.Root
      value={Math.min(value, max)}
      max={Math.max(max, 1)}
      getAriaValueText={() => shown}
      className="grid gap-1.5"
    >
      <div className="flex justify-between gap-3 text-sm">
        <BaseMeter.Label>{label}</BaseMeter.Label>
        <span className="tabular text-soft">{shown}</span>
      </div>
      <BaseMeter.Track className={track}>
        <BaseMeter.Indicator
          className={classes(fill, share >= 1 ? "bg-bad" : share >= 0.8 ? "bg-warn" : "bg-accent")}
        />
      </BaseMeter.Track>
    </BaseMeter.Root>
  );
}
