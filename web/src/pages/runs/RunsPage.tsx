import { useState } from "react";
import { Link, useLocation } from "wouter";
import { useAccount } from "@/accounts/state";
import { useLive } from "@/api/stream";
import type { Job } from "@/api/types";
import { Button, ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { SelectField } from "@/components/ui/Field";
import { Icon } from "@/components/ui/Icon";
import { Page } from "@/components/ui/Page";
import { EmptyState, Loaded } from "@/components/ui/States";
import { Table } from "@/components/ui/Table";
import { AccountName, Amount, Time } from "@/components/ui/Values";
import { useDatanets, useJobs, useModels } from "@/training/queries";
import { StateBadge } from "@/training/StateBadge";
import { datasetWords, jobTopics, methodName, modelName, states } from "@/training/words";
import { compareAddress, MOST_COMPARED } from "./runs.state";

/** Every training job, or one's own. */
export default function RunsPage() {
  const account = useAccount();
  const [whose, setWhose] = useState("all");
  const [state, setState] = useState("");
  const [chosen, setChosen] = useState<readonly number[]>([]);
  const [, go] = useLocation();
  const own = whose === "own" && account;
  const jobs = useJobs({ owner: own ? account.address : undefined, state: state || undefined });
  const models = useModels();
  const datanets = useDatanets();
  useLive(...jobTopics);
  const nameOf = (id: number) => datanets.data?.items.find((datanet) => datanet.id === id)?.name;
  const choose = (id: number, on: boolean) =>
    setChosen((now) => (on ? [...now, id].slice(-MOST_COMPARED) : now.filter((each) => each !== id)));

  return (
    <Page
      title="Runs"
      about="Each is a job on the chain: what it trains, on which versions of which Datanets, for how much."
      actions={
        <ButtonLink href="/factory" look="primary" icon={<Icon name="plus" />}>
          New run
        </ButtonLink>
      }
    >
      <Card
        flush
        title="Jobs"
        actions={
          <Button
            size="small"
            disabled={chosen.length < 2}
            onClick={() => go(compareAddress(chosen))}
            icon={<Icon name="runs" className="size-4" />}
          >
            Compare {chosen.length > 1 ? chosen.length : ""}
          </Button>
        }
      >
        <div className="grid gap-4 px-5 pb-4 sm:grid-cols-2 lg:max-w-xl">
          <SelectField
            label="Whose"
            value={own ? "own" : "all"}
            disabled={!account}
            onChange={(event) => setWhose(event.target.value)}
            options={[
              { value: "all", label: "Everybody's" },
              { value: "own", label: account ? "Mine" : "Mine (choose an account first)" },
            ]}
          />
          <SelectField
            label="State"
            value={state}
            onChange={(event) => setState(event.target.value)}
            options={[
              { value: "", label: "Any" },
              ...states.map(({ state: value, label }) => ({ value, label })),
            ]}
          />
        </div>
        <Loaded
          query={jobs}
          isEmpty={(data) => data.length === 0}
          empty={
            <EmptyState
              icon="runs"
              title={own || state ? "No job is like that" : "Nothing was trained here yet"}
              actions={
                <ButtonLink href="/factory" look="primary">
                  Train a model
                </ButtonLink>
              }
            >
              A job names a base model, Datanets at their versions, settings and a budget.
            </EmptyState>
          }
        >
          {(data) => (
            <>
              <Table<Job>
                caption="Training jobs"
                rows={data}
                rowKey={(job) => job.id}
                columns={[
                  {
                    title: "Compare",
                    cell: (job) => (
                      <input
                        type="checkbox"
                        aria-label={`Compare run ${job.id}`}
                        checked={chosen.includes(job.id)}
                        onChange={(event) => choose(job.id, event.target.checked)}
                        className="size-4 accent-accent"
                      />
                    ),
                  },
                  {
                    title: "Run",
                    cell: (job) => (
                      <Link href={`/runs/${job.id}`} className="link font-medium">
                        {job.id}
                      </Link>
                    ),
                  },
                  { title: "State", cell: (job) => <StateBadge state={job.state} /> },
                  {
                    title: "Trains",
                    cell: (job) => (
                      <div className="sm:min-w-40">
                        {methodName(job.spec.method)} of {modelName(models.data?.items, job.base)}
                        {job.parent !== null && (
                          <span className="text-soft">, from adapter {job.parent}</span>
                        )}
                        <div className="text-xs text-soft">{datasetWords(job.datasets, nameOf)}</div>
                      </div>
                    ),
                  },
                  { title: "Owner", wide: true, cell: (job) => <AccountName account={job.owner} /> },
                  {
                    title: "Price",
                    align: "right",
                    wide: true,
                    cell: (job) =>
                      job.price ? (
                        <Amount plancks={job.price} />
                      ) : (
                        <span className="text-soft">not fixed</span>
                      ),
                  },
                  {
                    title: "Changed",
                    align: "right",
                    wide: true,
                    cell: (job) => <Time ms={job.updated.time} />,
                  },
                ]}
              />
              {jobs.hasNextPage && (
                <div className="border-t border-line p-4 text-center">
                  <Button busy={jobs.isFetchingNextPage} onClick={() => void jobs.fetchNextPage()}>
                    Show more
                  </Button>
                </div>
              )}
            </>
          )}
        </Loaded>
      </Card>
    </Page>
  );
}
