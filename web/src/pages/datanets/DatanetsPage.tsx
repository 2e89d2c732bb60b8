import { useDeferredValue } from "react";
import { Link, useSearchParams } from "wouter";
import { useList } from "@/api/queries";
import { useLive } from "@/api/stream";
import type { Datanet } from "@/api/types";
import { Badge } from "@/components/ui/Badge";
import { Button, ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Field, SelectField } from "@/components/ui/Field";
import { Icon } from "@/components/ui/Icon";
import { Page } from "@/components/ui/Page";
import { EmptyState, Loaded } from "@/components/ui/States";
import { Amount } from "@/components/ui/Values";
import { formatCount, plural } from "@/lib/format";

function DatanetCard({ datanet }: { datanet: Datanet }) {
  const { id, name, modality, counts, contributors, pool } = datanet;
  return (
    <Link
      href={`/datanets/${id}`}
      className="grid min-w-0 content-start gap-3 rounded-card border border-line bg-surface p-5 shadow-card transition-colors hover:border-line-strong"
    >
      <div className="flex items-start justify-between gap-3">
        <h2 className="min-w-0 font-semibold break-words">{name}</h2>
        <Badge tone="accent">{modality}</Badge>
      </div>
      <dl className="grid grid-cols-3 gap-3 text-sm">
        {(
          [
            ["Accepted", counts.accepted],
            ["In review", counts.pending],
            ["Contributors", contributors],
          ] as const
        ).map(([label, count]) => (
          <div key={label} className="min-w-0">
            <dt className="text-xs text-soft">{label}</dt>
            <dd className="tabular font-medium">{formatCount(count)}</dd>
          </div>
        ))}
      </dl>
      <p className="text-sm text-soft">
        {pool && pool.available !== "0" ? (
          <>
            <span className="text-ink">
              <Amount plancks={pool.available} />
            </span>{" "}
            in the pool
          </>
        ) : (
          "No OPEN in the pool"
        )}
      </p>
    </Link>
  );
}

const modalities = [
  { value: "", label: "Any" },
  { value: "text", label: "Text" },
  { value: "image", label: "Images" },
  { value: "audio", label: "Audio" },
];

/** All Datanets. What is searched for stands in the address, so that it can be sent to somebody. */
export default function DatanetsPage() {
  const [parameters, setParameters] = useSearchParams();
  const search = parameters.get("search") ?? "";
  const modality = parameters.get("modality") ?? "";
  const set = (name: string, value: string) =>
    setParameters(
      (old) => {
        const next = new URLSearchParams(old);
        if (value) next.set(name, value);
        else next.delete(name);
        return next;
      },
      { replace: true },
    );
  const list = useList<Datanet>(["datanets"], "/v1/datanets", {
    // Not for each key that is pressed while an answer is drawn.
    search: useDeferredValue(search.trim()) || undefined,
    modality: modalities.some(({ value }) => value === modality) ? modality || undefined : undefined,
  });
  useLive("kind:Datanets.DatanetCreated");
  return (
    <Page
      title="Datanets"
      about="Each collects files of one kind on one topic, and pays for those that are accepted."
      actions={
        <ButtonLink href="/datanets/new" look="primary" icon={<Icon name="plus" className="size-4" />}>
          Create a Datanet
        </ButtonLink>
      }
    >
      <search className="grid gap-4 sm:grid-cols-[minmax(0,1fr)_12rem]">
        <Field
          label="Search by name"
          type="search"
          maxLength={64}
          value={search}
          onChange={(event) => set("search", event.target.value)}
        />
        <SelectField
          label="Kind of files"
          value={modality}
          onChange={(event) => set("modality", event.target.value)}
          options={modalities}
        />
      </search>
      <Loaded
        query={list}
        isEmpty={(rows) => rows.length === 0}
        empty={
          <Card>
            {search || modality ? (
              <EmptyState
                icon="search"
                title="No Datanet matches"
                actions={<Button onClick={() => setParameters({})}>Show all</Button>}
              >
                Its name may be written otherwise.
              </EmptyState>
            ) : (
              <EmptyState icon="datanets" title="There is no Datanet yet">
                Whoever creates one says what it collects and who judges it.
              </EmptyState>
            )}
          </Card>
        }
      >
        {(rows) => (
          <>
            <p className="sr-only" role="status">
              {plural(rows.length, "Datanet")} shown
            </p>
            <div className="grid grid-cols-[minmax(0,1fr)] gap-4 sm:grid-cols-2 lg:grid-cols-3">
              {rows.map((datanet) => (
                <DatanetCard key={datanet.id} datanet={datanet} />
              ))}
            </div>
            {list.hasNextPage && (
              <Button
                className="justify-self-center"
                busy={list.isFetchingNextPage}
                onClick={() => void list.fetchNextPage()}
              >
                More
              </Button>
            )}
          </>
        )}
      </Loaded>
    </Page>
  );
}
