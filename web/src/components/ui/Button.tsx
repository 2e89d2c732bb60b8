import type { ComponentProps, ReactNode } from "react";
import { Link } from "wouter";
import { classes } from "@/lib/classes";
import { Spinner } from "./Spinner";

type Look = "primary" | "secondary" | "quiet" | "danger";
type Size = "small" | "medium";

const base =
  "inline-flex shrink-0 items-center justify-center gap-2 rounded-control font-medium whitespace-nowrap transition-colors select-none disabled:opacity-55 disabled:cursor-not-allowed aria-disabled:opacity-55";
const looks: Record<Look, string> = {
  primary: "bg-accent text-on-accent hover:bg-accent-strong",
  secondary: "border border-line bg-raised text-ink hover:border-line-strong hover:bg-sunken",
  quiet: "text-soft hover:bg-sunken hover:text-ink",
  danger: "border border-bad/40 bg-bad-soft text-bad hover:border-bad",
};
const sizes: Record<Size, string> = {
  small: "min-h-8 px-3 py-1 text-sm",
  medium: "min-h-10 px-4 py-2",
};

function look(kind: Look, size: Size, more?: string): string {
  return classes(base, looks[kind], sizes[size], more);
}

interface Shared {
  look?: Look;
  size?: Size;
  icon?: ReactNode;
}

/** A button. `busy` shows that its action runs, and keeps it from being pressed again. */
export function Button({
  look: kind = "secondary",
  size = "medium",
  icon,
  busy = false,
  disabled,
  className,
  children,
  ...rest
}: ComponentProps<"button"> & Shared & { busy?: boolean }) {
  return (
    <button
      type="button"
      {...rest}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      className={look(kind, size, className)}
    >
      {busy ? <Spinner /> : icon}
      {children}
    </button>
  );
}

/** A link that looks like a button, to a page of the app. */
export function ButtonLink({
  look: kind = "secondary",
  size = "medium",
  icon,
  className,
  children,
  href,
}: Shared & { href: string; className?: string; children: ReactNode }) {
  return (
    <Link href={href} className={look(kind, size, className)}>
      {icon}
      {children}
    </Link>
  );
}

/** A button that is only a picture; `label` is read out and shown on hover. */
export function IconButton({
  label,
  className,
  children,
  ...rest
}: ComponentProps<"button"> & { label: string }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      {...rest}
      className={classes(
        "inline-flex size-10 shrink-0 items-center justify-center rounded-control text-soft transition-colors hover:bg-sunken hover:text-ink disabled:opacity-55",
        className,
      )}
    >
      {children}
    </button>
  );
}
