import { useQueries } from "@tanstack/react-query";
import { useSearch } from "wouter";
import { request } from "@/api/request";
import { useLive } from "@/api/stream";
import type { JobDetail } from "@/api/types";
import { ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Page } from "@/components/ui/Page";
import { Skeleton } from "@/components/ui/Skeleton";
import { EmptyState, ErrorState } from "@/components/ui/States";
import { useCurvesOf } from "@/training/followMetrics";
import { useDatanets, useModels } from "@/training/queries";
import { RunCurves } from "@/training/RunCurves";
import { SettingsTable } from "@/training/SettingsTable";
import { compare, type Difference } from "@/training/settings";
import { datasetWords, modelName, stateOf } from "@/training/words";
import { comparedRuns } from "./runs.state";

/** Up to four runs over each other, and what differs in their settings. */
export default function ComparePage() {
  const runs = comparedRuns(useSearch());
  const jobs = useQueries({
    queries: runs.map((id) => ({
      queryKey: ["job", id, {}],
      queryFn: ({ signal }: { signal: AbortSignal }) => request<JobDetail>(`/v1/jobs/${id}`, { signal }),
    })),
  });
  const models = useModels();
  const datanets = useDatanets();
  const curves = useCurvesOf(runs);
  useLive(...runs.map((id) => `job:${id}`));
  const failed = jobs.find(({ error }) => error);
  const loaded = jobs.flatMap(({ data }) => (data ? [data] : []));
  const nameOf = (id: number) => datanets.data?.items.find((datanet) => datanet.id === id)?.name;
  const line = (label: string, read: (job: JobDetail) => string): Difference => {
    const values = loaded.map(read);
    return { label, values, differ: new Set(values).size > 1 };
  };
  const loss = (value: number | undefined) => (value === undefined ? "–" : value.toFixed(4));

  return (
    <Page
      title="Compare runs"
      about="Curves are what the workers reported; settings and results stand on the chain."
      actions={<ButtonLink href="/runs">All runs</ButtonLink>}
    >
      {runs.length === 0 ? (
        <Card>
          <EmptyState
            icon="runs"
            title="No run is chosen"
            actions={
              <ButtonLink href="/runs" look="primary">
                Choose runs
              </ButtonLink>
            }
          >
            Mark two to four runs in the list and press Compare.
          </EmptyState>
        </Card>
      ) : failed ? (
        <ErrorState error={failed.error} retry={() => void failed.refetch()} />
      ) : (
        <>
          <Card title="Curves" about="Reported by the workers">
            <RunCurves
              runs={runs.map((id, n) => ({ name: `run ${id}`, run: curves[n]?.curves.runs.at(-1) }))}
            />
          </Card>
          <Card flush title="Settings" about="What differs comes first and is marked.">
            {loaded.length < runs.length ? (
              <div className="p-5">
                <Skeleton lines={6} />
              </div>
            ) : (
              <SettingsTable
                runs={runs}
                lines={[
                  line("State", (job) => stateOf(job.state).label),
                  line("Held-out loss before", (job) => loss(job.result?.evalLossBefore)),
                  line("Held-out loss after", (job) => loss(job.result?.evalLossAfter)),
                  line("Base model", (job) => modelName(models.data?.items, job.base)),
                  line("Datanets", (job) => datasetWords(job.datasets, nameOf)),
                  line("Parent adapter", (job) => (job.parent === null ? "none" : String(job.parent))),
                  line("Token ceiling", (job) => job.tokenCeiling.toLocaleString("en")),
                  ...compare(loaded.map((job) => job.spec)),
                ].sort((one, other) => Number(other.differ) - Number(one.differ))}
              />
            )}
          </Card>
        </>
      )}
    </Page>
  );
}
