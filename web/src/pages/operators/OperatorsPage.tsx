import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { useAccount } from "@/accounts/state";
import { useLive } from "@/api/stream";
import type { Worker } from "@/api/types";
import { transact } from "@/chain/transactions";
import { CodeBlock } from "@/components/CodeBlock";
import { Badge } from "@/components/ui/Badge";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { CheckField } from "@/components/ui/Field";
import { Page } from "@/components/ui/Page";
import { EmptyState, Loaded } from "@/components/ui/States";
import { Table } from "@/components/ui/Table";
import { AccountName, Amount, NotYet, Stat } from "@/components/ui/Values";
import { formatCount, formatDuration, formatOpen, plural } from "@/lib/format";
import { useJobs, useModels, useWorkers } from "@/training/queries";
import { familyName, jobTopics, methodName, modelName } from "@/training/words";
import { queues, servesInWords, type Waiting, workerState } from "./operators.state";

const workerTopics = [
  "WorkerRegistered",
  "WorkerUpdated",
  "WorkerPaused",
  "WorkerResumed",
  "WorkerDeregistered",
];
const BLOCK = 3000;

/** Who trains: workers, queues, what they earn, how to join. */
export default function OperatorsPage() {
  const workers = useWorkers();
  const [gone, setGone] = useState(false);
  useLive(...jobTopics, ...workerTopics.map((name) => `kind:Training.${name}`));
  const registered = workers.data?.items.filter((worker) => worker.registered) ?? [];
  return (
    <Page
      title="Operators"
      about="Workers train what others pay for, on machines of their own. The chain gives them jobs, and pays them when the adapter is there."
    >
      <Own />
      <Card>
        <Loaded query={workers}>
          {({ items }) => (
            <dl className="grid grid-cols-2 gap-5 sm:grid-cols-4">
              <Stat label="Workers">{formatCount(registered.length)}</Stat>
              <Stat label="Idle">
                {formatCount(registered.filter((worker) => worker.job === null && !worker.paused).length)}
              </Stat>
              <Stat label="Jobs completed">
                {formatCount(items.reduce((sum, { completed }) => sum + completed, 0))}
              </Stat>
              <Stat label="Paid to workers">
                <Amount plancks={items.reduce((sum, { earned }) => sum + BigInt(earned), 0n)} />
              </Stat>
            </dl>
          )}
        </Loaded>
      </Card>
      <Queues />
      <Card
        flush
        title="Workers"
        about="An endpoint is what a worker writes; anyone can write anything."
        actions={
          <CheckField
            label="Show those that left"
            checked={gone}
            onChange={(event) => setGone(event.target.checked)}
          />
        }
      >
        <Loaded
          query={workers}
          isEmpty={(data) => (gone ? data.items : registered).length === 0}
          empty={
            <EmptyState icon="operators" title="No worker is registered">
              Jobs wait until one comes, or until their deadline. Below is how to join.
            </EmptyState>
          }
        >
          {(data) => <Workers workers={gone ? data.items : registered} />}
        </Loaded>
      </Card>
      <Join />
    </Page>
  );
}

