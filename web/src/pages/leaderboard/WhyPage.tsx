import { Link, useSearchParams } from "wouter";
import { useAccount } from "@/accounts/state";
import { useGet } from "@/api/queries";
import { useLive } from "@/api/stream";
import type { Datanet, Submission } from "@/api/types";
import { Button, ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { SelectField } from "@/components/ui/Field";
import { Page } from "@/components/ui/Page";
import { EmptyState, Loaded } from "@/components/ui/States";
import { Table } from "@/components/ui/Table";
import { AccountName, Amount, Copyable, Stat, Time } from "@/components/ui/Values";
import { formatCount, shorten } from "@/lib/format";
import {
  periodOf,
  readWhich,
  sayPoints,
  useNetwork,
  usePeriodOptions,
  usePeriods,
  useWhy,
  type Which,
} from "./leaderboard.state";

function Sum({
  rows,
  whole,
  datanet,
  which,
}: {
  rows: readonly Submission[];
  whole: boolean;
  datanet: Datanet;
  which: Which;
}) {
  const periods = usePeriods(datanet.id);
  const points = rows.reduce((sum, row) => sum + BigInt(row.points ?? 0), 0n);
  const ended = typeof which === "number" ? periods.data?.find(({ period }) => period === which) : undefined;
  return (
    <Card>
      <dl className="grid grid-cols-2 gap-5 lg:grid-cols-4">
        <Stat label={whole ? "Points" : "Points of the files below"}>{formatCount(points)}</Stat>
        <Stat label={whole ? "Accepted files" : "Files below"}>{formatCount(rows.length)}</Stat>
        {ended && (
          <>
            <Stat label="A point brought">
              <Amount plancks={ended.rate} most={9} />
            </Stat>
            <Stat label="Together" note="points × what a point brought">
              <Amount plancks={points * BigInt(ended.rate)} most={6} />
            </Stat>
          </>
        )}
      </dl>
    </Card>
  );
}

function Files({ rows, datanet }: { rows: readonly Submission[]; datanet: Datanet }) {
  return (
    <Table
      caption="Accepted files with their points"
      rows={rows}
      rowKey={(row) => row.id}
      columns={[
        {
          title: "Submission",
          cell: (row) => (
            <span className="whitespace-nowrap">
              <Link href={`/submissions/${row.id}`} className="link font-medium">
                {row.id}
              </Link>{" "}
              <span className="text-soft">.{row.media}</span>
            </span>
          ),
        },
        { title: "Score", align: "right", cell: ({ score }) => score },
        {
          title: "Units that count",
          align: "right",
          cell: (row) => {
            const { counted, capped } = sayPoints(row, datanet.maxUnits);
            return (
              <>
                {formatCount(counted)}
                {capped && <span className="text-soft"> of {formatCount(row.units ?? 0)}</span>}
              </>
            );
          },
        },
        {
          title: "Points",
          align: "right",
          cell: ({ points }) => <strong className="font-medium">{formatCount(points ?? 0)}</strong>,
        },
        { title: "Accepted", cell: (row) => <Time ms={(row.decided ?? row.submitted).time} /> },
        {
          title: "Content id",
          wide: true,
          cell: ({ content }) => <Copyable text={content} what="content id" />,
        },
      ]}
    />
  );
}

/** Why an account has its points in a Datanet: file by file. */
export default function WhyPage({ datanet: id = "", account = "" }: { datanet?: string; account?: string }) {
  const own = useAccount();
  const [search, setSearch] = useSearchParams();
  const which = readWhich(search.get("period"));
  const network = useNetwork();
  const datanet = useGet<Datanet>(["datanet", id], `/v1/datanets/${encodeURIComponent(id)}`);
  const found = datanet.data?.id;
  const options = usePeriodOptions(datanet.data, which);
  const why = useWhy(account, found ?? 0, found === undefined ? null : periodOf(which, network.data?.period));
  useLive(found === undefined ? null : `datanet:${found}`);
  return (
    <Page
      title="Why these points"
      about={
        <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <AccountName account={account} name={own?.address === account ? `You, ${own.name}` : undefined} />
          in
          <Link href={`/datanets/${encodeURIComponent(id)}`} className="link">
            {datanet.data?.name ?? `Datanet ${shorten(id, 9, 0)}`}
          </Link>
        </span>
      }
      actions={
        <ButtonLink href={`/leaderboard?datanet=${encodeURIComponent(id)}`}>The whole board</ButtonLink>
      }
    >
      <Loaded query={datanet}>
        {(known) => (
          <>
            <div className="max-w-sm">
              <SelectField
                label="Period"
                value={String(which)}
                onChange={(event) =>
                  setSearch(event.target.value === "all" ? {} : { period: event.target.value }, {
                    replace: true,
                  })
                }
                options={options}
              />
            </div>
            <Loaded
              query={which === "current" && !network.data ? { ...network, data: undefined } : why}
              isEmpty={(rows) => rows.length === 0}
              empty={
                <Card>
                  <EmptyState icon="board" title="No accepted file">
                    {which === "all"
                      ? "This account has no points in this Datanet."
                      : "This account earned no points in this period."}
                  </EmptyState>
                </Card>
              }
            >
              {(rows) => (
                <>
                  <Sum rows={rows} whole={!why.hasNextPage} datanet={known} which={which} />
                  <Card
                    title="File by file"
                    about={`Points are score × units. Of one file at most ${formatCount(known.maxUnits)} ${known.unit} count.`}
                    flush
                  >
                    <Files rows={rows} datanet={known} />
                    {why.hasNextPage && (
                      <div className="px-5 py-4 text-center">
                        <Button busy={why.isFetchingNextPage} onClick={() => void why.fetchNextPage()}>
                          More
                        </Button>
                      </div>
                    )}
                  </Card>
                </>
              )}
            </Loaded>
          </>
        )}
      </Loaded>
    </Page>
  );
}
