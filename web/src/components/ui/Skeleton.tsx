import { classes } from "@/lib/classes";

/** Where content will be. `className` shapes it to what it stands for. */
export function Skeleton({ lines = 1, className }: { lines?: number; className?: string }) {
  return (
    <div className="grid gap-2.5" role="status">
      <span className="sr-only">Loading</span>
      {Array.from({ length: lines }, (_, line) => (
        <div
          // biome-ignore lint/suspicious/noArrayIndexKey: the lines are all alike
          key={line}
          className={classes(
            "skeleton h-4 rounded",
            line === lines - 1 && lines > 1 ? "w-2/3" : "w-full",
            className,
          )}
        />
      ))}
    </div>
  );
}
