import { useState } from "react";
import { Link } from "wouter";
import type { ContributorShare, FileShare } from "@/api/types";
import { toast } from "@/app/toasts";
import { AdapterRevoked, RevokedBadge } from "@/components/Revoked";
import { Button, ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Icon } from "@/components/ui/Icon";
import { Notice } from "@/components/ui/Notice";
import { Page } from "@/components/ui/Page";
import { Skeleton } from "@/components/ui/Skeleton";
import { ErrorState, Loaded } from "@/components/ui/States";
import { Table } from "@/components/ui/Table";
import { AccountName, Copyable, Stat } from "@/components/ui/Values";
import { formatCount, plural, shorten } from "@/lib/format";
import { describeProblem } from "@/lib/problem";
import { useAdapter, useAncestry, useDatanets, useModels } from "@/training/queries";
import { modelName } from "@/training/words";
import { attributionCsv, percent, readFiles, useAttribution } from "./attribution.state";

/** Whose files made an adapter, with shares, down to each file. */
export default function AttributionPage({ id = "" }: Record<string, string>) {
  const number = Number(id);
  const known = /^\d{1,15}$/.test(id);
  const [contributor, setContributor] = useState<string>();
  const adapter = useAdapter(number, known);
  const files = useAttribution(number, contributor, known);
  const models = useModels();
  const first = files.data?.pages[0];
  if (!known || adapter.error) {
    return (
      <Page title={`Adapter ${id}`}>
        <ErrorState error={known ? adapter.error : `“${id}” is no number of an adapter`} />
      </Page>
    );
  }
  return (
    <Page
      title={`Who made adapter ${id}`}
      about={
        adapter.data && (
          <>
            An adapter of {modelName(models.data?.items, adapter.data.base)}. Shares go by units: how much
            text somebody gave, not how much it helped.
          </>
        )
      }
      actions={
        <>
          <ButtonLink href={`/runs/${id}`}>Its run</ButtonLink>
          <CsvButton adapter={number} />
        </>
      }
    >
      {adapter.data?.holdsRevoked && <AdapterRevoked adapter={number} here />}
      <Summary adapter={number} />
      {files.error && !first ? (
        <ErrorState error={files.error} retry={() => void files.refetch()} />
      ) : !first ? (
        <Card>
          <Skeleton lines={6} />
        </Card>
      ) : (
        <>
          <Card flush title="Contributors" about="Press a count of files to see only those below.">
            <Shares
              shares={first.shares}
              parts={first.parts}
              onChoose={setContributor}
              chosen={contributor}
            />
            {first.contributors > first.shares.length && (
              <p className="px-5 py-3 text-sm text-soft">
                The {formatCount(first.shares.length)} largest of {formatCount(first.contributors)} are shown.
              </p>
            )}
          </Card>
          <Card
            flush
            title="Files"
            about={
              contributor
                ? `Those of ${shorten(contributor)}`
                : first.leftOut === 0
                  ? "In the order in which they were trained on"
                  : `In the order in which they were trained on. ${plural(first.leftOut, "file")} had been revoked before: left out, without a share.`
            }
            actions={
              contributor && (
                <Button size="small" onClick={() => setContributor(undefined)}>
                  Show all
                </Button>
              )
            }
          >
            <Files files={files.data?.pages.flatMap((page) => page.items) ?? []} parts={first.parts} />
            {files.hasNextPage && (
              <div className="border-t border-line p-4 text-center">
                <Button busy={files.isFetchingNextPage} onClick={() => void files.fetchNextPage()}>
                  Show more
                </Button>
              </div>
            )}
          </Card>
        </>
      )}
    </Page>
  );
}

