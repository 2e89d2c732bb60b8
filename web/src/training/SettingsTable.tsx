import { Link } from "wouter";
import { Scroller } from "@/components/ui/Scroller";
import { classes } from "@/lib/classes";
import type { Difference } from "./settings";

/** The settings of one job, or of several side by side with what differs marked. */
export function SettingsTable({ runs, lines }: { runs: readonly number[]; lines: readonly Difference[] }) {
  const several = runs.length > 1;
  return (
    <Scroller label="Settings">
      <table className="w-full border-collapse text-sm">
        <caption className="sr-only">Settings as they stand on the chain</caption>
        {several && (
          <thead>
            <tr className="border-y border-line bg-sunken text-left text-xs text-soft">
              <th scope="col" className="px-3 py-2 pl-5 font-medium">
                Setting
              </th>
              {runs.map((run) => (
                <th key={run} scope="col" className="px-3 py-2 font-medium last:pr-5">
                  <Link href={`/runs/${run}`} className="link">
                    Run {run}
                  </Link>
                </th>
              ))}
            </tr>
          </thead>
        )}
        <tbody>
          {lines.map(({ label, values, differ }) => (
            <tr
              key={label}
              className={classes("border-b border-line last:border-0", differ && "bg-warn-soft")}
            >
              <th scope="row" className="w-2/5 px-3 py-2 pl-5 text-left font-normal text-soft">
                {label}
                {differ && <span className="sr-only"> (differs)</span>}
              </th>
              {values.map((value, n) => (
                <td
                  key={runs[n]}
                  className={classes("tabular px-3 py-2 last:pr-5", differ && "font-semibold")}
                >
                  {value}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}
