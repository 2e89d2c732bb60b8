import { Link } from "wouter";
import { useList } from "@/api/queries";
import type { Reward } from "@/api/types";
import { ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { EmptyState, Loaded } from "@/components/ui/States";
import { Table } from "@/components/ui/Table";
import { Amount } from "@/components/ui/Values";
import { formatCount } from "@/lib/format";

/** What an account's files earned, Datanet by Datanet, in few lines; the page Rewards has all of it. */
export function AccountRewards({ account, own }: { account: string; own: boolean }) {
  const rewards = useList<Reward>(["rewards", account], `/v1/accounts/${account}/rewards`, { limit: 5 });
  return (
    <Card
      title="Rewards"
      flush
      actions={
        <ButtonLink href={own ? "/rewards" : `/rewards?account=${account}`} size="small">
          {own ? "Claim and history" : "All rewards"}
        </ButtonLink>
      }
    >
      <Loaded
        query={rewards}
        isEmpty={(rows) => rows.length === 0}
        empty={<EmptyState icon="board" title="No points yet" />}
      >
        {(rows) => (
          <Table
            caption="Rewards by Datanet"
            rows={rows}
            rowKey={({ datanet }) => datanet}
            columns={[
              {
                title: "Datanet",
                cell: ({ datanet, datanetName }) => (
                  <Link href={`/datanets/${datanet}`} className="link">
                    {datanetName}
                  </Link>
                ),
              },
              {
                title: "Rank",
                align: "right",
                cell: ({ datanet, entry }) =>
                  entry.rank === 0 ? (
                    "–"
                  ) : (
                    <Link href={`/leaderboard?datanet=${datanet}`} className="link">
                      {formatCount(entry.rank)}
                    </Link>
                  ),
              },
              {
                title: "Points",
                align: "right",
                cell: ({ datanet, entry }) =>
                  entry.points === "0" ? (
                    "0"
                  ) : (
                    <Link href={`/leaderboard/${datanet}/${account}`} className="link">
                      {formatCount(entry.points)}
                      <span className="sr-only">, and why</span>
                    </Link>
                  ),
              },
              {
                title: "Can be claimed",
                align: "right",
                cell: ({ claimable }) => <Amount plancks={claimable} most={4} />,
              },
            ]}
          />
        )}
      </Loaded>
    </Card>
  );
}
