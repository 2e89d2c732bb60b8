import { useEffect, useState } from "react";
import { useGet } from "@/api/queries";
import type { Preview, Submission } from "@/api/types";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Field, SelectField } from "@/components/ui/Field";
import { Loaded } from "@/components/ui/States";
import { AccountName, Copyable, Facts, Time } from "@/components/ui/Values";
import { rejections } from "@/content/reasons";
import { formatBytes, formatCount } from "@/lib/format";
import { type Attempt, sayAttempt } from "./committee";
import { FileView } from "./FileView";
import { NearestCard, useLikest } from "./NearestCard";
import { leaves } from "./nearest";
import { type Choice, cannotAccept, parseScore, type ReasonName } from "./verdict";

function Counted({ preview }: { preview: Preview }) {
  return (
    <div className="grid gap-4">
      <Facts
        facts={[
          ["Counts", preview.units === null ? "nothing" : `${formatCount(preview.units)} ${preview.unit}`],
          ...(preview.textRoot
            ? [["Text root", <Copyable key="root" text={preview.textRoot} what="text root" />] as const]
            : []),
          ...preview.leftOut.map(
            (part) => ["Not counted", `${formatCount(part.units)}: ${part.text}`] as const,
          ),
        ]}
      />
      {preview.text !== null && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard
        <section aria-label="Text that counts" tabIndex={0} className="max-h-96 overflow-auto">
          <pre className="rounded-control bg-sunken p-3 text-xs whitespace-pre-wrap">
            {preview.text}
            {preview.truncated && "\n…"}
          </pre>
        </section>
      )}
    </div>
  );
}

/** One file beside what is paid of it, and what its judge says of it. */
export function Judging({
  submission,
  minUnits,
  extractor,
  title = "Your vote",
  onChoice,
  onUnavailable,
  onUndecided,
  attempt = null,
}: {
  submission: Submission;
  /** Fewer units are no acceptance. */
  minUnits: number;
  /** The extractor that has to have measured it, where that is fixed. */
  extractor?: number | null;
  title?: string;
  onChoice: (choice: Choice, preview: Preview) => void;
  /** That its bytes cannot be fetched, where that is a word too. */
  onUnavailable?: () => void;
  /** That it is here and an earlier file is not, where that is a word too. */
  onUndecided?: () => void;
  /** Which of the committees it is that may be asked about it. */
  attempt?: Attempt | null;
}) {
  const preview = useGet<Preview>(
    ["review", "preview", submission.sha256],
    `/v1/previews/${submission.sha256}`,
    {
      media: submission.media,
    },
  );
  const [score, setScore] = useState("80");
  const [reason, setReason] = useState<ReasonName>("off-topic");
  const likest = useLikest(submission.id);
  // Whoever lacks an earlier file leaves it to another committee, as long as there is one.
  const lacks = onUndecided !== undefined && leaves(likest.data, attempt);
  const measured = preview.data;
  const hindrance = measured ? cannotAccept(measured, minUnits, extractor) : "it is not measured yet";
  const parsed = parseScore(score);

  const accept = () => {
    if (measured && hindrance === null && parsed !== null)
      onChoice({ accept: true, score: parsed }, measured);
  };
  const refuse = () => {
    if (measured) onChoice({ accept: false, reason }, measured);
  };

  // A and R, where no letter is being typed.
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement | null;
      const typing = target?.closest("input, select, textarea, [role=dialog]");
      if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
      if (event.key === "a" || event.key === "A") accept();
      if (event.key === "r" || event.key === "R") refuse();
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  });

  return (
    <div className="grid gap-6">
      <Card
        title={`Submission ${submission.id}`}
        about={
          <>
            .{submission.media}, {formatBytes(submission.size)}, <Time ms={submission.submitted.time} />, by{" "}
            <AccountName account={submission.contributor} />
          </>
        }
      >
        <div className="grid items-start gap-6 lg:grid-cols-2">
          <div className="grid min-w-0 gap-2">
            <h3 className="text-sm font-medium">The file</h3>
            <FileView submission={submission} />
          </div>
          <div className="grid min-w-0 gap-2">
            <h3 className="text-sm font-medium">What is paid</h3>
            <Loaded query={preview}>{(data) => <Counted preview={data} />}</Loaded>
          </div>
        </div>
      </Card>
      <NearestCard submission={submission} attempt={attempt} />
      <Card title={title}>
        <div className="grid gap-6 sm:grid-cols-2">
          <div className="grid content-start gap-3">
            <Field
              label="Score"
              unit="1 to 100"
              inputMode="numeric"
              value={score}
              onChange={(event) => setScore(event.target.value)}
              error={parsed === null ? "A whole number from 1 to 100." : undefined}
            />
            <Button
              look={lacks ? "quiet" : "primary"}
              disabled={hindrance !== null || parsed === null}
              onClick={accept}
            >
              Accept <kbd className="text-xs opacity-80">A</kbd>
            </Button>
            {attempt !== null && (
              <p className="text-xs text-soft">
                This is {sayAttempt(attempt)}: accepting says that you compared it with every earlier file of
                the Datanet. Of a copy it costs a part of your seat.
              </p>
            )}
            {hindrance !== null && measured && (
              <p className="text-sm text-warn">It cannot be accepted: {hindrance}.</p>
            )}
          </div>
          <div className="grid content-start gap-3">
            <SelectField
              label="Reason"
              value={reason}
              onChange={(event) => setReason(event.target.value as ReasonName)}
              options={Object.entries(rejections).map(([name, { words: said }]) => ({
                value: name,
                label: said.charAt(0).toUpperCase() + said.slice(1),
              }))}
            />
            <Button look="danger" disabled={!measured} onClick={refuse}>
              Refuse <kbd className="text-xs opacity-80">R</kbd>
            </Button>
            {onUnavailable && (
              <Button look="quiet" onClick={onUnavailable}>
                It cannot be fetched
              </Button>
            )}
            {onUndecided && (
              <Button look={lacks ? "primary" : "quiet"} onClick={onUndecided}>
                It cannot be compared
              </Button>
            )}
          </div>
        </div>
      </Card>
    </div>
  );
}
