import { Link } from "wouter";
import { useList } from "@/api/queries";
import { useLive } from "@/api/stream";
import type { Submission } from "@/api/types";
import { RevokedBadge } from "@/components/Revoked";
import { Badge } from "@/components/ui/Badge";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { EmptyState, Loaded } from "@/components/ui/States";
import { Copyable, Time } from "@/components/ui/Values";
import { whyRefused } from "@/content/reasons";
import { submissionStates } from "@/content/states";
import { classes } from "@/lib/classes";
import { formatBytes, formatCount } from "@/lib/format";

function Outcome({ submission }: { submission: Submission }) {
  if (submission.state === "accepted") {
    return (
      <>
        Score {submission.score}, {formatCount(submission.units ?? 0)} units,{" "}
        <strong className="font-medium">{formatCount(submission.points ?? 0)} points</strong>
        {submission.revoked && (
          <span className="text-soft">. The permission to train on it was taken back; points stay</span>
        )}
      </>
    );
  }
  if (submission.state === "rejected") {
    const reason = whyRefused(submission.reason);
    return (
      <>
        {reason ? reason.words : (submission.reason ?? "no reason was given")}.{" "}
        <span className="text-soft">{reason?.next} A refusal costs no points.</span>
      </>
    );
  }
  if (submission.state === "pending") return <span className="text-soft">Curators fetch and judge it.</span>;
  return null;
}

/** What an account has submitted, newest first, and what became of it. */
export function SubmissionsCard({
  account,
  title,
  limit = 20,
}: {
  account: string;
  title: string;
  /** How many at once. */
  limit?: number;
}) {
  useLive(`account:${account}`);
  const list = useList<Submission>(["submissions", account], "/v1/submissions", {
    contributor: account,
    limit,
  });
  return (
    <Card title={title} about="Newest first." flush>
      <Loaded
        query={list}
        isEmpty={(rows) => rows.length === 0}
        empty={<EmptyState icon="upload" title="Nothing was submitted yet" />}
      >
        {(rows) => (
          <div className={classes("grid gap-3", list.hasNextPage && "pb-4")}>
            <ul className="divide-y divide-line border-t border-line">
              {rows.map((row) => {
                const { tone, words } = submissionStates[row.state] ?? { tone: "neutral", words: row.state };
                return (
                  <li key={row.id} className="grid gap-1 px-5 py-3 text-sm">
                    <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
                      <Link href={`/submissions/${row.id}`} className="link font-medium">
                        Submission {row.id}
                      </Link>
                      <span className="text-soft">
                        .{row.media}, {formatBytes(row.size)},{" "}
                        <Link href={`/datanets/${row.datanet}`} className="hover:text-accent hover:underline">
                          Datanet {row.datanet}
                        </Link>
                      </span>
                      <Copyable text={row.content} what="content id" />
                      <span className="ml-auto flex items-center gap-3">
                        <span className="text-soft">
                          <Time ms={(row.decided ?? row.submitted).time} />
                        </span>
                        {row.revoked && <RevokedBadge />}
                        <Badge tone={tone}>{words}</Badge>
                      </span>
                    </div>
                    <p>
                      <Outcome submission={row} />
                    </p>
                  </li>
                );
              })}
            </ul>
            {list.hasNextPage && (
              <Button
                className="justify-self-center"
                busy={list.isFetchingNextPage}
                onClick={() => void list.fetchNextPage()}
              >
                More
              </Button>
            )}
          </div>
        )}
      </Loaded>
    </Card>
  );
}
