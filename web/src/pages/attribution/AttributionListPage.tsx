import { Link } from "wouter";
import { useLive } from "@/api/stream";
import type { Adapter } from "@/api/types";
import { RevokedBadge } from "@/components/Revoked";
import { ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Page } from "@/components/ui/Page";
import { EmptyState, Loaded } from "@/components/ui/States";
import { Table } from "@/components/ui/Table";
import { AccountName, Time } from "@/components/ui/Values";
import { useAdapters, useDatanets, useModels } from "@/training/queries";
import { datasetWords, modelName } from "@/training/words";

/** Every adapter, on the way to whose files made it. */
export default function AttributionListPage() {
  const adapters = useAdapters();
  const models = useModels();
  const datanets = useDatanets();
  useLive("kind:Training.JobCompleted");
  const nameOf = (id: number) => datanets.data?.items.find((datanet) => datanet.id === id)?.name;
  return (
    <Page
      title="Attribution"
      about="Each adapter names the versions of the Datanets that it was trained on, and these name their files. So whose files made it can be read and proved."
    >
      <Card flush title="Adapters">
        <Loaded
          query={adapters}
          isEmpty={(data) => data.items.length === 0}
          empty={
            <EmptyState
              icon="attribution"
              title="There is no adapter yet"
              actions={
                <ButtonLink href="/factory" look="primary">
                  Train one
                </ButtonLink>
              }
            >
              An adapter is registered when its run is completed.
            </EmptyState>
          }
        >
          {(data) => (
            <Table<Adapter>
              caption="Adapters"
              rows={data.items}
              rowKey={(adapter) => adapter.id}
              columns={[
                {
                  title: "Adapter",
                  cell: (adapter) => (
                    <span className="inline-flex flex-wrap items-center gap-2">
                      <Link href={`/attribution/${adapter.id}`} className="link font-medium">
                        {adapter.id}
                      </Link>
                      {adapter.holdsRevoked && <RevokedBadge adapter />}
                    </span>
                  ),
                },
                { title: "Base model", cell: (adapter) => modelName(models.data?.items, adapter.base) },
                { title: "Trained on", cell: (adapter) => datasetWords(adapter.datasets, nameOf) },
                { title: "Owner", wide: true, cell: (adapter) => <AccountName account={adapter.owner} /> },
                {
                  title: "Registered",
                  align: "right",
                  wide: true,
                  cell: (adapter) => <Time ms={adapter.registered.time} />,
                },
              ]}
            />
          )}
        </Loaded>
      </Card>
    </Page>
  );
}
