import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { Link } from "wouter";
import { useStatus } from "@/api/queries";
import { ApiError } from "@/api/request";
import { useLive } from "@/api/stream";
import type { JobDetail } from "@/api/types";
import { toast } from "@/app/toasts";
import { AdapterRevoked } from "@/components/Revoked";
import { Badge } from "@/components/ui/Badge";
import { Progress } from "@/components/ui/Bars";
import { Button, ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Icon } from "@/components/ui/Icon";
import { Notice } from "@/components/ui/Notice";
import { Page } from "@/components/ui/Page";
import { Skeleton } from "@/components/ui/Skeleton";
import { ErrorState } from "@/components/ui/States";
import { AccountName, Amount, Copyable, Facts, Stat, Time } from "@/components/ui/Values";
import { formatBytes, formatCount, formatDuration, plural } from "@/lib/format";
import { useNow } from "@/lib/now";
import { describeProblem } from "@/lib/problem";
import { downloadAdapter } from "@/training/download";
import { type Following, useCurves } from "@/training/followMetrics";
import { type Run, timeLeft } from "@/training/metrics";
import { useAdapter, useAncestry, useDatanets, useIsComing, useJob, useModels } from "@/training/queries";
import { RunCurves } from "@/training/RunCurves";
import { SettingsTable } from "@/training/SettingsTable";
import { StateBadge } from "@/training/StateBadge";
import { compare } from "@/training/settings";
import {
  failureWords,
  isOver,
  methodName,
  modelName,
  refusalWords,
  stateOf,
  timeline,
} from "@/training/words";
import { DisputeCard } from "./DisputeCard";
import { OwnerCard } from "./OwnerCard";
import { MOST_AHEAD, useOwnJob } from "./owner.state";
import { progress } from "./runs.state";

/** One run: state, curves, log, result. */
export default function RunPage({ id = "" }: Record<string, string>) {
  const number = Number(id);
  const known = /^\d{1,15}$/.test(id);
  const job = useJob(number, known);
  const { curves, following } = useCurves(known ? number : 0);
  useLive(known ? `job:${number}` : null);
  const run = curves.runs.at(-1);
  const unknown = job.error instanceof ApiError && job.error.status === 404;
  const coming = useIsComing(number, known && unknown);
  if (unknown && coming.data !== false && !coming.error) {
    return (
      <Page
        title={`Run ${id}`}
        about={coming.data && "In a block. It is shown once the block is final, in some seconds."}
      >
        <Card>
          <Skeleton lines={6} />
        </Card>
      </Page>
    );
  }
  if (!known || job.error) {
    return (
      <Page title={`Run ${id}`}>
        <ErrorState
          error={known ? job.error : `“${id}” is no number of a run`}
          retry={known ? () => void job.refetch() : undefined}
        />
      </Page>
    );
  }
  const data = job.data;
  return (
    <Page title={`Run ${id}`} about={data && <About job={data} />} actions={data && <Actions job={data} />}>
      {!data ? (
        <Card>
          <Skeleton lines={6} />
        </Card>
      ) : (
        <>
          {data.state === "completed" && <Revoked adapter={data.id} />}
          <StateCard job={data} run={run} />
          <OwnerCard job={data} />
          {data.result && <Result job={data} />}
          <DisputeCard job={data} />
          <Card
            title="Curves"
            about={
              <>
                Reported by the worker
                {curves.runs.length > 1 && `; of attempt ${(run?.attempt ?? 0) + 1}`}. What it cost and what
                came of it stands on the chain.
              </>
            }
            actions={!isOver(data) && <FollowBadge following={following} />}
          >
            <RunCurves runs={[{ name: "", run }]} />
            {run?.begun && <Begun run={run} />}
          </Card>
          <div className="grid items-start gap-6 lg:grid-cols-2">
            <Card title="Timeline" about="From the chain">
              <Timeline job={data} />
            </Card>
            <Card flush title="Settings" about="As they stand on the chain">
              <SettingsTable runs={[data.id]} lines={compare([data.spec])} />
            </Card>
          </div>
          <Card title="Log" about="The last lines that the worker told">
            <Log run={run} />
          </Card>
        </>
      )}
    </Page>
  );
}

/** That the adapter of a run was trained on what was revoked since; nothing where it was not. */
function Revoked({ adapter }: { adapter: number }) {
  const { data } = useAdapter(adapter);
  return data?.holdsRevoked ? <AdapterRevoked adapter={adapter} /> : null;
}

function About({ job }: { job: JobDetail }) {
  const models = useModels();
  const datanets = useDatanets();
  return (
    <>
      {methodName(job.spec.method)} of {modelName(models.data?.items, job.base)} on{" "}
      {job.datasets.map(({ datanet, leaves, leftOut }, n) => (
        <span key={datanet}>
          {n > 0 && ", "}
          <Link href={`/datanets/${datanet}`} className="link">
            {datanets.data?.items.find((each) => each.id === datanet)?.name ?? `Datanet ${datanet}`}
          </Link>{" "}
          at {plural(leaves, "file")}
          {leftOut > 0 && ` without ${formatCount(leftOut)} that ${leftOut === 1 ? "was" : "were"} revoked`}
        </span>
      ))}
    </>
  );
}

