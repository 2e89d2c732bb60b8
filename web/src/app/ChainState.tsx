import { useStatus } from "@/api/queries";
import type { Status } from "@/api/types";
import { classes } from "@/lib/classes";
import { formatCount } from "@/lib/format";

/** Blocks that index and finality may lie apart while all is well. */
const USUAL = 20;

function stateOf({ best, finalised, indexed, stopped, trouble }: Status): { tone: string; text: string } {
  // Why is said above the page (GatewayNotice.tsx).
  if (stopped) return { tone: "bg-bad", text: "Indexing ended" };
  if (trouble) return { tone: "bg-warn", text: "Indexing stands still" };
  if (best === null) return { tone: "bg-bad", text: "The node does not answer" };
  const behind = finalised - (indexed ?? 0);
  if (behind > USUAL) return { tone: "bg-warn", text: `Indexing, ${formatCount(behind)} blocks to go` };
  return { tone: "bg-good", text: `Block ${formatCount(finalised)}` };
}

/** Where the chain stands, and whether the gateway follows it. */
export function ChainState() {
  const { data, error } = useStatus();
  const { tone, text } = data
    ? stateOf(data)
    : error
      ? { tone: "bg-bad", text: "The gateway does not answer" }
      : { tone: "bg-line-strong", text: "Reading the chain" };
  return (
    <p className="flex items-center gap-2 text-xs text-soft">
      <span className={classes("size-2 shrink-0 rounded-full", tone)} aria-hidden="true" />
      <span className="tabular">{text}</span>
    </p>
  );
}
