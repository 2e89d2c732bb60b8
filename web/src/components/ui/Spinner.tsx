import { classes } from "@/lib/classes";

/** Shows that something runs; what runs is said in words beside it. */
export function Spinner({ className }: { className?: string }) {
  return (
    <svg
      className={classes("size-4 animate-spin", className)}
      viewBox="0 0 24 24"
      fill="none"
      aria-hidden="true"
    >
      <circle cx="12" cy="12" r="9" stroke="currentColor" strokeWidth="3" opacity="0.25" />
      <path d="M21 12a9 9 0 0 0-9-9" stroke="currentColor" strokeWidth="3" strokeLinecap="round" />
    </svg>
  );
}
