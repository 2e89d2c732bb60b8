import type { ReactNode } from "react";
import { describeProblem } from "@/lib/problem";
import { Button } from "./Button";
import { Icon, type IconName } from "./Icon";
import { Notice } from "./Notice";
import { Skeleton } from "./Skeleton";

/** Nothing is there yet, and how to change that. */
export function EmptyState({
  icon = "info",
  title,
  children,
  actions,
}: {
  icon?: IconName;
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
}) {
  return (
    <div className="grid justify-items-center gap-2 px-4 py-6 text-center">
      <span className="grid size-11 place-items-center rounded-full bg-accent-soft text-accent-strong">
        <Icon name={icon} />
      </span>
      <p className="font-semibold">{title}</p>
      {children && <div className="max-w-md text-sm text-soft">{children}</div>}
      {actions && <div className="mt-2 flex flex-wrap justify-center gap-2">{actions}</div>}
    </div>
  );
}

/** Something could not be read: what, why, and a way to try again. */
export function ErrorState({ error, retry }: { error: unknown; retry?: (() => void) | undefined }) {
  const { title, next } = describeProblem(error);
  return (
    <Notice
      tone="bad"
      alert
      title={title}
      actions={
        retry && (
          <Button size="small" icon={<Icon name="refresh" className="size-4" />} onClick={retry}>
            Try again
          </Button>
        )
      }
    >
      {next}
    </Notice>
  );
}

/** What a query has: loading, a problem, nothing, or something. Every page shows its data through this. */
export function Loaded<T>({
  query,
  skeleton,
  isEmpty,
  empty,
  children,
}: {
  query: { data: T | undefined; error: unknown; isPending: boolean; refetch: () => unknown };
  skeleton?: ReactNode;
  isEmpty?: (data: T) => boolean;
  empty?: ReactNode;
  children: (data: T) => ReactNode;
}) {
  // Data that was read before a failure stays on screen.
  if (query.data !== undefined) {
    if (isEmpty?.(query.data)) return <>{empty}</>;
    return <>{children(query.data)}</>;
  }
  if (query.error) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  return <>{skeleton ?? <Skeleton lines={4} />}</>;
}