function Actions({ job }: { job: JobDetail }) {
  return (
    <>
      <ButtonLink href={`/factory?from=${job.id}`} icon={<Icon name="refresh" />}>
        Refine
      </ButtonLink>
      {job.state === "completed" && <ButtonLink href={`/agents/${job.id}`}>Its agent</ButtonLink>}
      {job.state === "completed" && (
        <ButtonLink href={`/chat?adapter=${job.id}`} look="primary" icon={<Icon name="chat" />}>
          Chat with it
        </ButtonLink>
      )}
    </>
  );
}

function StateCard({ job, run }: { job: JobDetail; run: Run | undefined }) {
  const now = useNow();
  const status = useStatus();
  const done = progress(job, run);
  const left = job.state === "training" && run ? timeLeft(run, now) : null;
  const last = run?.steps.at(-1);
  const best = status.data?.best;
  const steps = last
    ? `${formatCount(last.step)} of ${formatCount(last.totalSteps)} steps`
    : stepsOnChain(job);
  return (
    <Card>
      <div className="grid gap-5">
        <div className="flex flex-wrap items-center gap-3">
          <StateBadge state={job.state} />
          <span className="text-sm text-soft">{stateOf(job.state).means}</span>
        </div>
        {job.failure && (
          <Notice tone="bad" title={failureWords(job.failure)}>
            Its budget was given back{job.failure === "unusable" && ", and its deposit went to the treasury"}.
            “Refine” starts another one with the same settings.
          </Notice>
        )}
        {job.state === "training" && (
          <Progress
            label={left === null ? "Training" : `About ${formatDuration(left)} left, as the worker estimates`}
            value={done}
            shown={steps}
          />
        )}
        <dl className="grid grid-cols-2 gap-5 sm:grid-cols-4">
          <Stat label="Budget" note={isOver(job) ? "held while it ran" : "held now"}>
            <Amount plancks={job.budget} />
          </Stat>
          <Stat
            label="Pays for a million tokens"
            note={job.price ? "fixed when it was given to a worker" : "what it offers"}
          >
            <Amount plancks={BigInt(job.pricePerToken) * 1_000_000n} />
          </Stat>
          <Stat label="Token ceiling" note="the worker stops before it">
            {formatCount(job.tokenCeiling)}
          </Stat>
          <Stat
            label="Deadline"
            note={
              !isOver(job) && best
                ? `in about ${formatDuration(Math.max(0, job.deadline - best) * 3000)}`
                : " "
            }
          >
            block {formatCount(job.deadline)}
          </Stat>
        </dl>
        <Facts
          facts={[
            ["Owner", <AccountName key="owner" account={job.owner} />],
            ...(job.state === "queued"
              ? [["Place in the queue", <Place key="place" job={job.id} />] as const]
              : []),
            ["Worker", job.worker ? <AccountName key="worker" account={job.worker} /> : "none yet"],
            ...(job.attempts > 0 ? [["Gave it up", `${formatCount(job.attempts)} before`] as const] : []),
            ...job.refused.map(
              ({ worker, reason }) =>
                [
                  "Not offered again to",
                  <span key={worker}>
                    <AccountName account={worker} /> ({refusalWords(reason)})
                  </span>,
                ] as const,
            ),
            ...(job.parent !== null || job.state === "completed"
              ? [["Ancestry", <Ancestry key="ancestry" job={job} />] as const]
              : []),
          ]}
        />
      </div>
    </Card>
  );
}

/** How many jobs get a worker before one that waits. */
function Place({ job }: { job: number }) {
  const own = useOwnJob(job, true).data;
  if (!own) return <>not known yet</>;
  if (own.ahead === null) return <>no longer waiting</>;
  if (own.ahead === 0) return <>the next one, as soon as a worker fits</>;
  if (own.ahead >= MOST_AHEAD) return <>more than {formatCount(MOST_AHEAD)} jobs before it</>;
  return <>{plural(own.ahead, "job")} for this model and method before it</>;
}

function stepsOnChain(job: JobDetail): string {
  if (job.step === null || !job.totalSteps) return "no step yet";
  return `${formatCount(job.step)} of ${formatCount(job.totalSteps)} steps`;
}

function Ancestry({ job }: { job: JobDetail }) {
  const ancestry = useAncestry(job.id);
  if (job.parent === null) return <>a fresh adapter</>;
  const line = ancestry.data ?? [job.parent];
  return (
    <span className="flex flex-wrap items-center gap-1.5">
      {line.map((adapter, n) => (
        <span key={adapter} className="inline-flex items-center gap-1.5">
          {n > 0 && <Icon name="chevronRight" className="size-3.5 text-soft" />}
          <Link href={`/runs/${adapter}`} className="link">
            adapter {adapter}
          </Link>
        </span>
      ))}
      <Icon name="chevronRight" className="size-3.5 text-soft" />
      <span className="text-soft">the base model</span>
    </span>
  );
}

