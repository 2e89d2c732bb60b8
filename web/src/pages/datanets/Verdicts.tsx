import { Link } from "wouter";
import { useList } from "@/api/queries";
import type { Submission } from "@/api/types";
import { RevokedBadge } from "@/components/Revoked";
import { Badge } from "@/components/ui/Badge";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { EmptyState, Loaded } from "@/components/ui/States";
import { AccountName, Time } from "@/components/ui/Values";
import { whyRefused } from "@/content/reasons";
import { submissionStates } from "@/content/states";
import { classes } from "@/lib/classes";
import { formatCount } from "@/lib/format";

function Verdict({ submission }: { submission: Submission }) {
  const { id, state, media, contributor, decided, submitted, reason, score, points, revoked } = submission;
  const { tone, words } = submissionStates[state] ?? { tone: "neutral" as const, words: state };
  return (
    <li className="grid gap-1.5 px-5 py-3 text-sm">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <Link href={`/submissions/${id}`} className="link font-medium">
          Submission {id}
        </Link>
        <span className="text-soft">.{media}</span>
        <Badge tone={tone}>{words}</Badge>
        {revoked && <RevokedBadge />}
        <span className="ml-auto text-xs text-soft">
          <Time ms={(decided ?? submitted).time} />
        </span>
      </div>
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1">
        <AccountName account={contributor} />
        <span className="min-w-0">
          {state === "accepted"
            ? `Score ${score}, ${formatCount(points ?? "0")} points`
            : (whyRefused(reason)?.words ?? reason)}
        </span>
      </div>
    </li>
  );
}

/** What was decided lately, and why. */
export function Verdicts({ datanet }: { datanet: number }) {
  const list = useList<Submission>(["datanet", datanet, "verdicts"], `/v1/datanets/${datanet}/verdicts`, {
    limit: 10,
  });
  return (
    <Card title="Recent verdicts" about="Newest first, with the reason for each refusal." flush>
      <Loaded
        query={list}
        isEmpty={(rows) => rows.length === 0}
        empty={<EmptyState icon="review" title="Nothing has been decided yet" />}
      >
        {(rows) => (
          <div className={classes("grid gap-3", list.hasNextPage && "pb-4")}>
            <ul className="divide-y divide-line border-t border-line">
              {rows.map((row) => (
                <Verdict key={row.id} submission={row} />
              ))}
            </ul>
            {list.hasNextPage && (
              <Button
                className="justify-self-center"
                busy={list.isFetchingNextPage}
                onClick={() => void list.fetchNextPage()}
              >
                Earlier ones
              </Button>
            )}
          </div>
        )}
      </Loaded>
    </Card>
  );
}
