import type { ReactNode } from "react";
import { classes } from "@/lib/classes";
import type { Tone } from "./Badge";
import { Icon, type IconName } from "./Icon";

const tones: Record<Exclude<Tone, "neutral" | "accent">, { box: string; icon: IconName }> = {
  good: { box: "border-good/30 bg-good-soft text-good", icon: "check" },
  warn: { box: "border-warn/30 bg-warn-soft text-warn", icon: "alert" },
  bad: { box: "border-bad/30 bg-bad-soft text-bad", icon: "alert" },
  info: { box: "border-info/30 bg-info-soft text-info", icon: "info" },
};

/** Something to know before going on. `alert` reads it out at once. */
export function Notice({
  tone = "info",
  title,
  alert = false,
  actions,
  children,
}: {
  tone?: keyof typeof tones;
  title?: ReactNode;
  alert?: boolean;
  actions?: ReactNode;
  children?: ReactNode;
}) {
  const { box, icon } = tones[tone];
  return (
    <div
      role={alert ? "alert" : undefined}
      className={classes("flex gap-3 rounded-card border p-4 text-sm", box)}
    >
      <Icon name={icon} className="mt-px size-5" />
      <div className="grid min-w-0 flex-1 gap-1">
        {title && <p className="break-words font-semibold first-letter:uppercase">{title}</p>}
        {children && <div className="break-words text-ink">{children}</div>}
        {actions && <div className="mt-2 flex flex-wrap gap-2">{actions}</div>}
      </div>
    </div>
  );
}
