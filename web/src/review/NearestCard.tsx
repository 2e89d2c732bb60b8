import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { useGet } from "@/api/queries";
import { request } from "@/api/request";
import type { Likest, NearestFile, Preview, Submission } from "@/api/types";
import { Badge } from "@/components/ui/Badge";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Notice } from "@/components/ui/Notice";
import { Loaded } from "@/components/ui/States";
import type { Attempt } from "./committee";
import { FileView } from "./FileView";
import {
  compareTexts,
  isText,
  type Piece,
  sayAlike,
  sayCompared,
  sayEnded,
  sayLeave,
  sayMissing,
} from "./nearest";

/** How often the gateway is asked again while it measures earlier files, some with each request. */
const TRIES = 12;

/** What counts of a file, with what the other one has not. */
function Side({ title, pieces, truncated }: { title: string; pieces: readonly Piece[]; truncated: boolean }) {
  return (
    <div className="grid min-w-0 content-start gap-2">
      <h3 className="text-sm font-medium">{title}</h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard */}
      <section aria-label={title} tabIndex={0} className="max-h-96 overflow-auto">
        <pre className="rounded-control bg-sunken p-3 text-xs whitespace-pre-wrap">
          {pieces.map(({ text, shared }, n) =>
            shared ? (
              text
            ) : (
              // biome-ignore lint/suspicious/noArrayIndexKey: pieces stand in the order of the text
              <mark key={n} className="rounded-sm bg-warn-soft text-ink ring-1 ring-warn/30">
                {text}
              </mark>
            ),
          )}
          {truncated && "\n…"}
        </pre>
      </section>
    </div>
  );
}

/** The texts that count of both files side by side. */
function Texts({ judged, nearest }: { judged: Judged; nearest: NearestFile }) {
  const text = ({ sha256, media }: Pick<Judged, "sha256" | "media">) =>
    [["review", "preview", sha256], `/v1/previews/${sha256}`, { media }] as const;
  const here = useGet<Preview>(...text(judged));
  const there = useGet<Preview>(...text(nearest));
  return (
    <Loaded query={here}>
      {(one) => (
        <Loaded query={there}>
          {(other) => {
            const [ours, theirs] = compareTexts(one.text ?? "", other.text ?? "");
            const differ = [...ours, ...theirs].some(({ shared }) => !shared);
            return (
              <div className="grid gap-3">
                <p className="text-xs text-soft">
                  {differ
                    ? "Marked: sentences and lines that the other one does not have."
                    : "Every sentence and line of each stands in the other one too."}
                </p>
                <div className="grid grid-cols-[minmax(0,1fr)] gap-4 lg:grid-cols-2">
                  <Side title="Text of this file" pieces={ours} truncated={one.truncated} />
                  <Side title="Text of the earlier file" pieces={theirs} truncated={other.truncated} />
                </div>
              </div>
            );
          }}
        </Loaded>
      )}
    </Loaded>
  );
}

/** A picture or recording with its name above. */
function Shown({ title, submission }: { title: string; submission: Judged }) {
  return (
    <section aria-label={title} className="grid min-w-0 content-start gap-2">
      <h3 className="text-sm font-medium">{title}</h3>
      <FileView submission={submission} label={title} />
    </section>
  );
}

/** Both files side by side: texts by what counts of them, pictures as they look. */
function Beside({ judged, nearest }: { judged: Judged; nearest: NearestFile }) {
  const submission = useGet<Submission>(
    ["submission", String(nearest.submission)],
    `/v1/submissions/${nearest.submission}`,
  );
  if (!isText(nearest.media)) {
    return (
      <Loaded query={submission}>
        {(found) => (
          <div className="grid grid-cols-[minmax(0,1fr)] gap-4 sm:grid-cols-2">
            <Shown title="This file" submission={judged} />
            <Shown title="The earlier file" submission={found} />
          </div>
        )}
      </Loaded>
    );
  }
  return (
    <div className="grid gap-4">
      {isText(judged.media) && <Texts judged={judged} nearest={nearest} />}
      {!["txt", "md"].includes(nearest.media) && (
        <Loaded query={submission}>
          {(found) => <FileView submission={found} label="The earlier file" />}
        </Loaded>
      )}
    </div>
  );
}

type Judged = Pick<Submission, "id" | "media" | "sha256" | "size">;

/** What a submission is most like, and with what it was compared: asked again while the gateway measures earlier files. */
export function useLikest(submission: number) {
  return useQuery({
    queryKey: ["review", "nearest", submission],
    queryFn: ({ signal }) => request<Likest>(`/v1/submissions/${submission}/nearest`, { signal }),
    refetchInterval: ({ state }) =>
      state.data && state.data.unknown > 0 && state.dataUpdateCount < TRIES ? 5000 : false,
  });
}

/** The earlier file of the same Datanet that a submission is most like, for who judges whether it is a copy. */
export function NearestCard({
  submission,
  attempt = null,
}: {
  submission: Judged;
  /** The attempt of the committee that its member is shown it for. */
  attempt?: Attempt | null;
}) {
  const [open, setOpen] = useState(false);
  const likest = useLikest(submission.id);
  return (
    <Card
      title="Nearest earlier file"
      about="What of the same Datanet it may be a copy of. Read both before you say so."
    >
      <Loaded query={likest}>
        {(data) => (
          <div className="grid gap-4">
            {data.nearest ? (
              <div className="flex items-start justify-between gap-3 text-sm max-sm:flex-wrap">
                <p className="min-w-0">
                  <Badge tone={data.nearest.alike >= 0.8 ? "warn" : "neutral"}>
                    {Math.round(data.nearest.alike * 100)} % alike
                  </Badge>{" "}
                  <Link href={`/submissions/${data.nearest.submission}`} className="link ml-1">
                    Submission {data.nearest.submission}
                  </Link>{" "}
                  <span className="text-soft">{sayAlike(data.nearest)}</span>
                </p>
                <Button size="small" onClick={() => setOpen(!open)}>
                  {open ? "Hide it" : "Show it"}
                </Button>
              </div>
            ) : (
              <p className="text-sm">Nothing that was compared is like it.</p>
            )}
            {data.nearest?.ended && (
              <p className="text-sm">
                That one ended without a verdict, or as no file of this Datanet: an acceptance is not
                overturned for being its copy, and a refusal for it is right.
              </p>
            )}
            {sayMissing(data) !== "" &&
              (sayLeave(data, attempt) === "" ? (
                <p className="text-sm">{sayMissing(data)}</p>
              ) : (
                <Notice tone="warn" title="It may be a copy of what was not compared">
                  {sayMissing(data)} {sayLeave(data, attempt)}
                </Notice>
              ))}
            {attempt === null && sayEnded(data) !== "" && <p className="text-sm">{sayEnded(data)}</p>}
            <p className="text-xs text-soft">{sayCompared(data)}</p>
            {open && data.nearest && <Beside judged={submission} nearest={data.nearest} />}
          </div>
        )}
      </Loaded>
    </Card>
  );
}
