import { Link } from "wouter";
import type { Event } from "@/api/types";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Icon } from "@/components/ui/Icon";
import { EmptyState, Loaded } from "@/components/ui/States";
import { Table } from "@/components/ui/Table";
import { Amount, Copyable, Time } from "@/components/ui/Values";
import { formatCount } from "@/lib/format";
import { useRewardEvents } from "./rewards.state";

const field = ({ fields }: Event, name: string) => String(fields[name] ?? "");

function Lines({
  account,
  kind,
  nameOf,
}: {
  account: string;
  kind: "Leaderboard.Claimed" | "Leaderboard.PointsEarned";
  nameOf: (datanet: string) => string;
}) {
  const events = useRewardEvents(account, kind);
  const claimed = kind === "Leaderboard.Claimed";
  return (
    <Loaded
      query={events}
      isEmpty={(rows) => rows.length === 0}
      empty={
        <EmptyState icon="wallet" title={claimed ? "Nothing was claimed yet" : "No points were earned yet"} />
      }
    >
      {(rows) => (
        <div className="grid grid-cols-[minmax(0,1fr)] gap-4">
          <Table
            caption={claimed ? "Claims" : "Points earned"}
            rows={rows}
            rowKey={({ id }) => id}
            columns={[
              { title: "When", cell: ({ time }) => <Time ms={time} /> },
              {
                title: "Datanet",
                cell: (event) => (
                  <Link href={`/datanets/${field(event, "datanet")}`} className="link">
                    {nameOf(field(event, "datanet"))}
                  </Link>
                ),
              },
              claimed
                ? {
                    title: "Paid",
                    align: "right",
                    cell: (event) => <Amount plancks={field(event, "amount") || "0"} most={6} />,
                  }
                : {
                    title: "Points",
                    align: "right",
                    cell: (event) => formatCount(field(event, "points") || "0"),
                  },
              {
                title: "Transaction",
                wide: true,
                cell: ({ extrinsic }) =>
                  extrinsic ? <Copyable text={extrinsic} what="transaction hash" /> : "–",
              },
            ]}
          />
          {events.hasNextPage && (
            <Button
              className="mb-4 justify-self-center"
              busy={events.isFetchingNextPage}
              onClick={() => void events.fetchNextPage()}
            >
              Earlier ones
            </Button>
          )}
        </div>
      )}
    </Loaded>
  );
}

/** What an account was paid and what it earned, and all of it as a table to keep. */
export function History({ account, nameOf }: { account: string; nameOf: (datanet: string) => string }) {
  return (
    <>
      <Card
        title="Claims"
        about="Newest first."
        actions={
          <a
            href={`/v1/accounts/${encodeURIComponent(account)}/rewards.csv`}
            download
            className="link inline-flex items-center gap-1.5 text-sm font-medium"
          >
            <Icon name="download" className="size-4" /> Everything as CSV
          </a>
        }
        flush
      >
        <Lines account={account} kind="Leaderboard.Claimed" nameOf={nameOf} />
      </Card>
      <Card title="Points earned" about="Newest first." flush>
        <Lines account={account} kind="Leaderboard.PointsEarned" nameOf={nameOf} />
      </Card>
    </>
  );
}
