import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { useGet } from "@/api/queries";
import { request } from "@/api/request";
import type { Likest, NearestFile, Preview, Submission } from "@/api/types";
import { Badge } from "@/components/ui/Badge";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Loaded } from "@/components/ui/States";
import { FileView } from "./FileView";
import { sayAlike, sayCompared } from "./nearest";

/** How often the gateway is asked again while it measures earlier files, some with each request. */
const TRIES = 12;

/** The earlier file itself, with the text of it that counts. */
function Beside({ nearest }: { nearest: NearestFile }) {
  const submission = useGet<Submission>(
    ["submission", String(nearest.submission)],
    `/v1/submissions/${nearest.submission}`,
  );
  const preview = useGet<Preview>(
    ["review", "preview", nearest.sha256],
    `/v1/previews/${nearest.sha256}`,
    { media: nearest.media },
    ["pdf", "docx"].includes(nearest.media),
  );
  return (
    <Loaded query={submission}>
      {(found) => (
        <div className="grid gap-3">
          <FileView submission={found} label="The earlier file" />
          {preview.data?.text && (
            // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard
            <section aria-label="Text of the earlier file" tabIndex={0} className="max-h-96 overflow-auto">
              <pre className="rounded-control bg-sunken p-3 text-xs whitespace-pre-wrap">
                {preview.data.text}
              </pre>
            </section>
          )}
        </div>
      )}
    </Loaded>
  );
}

/** The earlier file of the same Datanet that a submission is most like, for who judges whether it is a copy. */
export function NearestCard({ submission }: { submission: Pick<Submission, "id" | "media"> }) {
  const [open, setOpen] = useState(false);
  const likest = useQuery({
    queryKey: ["review", "nearest", submission.id],
    queryFn: ({ signal }) => request<Likest>(`/v1/submissions/${submission.id}/nearest`, { signal }),
    refetchInterval: ({ state }) =>
      state.data && state.data.unknown > 0 && state.dataUpdateCount < TRIES ? 5000 : false,
  });
  return (
    <Card
      title="Nearest earlier file"
      about="What of the same Datanet it may be a copy of. Read both before you say so."
    >
      <Loaded query={likest}>
        {(data) => (
          <div className="grid gap-4">
            {data.nearest ? (
              <div className="flex flex-wrap items-center justify-between gap-3 text-sm">
                <p className="min-w-0">
                  <Badge tone={data.nearest.alike >= 0.8 ? "warn" : "neutral"}>
                    {Math.round(data.nearest.alike * 100)} %
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
            <p className="text-xs text-soft">{sayCompared(data)}</p>
            {open && data.nearest && <Beside nearest={data.nearest} />}
          </div>
        )}
      </Loaded>
    </Card>
  );
}
