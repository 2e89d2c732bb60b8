import { Link, useSearchParams } from "wouter";
import { useAccount } from "@/accounts/state";
import { useLive } from "@/api/stream";
import type { Datanet } from "@/api/types";
import { Button, ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { SelectField } from "@/components/ui/Field";
import { Page } from "@/components/ui/Page";
import { EmptyState, Loaded } from "@/components/ui/States";
import { Table } from "@/components/ui/Table";
import { AccountName, Amount, Stat, Time } from "@/components/ui/Values";
import { sayAcceptance } from "@/lib/acceptance";
import { formatCount } from "@/lib/format";
import {
  leftOf,
  periodOf,
  readWhich,
  sayShare,
  unsettled,
  useBoard,
  useChosen,
  useNetwork,
  useOwnEntry,
  usePeriodOptions,
  usePeriods,
  type Which,
} from "./leaderboard.state";

const whyAddress = (datanet: number, account: string, which: Which) =>
  `/leaderboard/${datanet}/${account}${which === "all" ? "" : `?period=${which}`}`;

/** The visitor's own line, which may be far down the board. */
function Own({
  datanet,
  account,
  which,
  period,
}: {
  datanet: number;
  account: string;
  which: Which;
  period: string | null;
}) {
  const entry = useOwnEntry(datanet, account, period);
  if (entry === undefined) return null;
  if (entry) {
    return (
      <Card
        title="You"
        actions={
          <>
            <ButtonLink href={whyAddress(datanet, account, which)} size="small">
              Why these points
            </ButtonLink>
            <ButtonLink href="/rewards" size="small">
              Rewards
            </ButtonLink>
          </>
        }
      >
        <dl className="grid grid-cols-2 gap-5 lg:grid-cols-4">
          <Stat label="Your rank">{formatCount(entry.rank)}</Stat>
          <Stat label="Points" note={`${sayShare(entry.share)} of all points here`}>
            {formatCount(entry.points)}
          </Stat>
          <Stat label="Accepted files">{formatCount(entry.files)}</Stat>
          <Stat label="Acceptance, for information" note="of all time; a refusal costs no points">
            {sayAcceptance(entry.counts) ?? "–"}
          </Stat>
        </dl>
      </Card>
    );
  }
  return (
    <Card>
      <p className="text-sm text-soft">
        You have no points here{which === "all" ? " yet" : " of this period"}.{" "}
        <Link href={`/contribute?datanet=${datanet}`} className="link">
          Contribute files
        </Link>
      </p>
    </Card>
  );
}

/** What the chosen period is, and what it pays. */
function PeriodWords({ datanet, which }: { datanet: Datanet; which: Which }) {
  const network = useNetwork();
  const periods = usePeriods(datanet.id);
  if (which === "all") return <>Points of all time. They stay; what they earned is on the page Rewards.</>;
  if (which === "current") {
    return (
      <>
        The period that runs now.{" "}
        {network.data && `It ends in about ${leftOf(network.data)}, and its points are paid then.`}
      </>
    );
  }
  if (unsettled(datanet.pool, network.data?.period) === which) {
    return (
      <>
        Ended with {formatCount(datanet.pool?.points ?? 0)} points. What each brings can be claimed; the chain
        writes it down with the next claim, payment or acceptance.
      </>
    );
  }
  const ended = periods.data?.find(({ period }) => period === which);
  if (!ended) return periods.data ? <>No points of this period were paid.</> : null;
  return (
    <>
      Ended <Time ms={ended.closed.time} /> with {formatCount(ended.points)} points. Each brought{" "}
      <Amount plancks={ended.rate} most={9} />.
    </>
  );
}

function Board({ datanet, which }: { datanet: Datanet; which: Which }) {
  const account = useAccount();
  const network = useNetwork();
  const period = periodOf(which, network.data?.period);
  const board = useBoard(datanet.id, period);
  // Without the chain's answer nobody knows which period runs.
  const asked = which === "current" && !network.data ? { ...network, data: undefined } : board;
  return (
    <Loaded query={asked}>
      {() => {
        const rows = board.data ?? [];
        return (
          <>
            {account && rows.length > 0 && (
              <Own datanet={datanet.id} account={account.address} which={which} period={period} />
            )}
            <Card title={datanet.name} about={<PeriodWords datanet={datanet} which={which} />} flush>
              {rows.length === 0 ? (
                <EmptyState
                  icon="board"
                  title={which === "all" ? "Nobody has points yet" : "Nobody earned points in this period"}
                  actions={
                    <ButtonLink href={`/contribute?datanet=${datanet.id}`} look="primary">
                      Contribute files
                    </ButtonLink>
                  }
                >
                  An accepted file brings score × units.
                </EmptyState>
              ) : (
                <>
                  <Table
                    caption={`Board of ${datanet.name}`}
                    rows={rows}
                    rowKey={(row) => row.account}
                    marked={(row) => row.account === account?.address}
                    columns={[
                      { title: "Rank", cell: ({ rank }) => formatCount(rank) },
                      {
                        title: "Account",
                        cell: (row) => (
                          <AccountName
                            account={row.account}
                            name={row.account === account?.address ? `You, ${account.name}` : undefined}
                          />
                        ),
                      },
                      { title: "Points", align: "right", cell: ({ points }) => formatCount(points) },
                      { title: "Accepted files", align: "right", cell: ({ files }) => formatCount(files) },
                      {
                        title: "Acceptance, for information",
                        align: "right",
                        cell: ({ counts }) => sayAcceptance(counts) ?? "–",
                      },
                      {
                        title: "Why",
                        align: "right",
                        cell: (row) => (
                          <Link href={whyAddress(datanet.id, row.account, which)} className="link">
                            Why<span className="sr-only"> {row.account} has these points</span>
                          </Link>
                        ),
                      },
                    ]}
                  />
                  <p className="border-t border-line px-5 py-3 text-xs text-soft">
                    Only points rank, and only acceptance brings them. Acceptance counts all decided
                    submissions of an account in this Datanet: a refusal costs nothing.
                  </p>
                  {board.hasNextPage && (
                    <div className="px-5 pb-4 text-center">
                      <Button busy={board.isFetchingNextPage} onClick={() => void board.fetchNextPage()}>
                        More
                      </Button>
                    </div>
                  )}
                </>
              )}
            </Card>
          </>
        );
      }}
    </Loaded>
  );
}

/** The accounts with the most points in a Datanet, of all time or of one period. */
export default function LeaderboardPage() {
  const [search, setSearch] = useSearchParams();
  const which = readWhich(search.get("period"));
  const { list, chosen } = useChosen(search.get("datanet"));
  const id = chosen.data?.id;
  const options = usePeriodOptions(chosen.data, which);
  useLive(id === undefined ? null : `datanet:${id}`);
  const choose = (datanet: number, period: string) =>
    setSearch({ datanet: String(datanet), ...(period === "all" ? {} : { period }) }, { replace: true });
  return (
    <Page
      title="Leaderboard"
      about="Who gave the most to a Datanet: points are score × units of accepted files."
      actions={<ButtonLink href="/leaderboard/global">Over all Datanets</ButtonLink>}
    >
      <Loaded
        query={list}
        isEmpty={({ items }) => items.length === 0}
        empty={
          <Card>
            <EmptyState
              icon="datanets"
              title="There is no Datanet yet"
              actions={<ButtonLink href="/datanets/new">Create one</ButtonLink>}
            >
              Each has a board of its own.
            </EmptyState>
          </Card>
        }
      >
        {({ items, next }) => (
          <Loaded query={chosen}>
            {(datanet) =>
              datanet && (
                <>
                  <div className="grid max-w-3xl gap-4 sm:grid-cols-2">
                    <SelectField
                      label="Datanet"
                      value={String(datanet.id)}
                      help={next ? "The first 100. The page of a Datanet leads to any board." : undefined}
                      onChange={(event) => choose(Number(event.target.value), "all")}
                      options={(items.some((item) => item.id === datanet.id)
                        ? items
                        : [...items, datanet]
                      ).map(({ id, name }) => ({ value: String(id), label: name }))}
                    />
                    <SelectField
                      label="Period"
                      value={String(which)}
                      onChange={(event) => choose(datanet.id, event.target.value)}
                      options={options}
                    />
                  </div>
                  <Board key={`${datanet.id}-${which}`} datanet={datanet} which={which} />
                </>
              )
            }
          </Loaded>
        )}
      </Loaded>
    </Page>
  );
}
