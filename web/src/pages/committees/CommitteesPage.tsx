import { Link, useSearchParams } from "wouter";
import { useAccount } from "@/accounts/state";
import { useLive } from "@/api/stream";
import type { Draw } from "@/api/types";
import { BlockWhen } from "@/components/BlockWhen";
import { Badge } from "@/components/ui/Badge";
import { Button, ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Page } from "@/components/ui/Page";
import { EmptyState, Loaded } from "@/components/ui/States";
import { Table } from "@/components/ui/Table";
import { Tabs } from "@/components/ui/Tabs";
import { Time } from "@/components/ui/Values";
import { plural } from "@/lib/format";
import { sayState, until } from "@/review/committee";
import { todo, useDraws, useMyDraws } from "./committees.state";
import { EarnedCard } from "./EarnedCard";
import { KeptCard } from "./KeptCard";
import { SeatsCard } from "./SeatsCard";

const tabs = ["judge", "seats", "earned", "all"];

function Draws({
  query,
  account,
  title,
  empty,
}: {
  query: ReturnType<typeof useDraws>;
  title: string;
  account: string | null;
  empty: string;
}) {
  return (
    <Card flush title={title}>
      <Loaded
        query={query}
        isEmpty={(rows) => rows.length === 0}
        empty={
          <EmptyState icon="shield" title={empty}>
            A committee is drawn for files of Datanets whose owners leave the judging to committees.
          </EmptyState>
        }
      >
        {(rows) => (
          <>
            <Table<Draw>
              caption="Draws"
              rows={rows}
              rowKey={({ id }) => id}
              marked={(row) => account !== null && ["seal", "reveal"].includes(todo(row, account) ?? "")}
              columns={[
                {
                  title: "Draw",
                  cell: ({ id, challenges }) => (
                    <Link href={`/committees/${id}`} className="link whitespace-nowrap">
                      Draw {id}
                      {challenges && " (challenge)"}
                    </Link>
                  ),
                },
                {
                  title: "State",
                  cell: (row) => {
                    const { label, tone } = sayState(row);
                    const mine = account === null ? null : todo(row, account);
                    return mine === "seal" ? (
                      <Badge tone="accent">yours to judge</Badge>
                    ) : mine === "reveal" ? (
                      <Badge tone="warn">yours to reveal</Badge>
                    ) : (
                      <Badge tone={tone}>{label}</Badge>
                    );
                  },
                },
                { title: "Files", align: "right", cell: ({ files }) => files.length },
                {
                  title: "Until",
                  wide: true,
                  cell: (row) => {
                    const last = until(row);
                    return last === null ? "–" : <BlockWhen block={last} />;
                  },
                },
                {
                  title: "Datanet",
                  cell: ({ datanet }) => (
                    <Link href={`/datanets/${datanet}`} className="link">
                      {datanet}
                    </Link>
                  ),
                },
                {
                  title: "Opened",
                  align: "right",
                  wide: true,
                  cell: ({ opened }) => <Time ms={opened.time} />,
                },
              ]}
            />
            {query.hasNextPage && (
              <div className="px-5 py-4 text-center">
                <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                  More
                </Button>
              </div>
            )}
          </>
        )}
      </Loaded>
    </Card>
  );
}

function NoAccount({ children }: { children: string }) {
  return (
    <Card>
      <EmptyState
        icon="key"
        title="Choose an account first"
        actions={
          <ButtonLink href="/accounts" look="primary">
            Accounts
          </ButtonLink>
        }
      >
        {children}
      </EmptyState>
    </Card>
  );
}

function Mine({ account }: { account: string }) {
  const draws = useMyDraws(account);
  const open = draws.data?.filter((draw) => todo(draw, account) === "seal").length ?? 0;
  return (
    <>
      {open > 0 && (
        <p className="text-sm">
          {plural(open, "draw")} {open === 1 ? "waits" : "wait"} for your sealed word.
        </p>
      )}
      <Draws
        query={draws}
        account={account}
        title="Committees that you sit on"
        empty="No committee was drawn with you yet"
      />
    </>
  );
}

/** Drawn committees: the draws one sits on, one's seats, and what judging brought. */
export default function CommitteesPage() {
  const account = useAccount();
  const [search, setSearch] = useSearchParams();
  const named = search.get("tab") ?? "";
  const tab = tabs.includes(named) ? named : "judge";
  const datanet = /^\d{1,9}$/.test(search.get("datanet") ?? "") ? Number(search.get("datanet")) : null;
  const all = useDraws(datanet);
  useLive(
    account ? `account:${account.address}` : null,
    "kind:Review.CommitteeDrawn",
    "kind:Review.DrawOpened",
  );
  return (
    <Page
      title="Committees"
      about="Strangers judge each other’s files: committees drawn by chance from bonded seats, votes that nobody sees before all are cast."
    >
      <Tabs
        label="Parts of this page"
        value={tab}
        onChange={(next) => setSearch(next === "judge" ? {} : { tab: next }, { replace: true })}
        tabs={[
          {
            value: "judge",
            label: "To judge",
            content: account ? (
              <>
                <Mine account={account.address} />
                <KeptCard account={account} />
              </>
            ) : (
              <NoAccount>Committees are drawn of accounts that have seats.</NoAccount>
            ),
          },
          {
            value: "seats",
            label: "Seats",
            content: <SeatsCard account={account} />,
          },
          {
            value: "earned",
            label: "What it paid",
            content: account ? (
              <EarnedCard account={account.address} />
            ) : (
              <NoAccount>It shows what verdicts paid and cost an account.</NoAccount>
            ),
          },
          {
            value: "all",
            label: "All draws",
            content: (
              <Draws
                query={all}
                account={account?.address ?? null}
                title={datanet === null ? "All draws" : `Draws of Datanet ${datanet}`}
                empty="No file waited for a committee yet"
              />
            ),
          },
        ]}
      />
    </Page>
  );
}
