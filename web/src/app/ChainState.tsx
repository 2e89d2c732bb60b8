import { useStatus } from "@/api/queries";
import { classes } from "@/lib/classes";
import { formatCount } from "@/lib/format";

/** Where the chain stands, and whether the gateway follows it. */
export function ChainState() {
  const status = useStatus();
  const { data } = status;
  const behind = data ? data.finalised - data.indexed : 0;
  const state = status.error
    ? { tone: "bg-bad", text: "The gateway does not answer" }
    : !data
      ? { tone: "bg-line-strong", text: "Reading the chain" }
      : data.syncing
        ? { tone: "bg-warn", text: `The node is syncing, block ${formatCount(data.best)}` }
        : behind > 20
          ? { tone: "bg-warn", text: `Indexing, ${formatCount(behind)} blocks behind` }
          : { tone: "bg-good", text: `Block ${formatCount(data.finalised)}` };
  return (
    <p className="flex items-center gap-2 text-xs text-soft">
      <span className={classes("size-2 shrink-0 rounded-full", state.tone)} aria-hidden="true" />
      <span className="tabular">{state.text}</span>
    </p>
  );
}