function Summary({ adapter }: { adapter: number }) {
  const found = useAdapter(adapter);
  const ancestry = useAncestry(adapter);
  const files = useAttribution(adapter, undefined, true);
  const first = files.data?.pages[0];
  return (
    <Card>
      <div className="grid gap-5">
        <Loaded query={found} skeleton={<Skeleton lines={2} />}>
          {(data) => (
            <dl className="grid grid-cols-2 gap-5 sm:grid-cols-4">
              <Stat label="Contributors">{first ? formatCount(first.contributors) : "–"}</Stat>
              <Stat label="Files">{first ? formatCount(first.files) : "–"}</Stat>
              <Stat label="Tokens trained on">{formatCount(data.tokens)}</Stat>
              <Stat label="Adapter’s SHA-256">
                <span className="text-sm font-normal">
                  <Copyable text={data.sha256} what="hash of the adapter" />
                </span>
              </Stat>
            </dl>
          )}
        </Loaded>
        {ancestry.data && ancestry.data.length > 0 && (
          <Notice title="It was trained further from another adapter">
            Only its own run's files count here. Its ancestors have shares of their own:{" "}
            {ancestry.data.map((each, n) => (
              <span key={each}>
                {n > 0 && ", "}
                <Link href={`/attribution/${each}`} className="link">
                  adapter {each}
                </Link>
              </span>
            ))}
            . How much of each is left in it is not measured.
          </Notice>
        )}
      </div>
    </Card>
  );
}

function Shares({
  shares,
  parts,
  chosen,
  onChoose,
}: {
  shares: readonly ContributorShare[];
  parts: number;
  chosen: string | undefined;
  onChoose: (contributor: string | undefined) => void;
}) {
  return (
    <Table<ContributorShare>
      caption="Contributors by share"
      rows={shares}
      rowKey={(share) => share.contributor}
      columns={[
        { title: "Contributor", cell: (share) => <AccountName account={share.contributor} /> },
        {
          title: "Share",
          className: "w-2/5",
          cell: (share) => (
            <div className="grid min-w-28 gap-1">
              <span className="tabular font-medium">{percent(share.share, parts)}</span>
              <svg
                viewBox="0 0 100 4"
                preserveAspectRatio="none"
                aria-hidden="true"
                className="h-1.5 w-full rounded-full bg-sunken"
              >
                <rect width={(100 * share.share) / parts} height="4" className="fill-accent" />
              </svg>
            </div>
          ),
        },
        { title: "Units", align: "right", wide: true, cell: (share) => formatCount(share.units) },
        {
          title: "Files",
          align: "right",
          cell: (share) => (
            <Button
              size="small"
              look="quiet"
              aria-pressed={chosen === share.contributor}
              onClick={() => onChoose(chosen === share.contributor ? undefined : share.contributor)}
            >
              {plural(share.files, "file")}
            </Button>
          ),
        },
      ]}
    />
  );
}

function Files({ files, parts }: { files: readonly FileShare[]; parts: number }) {
  const datanets = useDatanets();
  return (
    <Table<FileShare>
      caption="Files with their shares"
      rows={files}
      rowKey={(file) => file.id}
      columns={[
        {
          title: "Submission",
          cell: (file) => (
            <span className="whitespace-nowrap">
              <Link href={`/submissions/${file.id}`} className="link">
                {file.id}
              </Link>{" "}
              <span className="text-soft">.{file.media}</span> {file.revoked && <RevokedBadge />}
            </span>
          ),
        },
        {
          title: "Datanet",
          wide: true,
          cell: (file) => datanets.data?.items.find(({ id }) => id === file.datanet)?.name ?? file.datanet,
        },
        { title: "Contributor", wide: true, cell: (file) => <AccountName account={file.contributor} /> },
        { title: "SHA-256", wide: true, cell: (file) => <Copyable text={file.sha256} what="hash" /> },
        {
          title: "Units",
          align: "right",
          cell: (file) => (file.units === null ? "–" : formatCount(file.units)),
        },
        { title: "Share", align: "right", cell: (file) => percent(file.share, parts) },
      ]}
    />
  );
}

function CsvButton({ adapter }: { adapter: number }) {
  const [busy, setBusy] = useState(false);
  const save = async () => {
    setBusy(true);
    try {
      const { files, parts } = await readFiles(adapter);
      const url = URL.createObjectURL(new Blob([attributionCsv(files, parts)], { type: "text/csv" }));
      const link = document.createElement("a");
      link.href = url;
      link.download = `adapter-${adapter}-attribution.csv`;
      link.click();
      URL.revokeObjectURL(url);
    } catch (error) {
      const { title, next } = describeProblem(error);
      toast(next ? `${title}. ${next}` : title, "bad");
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button busy={busy} onClick={() => void save()} icon={<Icon name="download" />}>
      CSV
    </Button>
  );
}