function Result({ job }: { job: JobDetail }) {
  const { result } = job;
  const download = useMutation({
    mutationFn: downloadAdapter,
    onError: (error) => toast(describeProblem(error).title, "bad"),
  });
  if (!result) return null;
  const less = result.evalLossBefore - result.evalLossAfter;
  return (
    <Card
      title="Result"
      actions={
        job.state === "completed" && (
          <>
            <ButtonLink
              size="small"
              href={`/attribution/${job.id}`}
              icon={<Icon name="attribution" className="size-4" />}
            >
              Whose files made it
            </ButtonLink>
            <Button
              size="small"
              busy={download.isPending}
              onClick={() => download.mutate(job)}
              icon={<Icon name="download" className="size-4" />}
            >
              Download
            </Button>
          </>
        )
      }
    >
      <div className="grid gap-5">
        <dl className="grid grid-cols-2 gap-5 sm:grid-cols-4">
          <Stat label="Held-out loss before" note="nats a token">
            {result.evalLossBefore.toFixed(4)}
          </Stat>
          <Stat
            label="Held-out loss after"
            note={less >= 0 ? `${less.toFixed(4)} lower` : `${(-less).toFixed(4)} higher`}
          >
            {result.evalLossAfter.toFixed(4)}
          </Stat>
          <Stat label="Tokens trained on">{formatCount(result.tokens)}</Stat>
          <Stat label="Size">{formatBytes(result.size)}</Stat>
        </dl>
        <Facts
          facts={[
            ["SHA-256", <Copyable key="sha256" text={result.sha256} what="hash of the adapter" whole />],
            ["On IPFS", <Copyable key="cid" text={result.content} what="content id" whole />],
            [
              "Root of its data",
              <Copyable key="root" text={result.datasetRoot} what="root of the data" whole />,
            ],
          ]}
        />
      </div>
    </Card>
  );
}

function FollowBadge({ following }: { following: Following }) {
  if (following === "live") return <Badge tone="good">live</Badge>;
  return (
    <Badge tone={following === "broken" ? "warn" : "neutral"}>
      {following === "broken" ? "reconnecting" : "connecting"}
    </Badge>
  );
}

function Begun({ run }: { run: Run }) {
  const { begun } = run;
  if (!begun) return null;
  return (
    <p className="mt-5 text-sm text-soft">
      {formatCount(begun.train)} examples trained on, {formatCount(begun.heldOut)} held out;{" "}
      {formatCount(begun.parameters)} trainable parameters; {formatCount(begun.totalTokens)} tokens planned.
      {begun.every > 1 && ` One step of ${formatCount(begun.every)} is told.`}
    </p>
  );
}

function Timeline({ job }: { job: JobDetail }) {
  const lines = timeline(job.timeline);
  return (
    <ol className="grid gap-4">
      {lines.map(({ event, text, repeated }, n) => (
        <li key={event.id} className="relative grid grid-cols-[1rem_minmax(0,1fr)] gap-3 text-sm">
          {n < lines.length - 1 && (
            <span
              aria-hidden="true"
              className="absolute top-4 bottom-[-1rem] left-[0.4375rem] w-0.5 bg-line"
            />
          )}
          <span aria-hidden="true" className="mt-1 size-4 rounded-full border-2 border-accent bg-surface" />
          <div>
            <p className="font-medium">
              {text}
              {repeated > 1 && ` (${formatCount(repeated)} times)`}
            </p>
            <p className="text-xs text-soft">
              <Time ms={event.time} /> · block {formatCount(event.block)}
            </p>
          </div>
        </li>
      ))}
    </ol>
  );
}

function Log({ run }: { run: Run | undefined }) {
  const box = useRef<HTMLDivElement>(null);
  const count = run?.log.at(-1)?.id;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new line moves to the end
  useEffect(() => {
    const element = box.current;
    // Who has scrolled up reads there.
    if (element && element.scrollHeight - element.scrollTop - element.clientHeight < 120) {
      element.scrollTop = element.scrollHeight;
    }
  }, [count]);
  if (!run || run.log.length === 0)
    return <p className="text-sm text-soft">The worker has told nothing yet.</p>;
  return (
    <div
      ref={box}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard
      tabIndex={0}
      role="log"
      aria-label="Log of the worker"
      className="max-h-72 overflow-auto rounded-control bg-sunken p-3 font-mono text-xs leading-5"
    >
      {run.logCut > 0 && (
        <p className="text-soft">{formatCount(run.logCut)} earlier lines are left out here.</p>
      )}
      {run.log.map(({ id, at, text }) => (
        <p key={id} className="break-words whitespace-pre-wrap">
          <span className="text-soft">{new Date(at).toISOString().slice(11, 19)}</span> {text}
        </p>
      ))}
    </div>
  );
}
