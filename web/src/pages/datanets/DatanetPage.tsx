import { useAccount } from "@/accounts/state";
import { useGet, useList } from "@/api/queries";
import { useLive } from "@/api/stream";
import type { BoardEntry, Datanet } from "@/api/types";
import { Badge } from "@/components/ui/Badge";
import { ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Notice } from "@/components/ui/Notice";
import { Page } from "@/components/ui/Page";
import { EmptyState, Loaded } from "@/components/ui/States";
import { Table } from "@/components/ui/Table";
import { AccountName, Copyable, Facts, Stat, Time } from "@/components/ui/Values";
import { formatBytes, formatCount, plural } from "@/lib/format";
import { MOST_REVOKED, useRevoked } from "@/training/queries";
import { sayAdmission } from "./admission.state";
import { CuratorsCard } from "./CuratorsCard";
import { useRoot } from "./datanet.state";
import { FundCard } from "./FundCard";
import { FundersCard } from "./FundersCard";
import { AboutCard, OwnerCard, StandingNotice } from "./OwnerCard";
import { barReasons, type Details, useBar, useDetails } from "./owner.state";
import { PoolCard } from "./PoolCard";
import { Verdicts } from "./Verdicts";

function Numbers({ datanet }: { datanet: Datanet }) {
  const { counts, contributors, units, unit } = datanet;
  return (
    <Card>
      <dl className="grid grid-cols-2 gap-5 lg:grid-cols-4">
        <Stat label="Accepted" note={`${formatCount(units)} ${unit}`}>
          {formatCount(counts.accepted)}
        </Stat>
        <Stat label="In review">{formatCount(counts.pending)}</Stat>
        <Stat label="Refused">{formatCount(counts.rejected)}</Stat>
        <Stat label="Contributors">{formatCount(contributors)}</Stat>
      </dl>
    </Card>
  );
}

function Rules({ datanet, details }: { datanet: Datanet; details: Details | null }) {
  const root = useRoot(datanet.id, datanet.leaves);
  const account = useAccount();
  const bar = useBar(datanet.id, account?.address).data;
  // The chain's own, where it has answered: its owner may change it.
  const limit = details ? details.caps : datanet.dailyLimit;
  return (
    <Card title="Rules" about="Kind and units never change.">
      {bar && (
        <div className="mb-4">
          <Notice tone="bad" title="Its owner barred your account">
            {barReasons[bar.reason]}.
          </Notice>
        </div>
      )}
      <Facts
        facts={[
          ["Formats", datanet.formats.map((format) => `.${format}`).join(", ")],
          ["Takes files of", sayAdmission(datanet)],
          ["A file needs", `${formatCount(datanet.minUnits)} ${datanet.unit} or more`],
          ["Paid up to", `${formatCount(datanet.maxUnits)} ${datanet.unit} a file`],
          [
            "All together a day",
            limit
              ? `${plural(limit.files, "file")}, ${formatBytes(limit.bytes)}${details ? `; one account ${details.share} % of it` : ""}`
              : "no limit of its own",
          ],
          ["Version", `${plural(datanet.leaves, "leaf", "leaves")}: one for each accepted file`],
          ...(root.data ? ([["Root", <Copyable key="root" text={root.data} what="root" />]] as const) : []),
          ["Created", <Time key="created" ms={datanet.created.time} />],
        ]}
      />
    </Card>
  );
}

/** That files of a Datanet were revoked, and what follows. Nothing where none was. */
function RevokedNotice({ datanet }: { datanet: Datanet }) {
  const leaves = useRevoked(datanet.leaves > 0 ? [datanet.id] : []).data?.get(datanet.id);
  if (!leaves || leaves.length === 0) return null;
  const many = leaves.length < MOST_REVOKED ? plural(leaves.length, "file") : `${MOST_REVOKED} files or more`;
  return (
    <Notice tone="warn" title={`${many} of it ${leaves.length === 1 ? "was" : "were"} revoked`}>
      The permission to train on {leaves.length === 1 ? "it" : "them"} was taken back. New jobs leave{" "}
      {leaves.length === 1 ? "it" : "them"} out and train on the others. Adapters that were trained on{" "}
      {leaves.length === 1 ? "it" : "them"} say so.
    </Notice>
  );
}

function Board({ datanet }: { datanet: number }) {
  const list = useList<BoardEntry>(["datanet", datanet, "board"], `/v1/datanets/${datanet}/board`, {
    period: "all",
    limit: 5,
  });
  return (
    <Card
      title="Board"
      about="The most points of all time."
      flush
      actions={
        <ButtonLink href={`/leaderboard?datanet=${datanet}`} size="small">
          Whole board
        </ButtonLink>
      }
    >
      <Loaded
        query={list}
        isEmpty={(rows) => rows.length === 0}
        empty={<EmptyState icon="board" title="Nobody has points yet" />}
      >
        {(rows) => (
          <Table
            caption="The accounts with the most points"
            rows={rows}
            rowKey={({ account }) => account}
            columns={[
              { title: "Rank", cell: ({ rank }) => rank },
              { title: "Account", cell: ({ account }) => <AccountName account={account} /> },
              { title: "Files", align: "right", wide: true, cell: ({ files }) => formatCount(files) },
              { title: "Points", align: "right", cell: ({ points }) => formatCount(points) },
            ]}
          />
        )}
      </Loaded>
    </Card>
  );
}

/** One Datanet: what it takes, who judges, what it pays. */
export default function DatanetPage({ id = "" }: { id?: string }) {
  const account = useAccount();
  const datanet = useGet<Datanet>(["datanet", id], `/v1/datanets/${encodeURIComponent(id)}`);
  useLive(/^\d+$/.test(id) ? `datanet:${id}` : null);
  const data = datanet.data;
  const details = useDetails(data?.id ?? 0, data !== undefined).data;
  return (
    <Page
      title={data?.name ?? `Datanet ${id}`}
      about={
        data && (
          <span className="inline-flex flex-wrap items-center gap-2">
            <Badge tone="accent">{data.modality}</Badge>
            {details && details.status !== "Open" && (
              <Badge tone="warn">{details.status === "Paused" ? "paused" : "closed"}</Badge>
            )}{" "}
            Datanet {data.id}
          </span>
        )
      }
      actions={
        data && (
          <>
            {account && data.curators.includes(account.address) && (
              <ButtonLink href={`/review?datanet=${data.id}`}>Review</ButtonLink>
            )}
            {details?.status !== "Closed" && (
              <ButtonLink href={`/contribute?datanet=${data.id}`} look="primary">
                Contribute
              </ButtonLink>
            )}
          </>
        )
      }
    >
      <Loaded query={datanet}>
        {(found) => (
          <>
            {details && <StandingNotice datanet={found} details={details} />}
            <RevokedNotice datanet={found} />
            <Numbers datanet={found} />
            <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-6 lg:grid-cols-2">
              <div className="grid grid-cols-[minmax(0,1fr)] gap-6">
                <PoolCard pool={found.pool} />
                <FundersCard datanet={found} />
                <Board datanet={found.id} />
                <Verdicts datanet={found.id} />
              </div>
              {/* On a phone what the Datanet takes comes before who gave it what. */}
              <div className="grid grid-cols-[minmax(0,1fr)] gap-6 max-lg:order-first">
                {details && <AboutCard details={details} />}
                <Rules datanet={found} details={details ?? null} />
                <CuratorsCard datanet={found} />
                {details?.status !== "Closed" && <FundCard key={found.id} datanet={found} />}
                {details && <OwnerCard datanet={found} details={details} />}
              </div>
            </div>
          </>
        )}
      </Loaded>
    </Page>
  );
}