function Workers({ workers }: { workers: readonly Worker[] }) {
  const models = useModels();
  const nameOf = (base: number) => modelName(models.data?.items, base);
  return (
    <Table<Worker>
      caption="Workers"
      rows={workers}
      rowKey={(worker) => worker.account}
      columns={[
        { title: "Worker", cell: (worker) => <AccountName account={worker.account} /> },
        {
          title: "State",
          cell: (worker) => {
            const { label, tone } = workerState(worker);
            return (
              <span className="inline-flex items-center gap-2">
                <Badge tone={tone}>{label}</Badge>
                {worker.job !== null && (
                  <Link href={`/runs/${worker.job}`} className="link whitespace-nowrap">
                    run {worker.job}
                  </Link>
                )}
              </span>
            );
          },
        },
        {
          title: "Trains",
          wide: true,
          cell: (worker) => (
            <span className="block max-w-56 min-w-44 text-xs">
              {kindsInWords(worker.kinds)}
              {worker.endpoint && <span className="block break-all text-soft">{worker.endpoint}</span>}
            </span>
          ),
        },
        {
          title: "Takes",
          cell: (worker) => (
            <span className="block max-w-44 min-w-28 text-xs">{servesInWords(worker, nameOf)}</span>
          ),
        },
        {
          title: "Tokens/s",
          align: "right",
          cell: (worker) => formatCount(worker.tokensPerSecond),
        },
        {
          title: "Floor, a million tokens",
          align: "right",
          cell: (worker) => (
            <>
              <Amount plancks={BigInt(worker.pricePerToken) * 1_000_000n} />
              {worker.raiseTo !== null && (
                <span className="block text-xs text-soft">
                  soon <Amount plancks={BigInt(worker.raiseTo) * 1_000_000n} />
                </span>
              )}
            </>
          ),
        },
        { title: "Stake", align: "right", wide: true, cell: (worker) => <Amount plancks={worker.bond} /> },
        {
          title: "Done, lost, declined",
          align: "right",
          wide: true,
          cell: (worker) =>
            `${formatCount(worker.completed)}, ${formatCount(worker.timedOut)}, ${formatCount(worker.declined)}`,
        },
        { title: "Earned", align: "right", cell: (worker) => <Amount plancks={worker.earned} /> },
      ]}
    />
  );
}

function kindsInWords(kinds: Worker["kinds"]): string {
  const byMethod = new Map<string, string[]>();
  for (const { family, method } of kinds) {
    byMethod.set(method, [...(byMethod.get(method) ?? []), familyName(family)]);
  }
  // Methods that train the same families stand together.
  const byFamilies = new Map<string, string[]>();
  for (const [method, families] of byMethod) {
    const words = families.join(", ");
    byFamilies.set(words, [...(byFamilies.get(words) ?? []), methodName(method)]);
  }
  return [...byFamilies].map(([families, methods]) => `${methods.join(", ")}: ${families}`).join("; ");
}

function Queues() {
  const jobs = useJobs({ state: "queued" });
  const workers = useWorkers();
  const models = useModels();
  const families = models.data?.items.map(({ family }) => family) ?? [];
  return (
    <Card flush title="Queues" about="One for each kind, so that a job nobody can train holds up no other.">
      <Loaded
        query={jobs}
        isEmpty={(data) => queues(data, workers.data?.items ?? [], families).length === 0}
        empty={
          <EmptyState icon="operators" title="Nothing waits">
            A queue appears with the first base model or job of its kind.
          </EmptyState>
        }
      >
        {(data) => (
          <>
            <Table<Waiting>
              caption="Queues"
              rows={queues(data, workers.data?.items ?? [], families)}
              rowKey={({ family, method }) => `${family} ${method}`}
              columns={[
                {
                  title: "Kind",
                  cell: ({ family, method }) => `${familyName(family)}, ${methodName(method)}`,
                },
                { title: "Jobs that wait", align: "right", cell: ({ jobs: count }) => formatCount(count) },
                {
                  title: "Workers",
                  align: "right",
                  cell: ({ workers: count }) => (workers.data ? formatCount(count) : <NotYet />),
                },
                {
                  title: "Idle",
                  align: "right",
                  cell: ({ idle }) => (workers.data ? formatCount(idle) : <NotYet />),
                },
              ]}
            />
            {jobs.hasNextPage && (
              <p className="px-5 py-3 text-sm text-soft">
                The first {plural(data.length, "queued job")} are counted; there are more.
              </p>
            )}
          </>
        )}
      </Loaded>
    </Card>
  );
}

