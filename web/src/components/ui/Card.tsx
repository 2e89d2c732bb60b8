import { type ReactNode, useId } from "react";
import { classes } from "@/lib/classes";

/** A block of a page, with a heading where it has one. */
export function Card({
  title,
  about,
  actions,
  flush = false,
  className,
  children,
}: {
  title?: ReactNode;
  about?: ReactNode;
  actions?: ReactNode;
  /** Without padding around the content, for tables. */
  flush?: boolean;
  className?: string;
  children?: ReactNode;
}) {
  const heading = useId();
  return (
    <section
      aria-labelledby={title ? heading : undefined}
      className={classes(
        "min-w-0 rounded-card border border-line bg-surface shadow-card",
        flush && "overflow-clip",
        className,
      )}
    >
      {(title || actions) && (
        <header className="flex flex-wrap items-start justify-between gap-x-4 gap-y-2 px-5 pt-5">
          <div className="min-w-0">
            {title && (
              <h2 id={heading} className="text-base font-semibold">
                {title}
              </h2>
            )}
            {about && <p className="mt-0.5 text-sm text-soft">{about}</p>}
          </div>
          {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
        </header>
      )}
      {children !== undefined && <div className={flush ? "pt-3" : "p-5"}>{children}</div>}
    </section>
  );
}
