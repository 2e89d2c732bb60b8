import { useEffect, useMemo, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { Icon } from "@/components/ui/Icon";
import { classes } from "@/lib/classes";
import { thin } from "./metrics";

export interface Series {
  name: string;
  points: readonly { step: number; value: number }[];
  /** Which of the four colours. */
  tone: 0 | 1 | 2 | 3;
  /** Drawn as dots joined by dashes: few values, measured now and then. */
  sparse?: boolean;
}

const HEIGHT = 190;
/** Points that are drawn of a series: more than a screen has columns shows nothing more. */
const MOST = 2000;
const dots = ["bg-[var(--series-1)]", "bg-[var(--series-2)]", "bg-[var(--series-3)]", "bg-[var(--series-4)]"];

/** Numbers of any size, short. */
export function shortNumber(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e7) return value.toExponential(2);
  return Number(value.toPrecision(4)).toLocaleString("en", { maximumSignificantDigits: 4 });
}

function join(series: readonly Series[]): uPlot.AlignedData {
  const steps = [...new Set(series.flatMap(({ points }) => points.map(({ step }) => step)))].sort(
    (one, other) => one - other,
  );
  const rows = series.map(({ points }) => {
    const values = new Map(points.map(({ step, value }) => [step, value]));
    return steps.map((step) => values.get(step));
  });
  return [steps, ...rows] as uPlot.AlignedData;
}

/** What the axis of values shows: some room around them, also around a single one. */
function bounds(_: uPlot, least: number, greatest: number): uPlot.Range.MinMax {
  if (least === null || greatest === null) return [0, 1];
  if (least !== greatest) return uPlot.rangeNum(least, greatest, 0.1, true);
  const room = Math.abs(least) / 10 || 1;
  return [least > 0 ? least - room : least, least + room];
}

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Counts changes of the theme, so that what is painted on a canvas is painted anew. */
function useThemeChanges(): number {
  const [count, setCount] = useState(0);
  useEffect(() => {
    const observer = new MutationObserver(() => setCount((now) => now + 1));
    observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => observer.disconnect();
  }, []);
  return count;
}

/** Values over steps, of one run or of several over each other. */
export function Curve({
  title,
  series,
  format = shortNumber,
  empty = "Nothing was reported yet.",
}: {
  title: string;
  series: readonly Series[];
  format?: (value: number) => string;
  empty?: string;
}) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [at, setAt] = useState<number | null>(null);
  const theme = useThemeChanges();
  const drawn = useMemo(
    () =>
      series
        .map((each) => ({ ...each, points: thin(each.points, MOST) }))
        .filter(({ points }) => points.length),
    [series],
  );
  const data = useMemo(() => join(drawn), [drawn]);
  const shape = drawn.map(({ name, tone, sparse }) => `${name}/${tone}/${sparse ?? false}`).join("|");
  const latest = useRef({ data, drawn, format });
  latest.current = { data, drawn, format };

  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` and `theme` say when to build it anew
  useEffect(() => {
    const target = box.current;
    if (!target || latest.current.drawn.length === 0) return;
    const axis: uPlot.Axis = {
      stroke: colour("--ink-soft"),
      grid: { stroke: colour("--line"), width: 1 },
      ticks: { show: false },
      font: "11px Inter Variable, sans-serif",
    };
    const made = new uPlot(
      {
        width: Math.max(target.clientWidth, 120),
        height: HEIGHT,
        legend: { show: false },
        cursor: { drag: { x: true, y: false }, points: { size: 7 } },
        scales: { x: { time: false }, y: { range: bounds } },
        axes: [
          {
            ...axis,
            size: 28,
            space: 60,
            // There is no half a step.
            incrs: [1, 2, 5]
              .flatMap((n) => [0, 1, 2, 3, 4, 5, 6].map((zeros) => n * 10 ** zeros))
              .sort((a, b) => a - b),
            values: (_, splits) => splits.map((step) => step.toLocaleString("en")),
          },
          { ...axis, size: 62, values: (_, splits) => splits.map((value) => latest.current.format(value)) },
        ],
        series: [
          {},
          ...latest.current.drawn.map(
            ({ name, tone, sparse, points }): uPlot.Series => ({
              label: name,
              stroke: colour(`--series-${tone + 1}`),
              width: 1.75,
              spanGaps: true,
              ...(sparse ? { dash: [4, 4] } : {}),
              points: { show: sparse || points.length < 3, size: 6, fill: colour(`--series-${tone + 1}`) },
            }),
          ),
        ],
        hooks: { setCursor: [(self) => setAt(self.cursor.idx ?? null)] },
      },
      latest.current.data,
      target,
    );
    plot.current = made;
    const observer = new ResizeObserver(() =>
      made.setSize({ width: Math.max(target.clientWidth, 120), height: HEIGHT }),
    );
    observer.observe(target);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape, theme]);

  useEffect(() => {
    plot.current?.setData(data);
  }, [data]);

  const step = at === null ? undefined : data[0][at];
  return (
    <figure className="min-w-0">
      <figcaption className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1 pb-2 text-sm">
        <span className="font-medium">{title}</span>
        <span className="flex flex-wrap gap-x-4 text-xs text-soft">
          {drawn.map(({ name, tone, points }, n) => {
            const value = at === null ? points.at(-1)?.value : data[n + 1]?.[at];
            return (
              <span key={name} className="inline-flex items-center gap-1.5">
                <span aria-hidden="true" className={classes("size-2 rounded-full", dots[tone])} />
                {name}
                <span className="tabular font-medium text-ink">
                  {value === undefined || value === null ? "–" : format(value)}
                </span>
              </span>
            );
          })}
          {step !== undefined && <span className="tabular">step {step.toLocaleString("en")}</span>}
        </span>
      </figcaption>
      {drawn.length === 0 ? (
        <div className="grid h-[11.875rem] place-items-center rounded-control bg-sunken text-sm text-soft">
          <span className="inline-flex items-center gap-2">
            <Icon name="runs" className="size-4" />
            {empty}
          </span>
        </div>
      ) : (
        <div
          ref={box}
          role="img"
          aria-label={said(title, drawn, format)}
          className="min-h-[11.875rem] min-w-0 overflow-hidden"
        />
      )}
    </figure>
  );
}

/** The curve for who does not see it: where each line begins, ends and is lowest. */
function said(title: string, series: readonly Series[], format: (value: number) => string): string {
  const lines = series.map(({ name, points }) => {
    const [first, last] = [points[0], points.at(-1)];
    if (!first || !last) return name;
    const least = points.reduce((low, { value }) => Math.min(low, value), Number.POSITIVE_INFINITY);
    return `${name} from ${format(first.value)} at step ${first.step} to ${format(last.value)} at step ${last.step}, lowest ${format(least)}`;
  });
  return `${title}: ${lines.join("; ")}`;
}
