import type { ReactNode } from "react";
import { classes } from "@/lib/classes";
import { Scroller } from "./Scroller";

export interface Column<T> {
  /** Name of the column, read out with each cell. */
  title: string;
  cell: (row: T) => ReactNode;
  /** Numbers stand at the right. */
  align?: "left" | "right";
  /** Left out on phones, where the rest would not fit. */
  wide?: boolean;
  className?: string;
}

/** A table. Where it does not fit it scrolls, and says so by a shadow. */
export function Table<T>({
  caption,
  columns,
  rows,
  rowKey,
  marked,
}: {
  /** What the table shows; read out, not seen. */
  caption: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  rowKey: (row: T) => string | number;
  /** Whether a row is the visitor's own or the like, and stands out. */
  marked?: (row: T) => boolean;
}) {
  // On a phone the last of those that are left stands at the edge.
  const edge = columns.findLast(({ wide }) => !wide);
  return (
    <Scroller label={caption}>
      <table className="w-full border-collapse text-sm">
        <caption className="sr-only">{caption}</caption>
        <thead>
          <tr className="border-y border-line bg-sunken text-left text-xs text-soft">
            {columns.map((column) => (
              <th
                key={column.title}
                scope="col"
                className={classes(
                  "px-2 py-2 font-medium whitespace-nowrap first:pl-5 last:pr-5 sm:px-3",
                  column.align === "right" && "text-right",
                  column.wide && "max-sm:hidden",
                  column === edge && "max-sm:pr-5",
                )}
              >
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr
              key={rowKey(row)}
              className={classes("border-b border-line last:border-0", marked?.(row) && "bg-accent-soft")}
            >
              {columns.map((column) => (
                <td
                  key={column.title}
                  className={classes(
                    "px-2 py-2.5 align-middle first:pl-5 last:pr-5 sm:px-3",
                    column.align === "right" && "tabular text-right whitespace-nowrap",
                    column.wide && "max-sm:hidden",
                    column === edge && "max-sm:pr-5",
                    column.className,
                  )}
                >
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}
