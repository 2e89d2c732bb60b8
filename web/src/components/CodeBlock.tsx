import { useState } from "react";
import { announce } from "@/app/announce";
import { Button } from "@/components/ui/Button";
import { Icon } from "@/components/ui/Icon";
import { Scroller } from "@/components/ui/Scroller";
import { classes } from "@/lib/classes";

/** Text for a terminal or a file, to be copied whole. */
export function CodeBlock({
  label,
  text,
  wrap = false,
}: {
  label: string;
  text: string;
  /** Prose: long lines are broken. */
  wrap?: boolean;
}) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      announce(`${label} is copied.`);
      setTimeout(() => setCopied(false), 1500);
    } catch {
      announce("The browser did not let it be copied.");
    }
  };
  return (
    <figure className="min-w-0">
      <figcaption className="flex items-center justify-between gap-3 pb-1.5">
        <span className="text-sm font-medium">{label}</span>
        <Button
          size="small"
          look="quiet"
          onClick={copy}
          aria-label={`Copy: ${label}`}
          icon={<Icon name={copied ? "check" : "copy"} className="size-4" />}
        >
          {copied ? "Copied" : "Copy"}
        </Button>
      </figcaption>
      <div className="overflow-clip rounded-control border border-line bg-sunken">
        <Scroller label={label}>
          <pre
            className={classes(
              "p-3 font-mono text-xs leading-5",
              wrap ? "break-words whitespace-pre-wrap" : "w-max min-w-full",
            )}
          >
            {text}
          </pre>
        </Scroller>
      </div>
    </figure>
  );
}