/** One's own worker, with what one can do about it. */
function Own() {
  const account = useAccount();
  const workers = useWorkers();
  const own = workers.data?.items.find((worker) => worker.account === account?.address && worker.registered);
  if (!account || !own) return null;
  const { label, tone } = workerState(own);
  const pause = () =>
    void transact(account, {
      title: "Pause the worker",
      words: "It takes no further jobs. One that it has goes on.",
      build: (api) => api.tx.Training.pause(),
    });
  const resume = () =>
    void transact(account, {
      title: "Resume",
      words: "It takes jobs again. What time-outs have cost of its stake is filled up.",
      build: (api) => api.tx.Training.resume(),
    });
  const leave = () =>
    void transact(account, {
      title: "Stop being a worker",
      words: (
        <>
          The stake of <Amount plancks={own.bond} /> is given back. It must have no job, and the windows of
          its results must have passed.
        </>
      ),
      build: (api) => api.tx.Training.deregister_worker(),
    });
  return (
    <Card
      title="Your worker"
      actions={
        <>
          <Button size="small" onClick={own.paused ? resume : pause}>
            {own.paused ? "Resume" : "Pause"}
          </Button>
          <Button size="small" look="danger" onClick={leave} disabled={own.job !== null}>
            Leave
          </Button>
        </>
      }
    >
      <dl className="grid grid-cols-2 gap-5 sm:grid-cols-4">
        <Stat label="State" note={own.job === null ? undefined : `run ${own.job}`}>
          <Badge tone={tone}>{label}</Badge>
        </Stat>
        <Stat label="Earned">
          <Amount plancks={own.earned} />
        </Stat>
        <Stat label="Stake">
          <Amount plancks={own.bond} />
        </Stat>
        <Stat label="Floor for a million tokens">
          <Amount plancks={BigInt(own.pricePerToken) * 1_000_000n} />
        </Stat>
      </dl>
    </Card>
  );
}

/** The chain's terms for workers. */
function useTerms() {
  return useQuery({
    queryKey: ["terms of workers"],
    queryFn: async () => {
      const { getChain } = await import("@/chain/client");
      const { Training } = getChain().api.constants;
      const [bond, penalty, take, heartbeat, challenge] = await Promise.all([
        Training.WorkerBond(),
        Training.PenaltyShare(),
        Training.TakeWindow(),
        Training.HeartbeatWindow(),
        Training.ChallengeWindow(),
      ]);
      return { bond, penalty, take, heartbeat, challenge };
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
}

function Join() {
  const terms = useTerms();
  const origin = window.location.origin;
  return (
    <Card title="How to join" about="A worker is one program on a machine with enough memory for the model.">
      <div className="grid gap-5">
        <Loaded query={terms}>
          {({ bond, penalty, take, heartbeat, challenge }) => (
            <ul className="grid list-disc gap-1.5 pl-5 text-sm">
              <li>A stake of {formatOpen(bond)} OPEN is held and comes back when you leave without a job.</li>
              <li>
                A job has to be begun within {formatDuration(take * BLOCK)}, and needs a sign of life every{" "}
                {formatDuration(heartbeat * BLOCK)}. Whoever lets its time pass loses {penalty / 10_000_000} %
                of the price and is paused; the program sees to both, and declines what it cannot do, which
                costs nothing.
              </li>
              <li>
                A job pays what it offers, {formatDuration(challenge * BLOCK)} after the adapter was posted.
                Your price is a floor: jobs below it go to others.
              </li>
              <li>
                Of workers that fit a job the one with the lowest floor gets it, then the one that lost the
                fewest, then the one that was idle longest.
              </li>
            </ul>
          )}
        </Loaded>
        <CodeBlock
          label="Run a worker"
          text={[
            "trainer-worker run \\",
            "    --key worker --node ws://NODE:9944 \\",
            "    --listen /ip4/0.0.0.0/tcp/4001 --peer MULTIADDR \\",
            "    --model MODEL.gguf --price 0.000001OPEN \\",
            `    --report ${origin}`,
          ].join("\n")}
        />
        <p className="text-sm text-soft">
          <code>trainer-worker run --help</code> lists every option, and <code>trainer-worker doctor</code>{" "}
          says what this machine can train. With <code>--report</code> job owners see curves here while it
          trains.
        </p>
      </div>
    </Card>
  );
}
