import { useSearchParams } from "wouter";
import { useAccount } from "@/accounts/state";
import { useLive } from "@/api/stream";
import type { GlobalEntry } from "@/api/types";
import { Button, ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { SelectField } from "@/components/ui/Field";
import { Page } from "@/components/ui/Page";
import { EmptyState, Loaded } from "@/components/ui/States";
import { Table } from "@/components/ui/Table";
import { AccountName, Stat } from "@/components/ui/Values";
import { formatCount } from "@/lib/format";
import { leftOf, readWhich, sayShare, type Which } from "../leaderboard/leaderboard.state";
import { useGlobalBoard, useGlobalPeriods, useOwnGlobal, usePeriod } from "./globalboard.state";

/** The visitor's own line, which may be far down the board. */
function Own({ entry, which }: { entry: GlobalEntry | null; which: Which }) {
  return (
    <Card title="You">
      {entry ? (
        <dl className="grid grid-cols-2 gap-5 lg:grid-cols-3">
          <Stat label="Your rank">{formatCount(entry.rank)}</Stat>
          <Stat label="Points" note={`${sayShare(entry.share)} of all points here`}>
            {formatCount(entry.points)}
          </Stat>
          <Stat label="Accepted files">{formatCount(entry.files)}</Stat>
        </dl>
      ) : (
        <p className="text-sm text-soft">
          You have no points here{which === "all" ? " yet" : " of this period"}.
        </p>
      )}
    </Card>
  );
}

/** The accounts with the most points over all Datanets, of all time or of one period. */
export default function GlobalBoardPage() {
  const account = useAccount();
  const [search, setSearch] = useSearchParams();
  const which = readWhich(search.get("period"));
  const { network, period } = usePeriod(which);
  const board = useGlobalBoard(period);
  const own = useOwnGlobal(account?.address, period);
  const options = useGlobalPeriods(which, network.data?.period);
  useLive("kind:Leaderboard.PointsEarned");
  // Without the chain's answer nobody knows which period runs.
  const asked = which === "current" && !network.data ? { ...network, data: undefined } : board;
  return (
    <Page
      title="Over all Datanets"
      about="Points of files that committees accepted which were drawn from many reviewers of a kind of files. What a Datanet’s own curators or reviewers accept counts on its own board alone."
      actions={<ButtonLink href="/leaderboard">Boards of Datanets</ButtonLink>}
    >
      <div className="max-w-sm">
        <SelectField
          label="Period"
          value={String(which)}
          onChange={(event) =>
            setSearch(event.target.value === "all" ? {} : { period: event.target.value }, { replace: true })
          }
          options={options}
        />
      </div>
      <Loaded query={asked}>
        {() => {
          const rows = board.data ?? [];
          return (
            <>
              {account && rows.length > 0 && own !== undefined && <Own entry={own} which={which} />}
              <Card
                title="Board"
                about={
                  which === "all"
                    ? "Of all time. Enough of these points let you contribute where owners ask for them."
                    : which === "current" && network.data
                      ? `The period that runs now; it ends in about ${leftOf(network.data)}.`
                      : undefined
                }
                flush
              >
                {rows.length === 0 ? (
                  <EmptyState
                    icon="board"
                    title={
                      which === "all"
                        ? "Nobody has such points yet"
                        : "Nobody earned such points in this period"
                    }
                    actions={<ButtonLink href="/committees?tab=seats">Become a reviewer</ButtonLink>}
                  >
                    They come when a kind of files has enough reviewers for committees that nobody can
                    capture.
                  </EmptyState>
                ) : (
                  <>
                    <Table<GlobalEntry>
                      caption="Board over all Datanets"
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
                        {
                          title: "Share",
                          align: "right",
                          wide: true,
                          cell: ({ share }) => sayShare(share),
                        },
                        { title: "Accepted files", align: "right", cell: ({ files }) => formatCount(files) },
                      ]}
                    />
                    {board.hasNextPage && (
                      <div className="px-5 py-4 text-center">
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
    </Page>
  );
}
