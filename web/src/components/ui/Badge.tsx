import type { ReactNode } from "react";
import { classes } from "@/lib/classes";

export type Tone = "neutral" | "accent" | "good" | "warn" | "bad" | "info";

const tones: Record<Tone, string> = {
  neutral: "border-line bg-sunken text-soft",
  accent: "bg-accent-soft text-accent-strong",
  good: "bg-good-soft text-good",
  warn: "bg-warn-soft text-warn",
  bad: "bg-bad-soft text-bad",
  info: "bg-info-soft text-info",
};

/** A state in a word or two. The words say it; the colour only helps. */
export function Badge({ tone = "neutral", children }: { tone?: Tone; children: ReactNode }) {
  return (
    <span
      className={classes(
        "inline-flex items-center gap-1 rounded-full border border-transparent px-2.5 py-0.5 text-xs font-medium tracking-normal whitespace-nowrap",
        tones[tone],
      )}
    >
      {children}
    </span>
  );
}
