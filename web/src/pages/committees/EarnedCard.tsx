import { Link } from "wouter";
import type { Settlement } from "@/api/types";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { EmptyState, Loaded } from "@/components/ui/States";
import { Table } from "@/components/ui/Table";
import { Amount, Stat, Time } from "@/components/ui/Values";
import { formatCount } from "@/lib/format";
import { sayWhy } from "@/review/committee";
import { useReviewer, useSettlements } from "./committees.state";

/** What judging brought and cost an account, verdict by verdict, and why. */
export function EarnedCard({ account }: { account: string }) {
  const reviewer = useReviewer(account);
  const settlements = useSettlements(account);
  return (
    <>
      <Card>
        <Loaded query={reviewer}>
          {({ drawn, revealed, earned, lost }) => (
            <dl className="grid grid-cols-2 gap-5 lg:grid-cols-4">
              <Stat label="Paid to you">
                <Amount plancks={earned} />
              </Stat>
              <Stat label="Lost by your seats">
                <Amount plancks={lost} />
              </Stat>
              <Stat label="Committees you were drawn for">{formatCount(drawn)}</Stat>
              <Stat label="Revealed in">{formatCount(revealed)}</Stat>
            </dl>
          )}
        </Loaded>
      </Card>
      <Card flush title="Verdict by verdict" about="Paid once nobody can challenge the verdict any more.">
        <Loaded
          query={settlements}
          isEmpty={(rows) => rows.length === 0}
          empty={<EmptyState icon="wallet" title="No verdict of yours is final yet" />}
        >
          {(rows) => (
            <>
              <Settlements rows={rows} />
              {settlements.hasNextPage && (
                <div className="px-5 py-4 text-center">
                  <Button
                    busy={settlements.isFetchingNextPage}
                    onClick={() => void settlements.fetchNextPage()}
                  >
                    More
                  </Button>
                </div>
              )}
            </>
          )}
        </Loaded>
      </Card>
    </>
  );
}

function Settlements({ rows }: { rows: readonly Settlement[] }) {
  return (
    <Table<Settlement>
      caption="What verdicts paid and cost"
      rows={rows}
      rowKey={({ draw, submission, why, amount, at }) => `${draw} ${submission} ${why} ${amount} ${at.block}`}
      columns={[
        {
          title: "Draw",
          cell: ({ draw }) => (
            <Link href={`/committees/${draw}`} className="link">
              {draw}
            </Link>
          ),
        },
        {
          title: "Submission",
          wide: true,
          cell: ({ submission }) =>
            submission === null ? (
              "all its files"
            ) : (
              <Link href={`/submissions/${submission}`} className="link">
                {submission}
              </Link>
            ),
        },
        {
          title: "Because the account",
          cell: ({ why }) => <span className="block min-w-40">{sayWhy(why)}</span>,
        },
        {
          title: "Amount",
          align: "right",
          cell: ({ paid, amount }) => (
            <span className={paid ? "text-good" : "text-bad"}>
              {paid ? "+" : "−"}
              <Amount plancks={amount} />
            </span>
          ),
        },
        { title: "When", align: "right", wide: true, cell: ({ at }) => <Time ms={at.time} /> },
      ]}
    />
  );
}
