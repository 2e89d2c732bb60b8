import { useState } from "react";
import { useStatus } from "@/api/queries";
import { toast } from "@/app/toasts";
import { Badge, type Tone } from "@/components/ui/Badge";
import { Button, IconButton } from "@/components/ui/Button";
import { Dialog } from "@/components/ui/Dialog";
import { Icon } from "@/components/ui/Icon";
import { Copyable, Facts } from "@/components/ui/Values";
import { BLOCK_TIME, formatBytes, formatCount, formatDuration } from "@/lib/format";
import type { QueuedFile } from "./files";
import { removeFile } from "./queue";
import { announce } from "./submit";

function state(entry: QueuedFile, fits: boolean): { tone: Tone; words: string } {
  switch (entry.stage) {
    case "checking":
      return { tone: "neutral", words: "Hashing" };
    case "ready":
      return fits ? { tone: "info", words: "Hashed" } : { tone: "warn", words: "Waits for tomorrow" };
    case "sending":
      return {
        tone: "accent",
        words: `Storing, ${Math.floor((100 * entry.sent) / Math.max(1, entry.file.size))} %`,
      };
    case "stored":
      return { tone: "good", words: "Stored" };
    case "promised":
      return { tone: "warn", words: "Promised" };
    case "opened":
      return entry.problem
        ? { tone: "bad", words: "Submitted, bytes missing" }
        : { tone: "accent", words: "Submitted" };
    case "refused":
      return { tone: "bad", words: "Not taken" };
  }
}

function CountedText({ text }: { text: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard
    <section aria-label="Text that counts" tabIndex={0} className="max-h-64 overflow-auto">
      <pre className="rounded-control bg-sunken p-3 text-xs whitespace-pre-wrap">{text}</pre>
    </section>
  );
}

function PreviewDialog({ entry, onClose }: { entry: QueuedFile; onClose: () => void }) {
  const { preview, named } = entry;
  if (!preview || !named) return null;
  return (
    <Dialog open onClose={onClose} title={entry.file.name} about="What counts of it, as curators measure it.">
      <div className="grid gap-5">
        <Facts
          facts={[
            ["Counts", preview.units === null ? "nothing" : `${formatCount(preview.units)} ${preview.unit}`],
            ["Content id", <Copyable key="content" text={named.content.text} what="content id" />],
            ["SHA-256", <Copyable key="sha256" text={named.sha256} what="SHA-256" />],
          ]}
        />
        {preview.leftOut.length > 0 && (
          <div className="grid gap-1.5">
            <h3 className="text-sm font-medium">Does not count</h3>
            <ul className="grid gap-1 text-sm text-soft">
              {preview.leftOut.map((part) => (
                <li key={part.reason}>
                  {formatCount(part.units)} {preview.unit}: {part.text}
                </li>
              ))}
            </ul>
          </div>
        )}
        {preview.text !== null && (
          <div className="grid gap-1.5">
            <h3 className="text-sm font-medium">
              Text that counts{preview.truncated ? ", its beginning" : ""}
            </h3>
            <CountedText text={preview.text} />
          </div>
        )}
      </div>
    </Dialog>
  );
}

/** Until when a promise can be opened. */
function Until({ block }: { block: number }) {
  const best = useStatus().data?.best;
  if (best === undefined || best === null) return null;
  const left = (block - best) * BLOCK_TIME;
  return (
    <p className="text-sm text-soft">
      {left > 0
        ? `Open it within ${formatDuration(left)}. It counts in the quota already.`
        : "Its day is over: it is promised anew when you submit it again."}
    </p>
  );
}

function remove(entry: QueuedFile): void {
  removeFile(entry.id);
  if (entry.stage === "promised") {
    toast("Its promise cannot be opened any more, and the quota that it took stays used", "info");
  }
}

/** A file on its way, with its state. */
export function FileLine({ entry, fits }: { entry: QueuedFile; fits: boolean }) {
  const [open, setOpen] = useState(false);
  const { tone, words } = state(entry, fits);
  const units = entry.preview?.units;
  return (
    <li className="grid gap-1 px-5 py-3">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <span className="min-w-0 flex-1 basis-40 truncate font-medium" title={entry.file.name}>
          {entry.file.name}
        </span>
        <span className="tabular text-sm text-soft">{formatBytes(entry.file.size)}</span>
        {units !== undefined && units !== null && (
          <span className="tabular text-sm text-soft">
            {formatCount(units)} {entry.preview?.unit}
          </span>
        )}
        <Badge tone={tone}>{words}</Badge>
        {entry.preview && (
          <Button size="small" look="quiet" onClick={() => setOpen(true)}>
            What counts
          </Button>
        )}
        <IconButton
          label={`Take ${entry.file.name} off the list`}
          disabled={entry.stage === "sending" || entry.stage === "opened"}
          onClick={() => remove(entry)}
        >
          <Icon name="close" className="size-4" />
        </IconButton>
      </div>
      {entry.problem && (
        <p className="text-sm">
          <span className={entry.stage === "refused" ? "text-bad" : "text-warn"}>{entry.problem}.</span>{" "}
          <span className="text-soft">{entry.next}</span>{" "}
          {entry.stage === "opened" && (
            <button type="button" className="link" onClick={() => void announce(entry)}>
              Send them
            </button>
          )}
        </p>
      )}
      {entry.stage === "promised" && entry.until !== undefined && <Until block={entry.until} />}
      {open && <PreviewDialog entry={entry} onClose={() => setOpen(false)} />}
    </li>
  );
}
