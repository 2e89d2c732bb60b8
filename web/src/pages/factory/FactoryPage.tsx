import { useEffect, useMemo, useState } from "react";
import { useLocation, useSearch } from "wouter";
import { useAccount } from "@/accounts/state";
import { useGet } from "@/api/queries";
import { request } from "@/api/request";
import { useLive } from "@/api/stream";
import type { Adapter, Account as ChainAccount, JobDetail } from "@/api/types";
import { toast } from "@/app/toasts";
import { transact } from "@/chain/transactions";
import { CodeBlock } from "@/components/CodeBlock";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Field } from "@/components/ui/Field";
import { Notice } from "@/components/ui/Notice";
import { Page } from "@/components/ui/Page";
import { Amount } from "@/components/ui/Values";
import { formatCount, formatOpen, parseOpen, plural } from "@/lib/format";
import { describeProblem } from "@/lib/problem";
import { commandLine, configuration } from "@/training/commands";
import { estimate as estimateOf, offers, price, stepTokens, suggestCeiling } from "@/training/estimate";
import { useModels, useWorkers } from "@/training/queries";
import { methodName } from "@/training/words";
import { DataChoice } from "./DataChoice";
import { DataPreview } from "./DataPreview";
import { EstimatePanel } from "./EstimatePanel";
import {
  callOf,
  check,
  createdJob,
  type Draft,
  emptyDraft,
  held,
  keepSettled,
  newestVersions,
  pricePerToken,
  readBudget,
  readCeiling,
  readDeadline,
  settingsOf,
  useLimits,
  useMeasured,
  useSamples,
  useSizes,
} from "./factory.state";
import { ModelChoice } from "./ModelChoice";
import { SettingsForm } from "./SettingsForm";

/** What changes the choice: workers and models that come, and those that go. */
const topics = ["WorkerRegistered", "BaseModelRegistered", "BaseModelRetired"].map(
  (name) => `kind:Training.${name}`,
);

/** A job is put together: model, data, settings, money. */
export default function FactoryPage() {
  const [draft, setDraft] = useState<Draft>(emptyDraft);
  const [origin, setOrigin] = useState<JobDetail>();
  const [busy, setBusy] = useState(false);
  const change = (changes: Partial<Draft>) => setDraft((now) => ({ ...now, ...changes }));
  const account = useAccount();
  const [, go] = useLocation();
  usePrefill(setDraft, setOrigin);

  const models = useModels();
  const workers = useWorkers();
  const limits = useLimits();
  const balance = useGet<ChainAccount>(
    ["account", account?.address ?? ""],
    `/v1/accounts/${account?.address}`,
    undefined,
    account !== null,
  );
  useLive(account ? `account:${account.address}` : null, ...topics);

  const model = models.data?.items.find(({ id }) => id === draft.base);
  const checked = useMemo(() => check(draft), [draft]);
  const sizes = useSizes(draft.datasets);
  const measured = useMeasured(draft.base, draft.method);
  const samples = useSamples(draft.datasets);
  const known = draft.datasets.length > 0 && sizes.data?.length === draft.datasets.length ? sizes.data : [];
  const estimate = estimateOf(
    known.map((size, n) => ({ ...size, sample: samples.data?.[n] })),
    checked.spec,
  );

  // What the chain has not said yet is no size of 0, from which a ceiling could be suggested.
  const sized = draft.datasets.length === 0 || (known.length > 0 && !samples.isPending);
  const ceilingText = draft.ceiling ?? (sized ? String(suggestCeiling(estimate.trained)) : "");
  const ceiling = readCeiling(ceilingText);
  const able = model && workers.data ? offers(workers.data.items, model, draft.method) : [];
  const cheapest = able[0] && "value" in ceiling ? price(able[0], ceiling.value) : null;
  // Until the chain has said its limits nothing is suggested, and nothing can be launched.
  const { minimum, deposit, mostBlocks } = limits.data ?? {};
  const suggested = minimum === undefined || (cheapest !== null && cheapest > minimum) ? cheapest : minimum;
  const budgetText = draft.budget ?? (suggested === null ? "" : formatOpen(suggested).replaceAll(",", ""));
  const budget = readBudget(budgetText, minimum);
  const waits = draft.budget === null && suggested === null;
  const deadline = readDeadline(draft.hours, mostBlocks);

  const wrong = Object.keys(checked.errors).length;
  const problems = [
    ...(account ? [] : ["Choose an account"]),
    ...(draft.base === null ? ["Choose a base model"] : []),
    ...(draft.datasets.length === 0 ? ["Choose a Datanet"] : []),
    ...(wrong > 0 ? [`Mend ${plural(wrong, "setting")}`] : []),
    ...(limits.data
      ? []
      : [limits.isError ? "The chain does not say its limits" : "Wait until the chain says its limits"]),
    ...(("error" in ceiling && (draft.ceiling !== null || sized)) ||
    ("error" in budget && !waits) ||
    "error" in deadline
      ? ["Mend the limits"]
      : []),
    // A worker that may not use the tokens of one step cannot begin, and the job would fail.
    ...("value" in ceiling && sized && ceiling.value < stepTokens(estimate)
      ? ["Raise the token ceiling: one step does not fit into it"]
      : []),
    // Without a look at the data the ceiling would be a guess.
    ...(draft.ceiling === null && !sized
      ? [
          sizes.isError
            ? "The chain does not say how much data there is"
            : "Wait until the data was looked at",
        ]
      : []),
  ];

  const chooseParent = async (adapter: Adapter | null) => {
    if (!adapter) return change({ parent: null });
    try {
      const job = await request<JobDetail>(`/v1/jobs/${adapter.id}`);
      setDraft((now) => ({
        ...now,
        parent: adapter.id,
        base: adapter.base,
        ...settingsOf(keepSettled(check(now).spec, job.spec)),
      }));
    } catch (error) {
      toast(describeProblem(error).title, "bad");
    }
  };

  const launch = async () => {
    if (!account || draft.base === null || deposit === undefined) return;
    if ("error" in ceiling || "error" in budget || "error" in deadline) return;
    setBusy(true);
    try {
      const { getChain } = await import("@/chain/client");
      const { client } = getChain();
      const { number } = (await client.getBestBlocks())[0] ?? (await client.getFinalizedBlock());
      const { base, parent, datasets } = draft;
      const call = callOf({
        ...{ base, parent, datasets, spec: checked.spec },
        ...{ ceiling: ceiling.value, budget: budget.value, deadline: number + deadline.value },
      });
      const result = await transact(account, {
        title: parent === null ? "Launch the run" : `Train adapter ${parent} further`,
        words: (
          <>
            {methodName(checked.spec.method)} of {model?.name ?? `base model ${base}`} on{" "}
            {plural(datasets.length, "Datanet")}, at most {formatCount(ceiling.value)} tokens. The worker is
            paid <Amount plancks={held(budget.value, ceiling.value)} /> when the adapter is there, and nothing
            where none comes; they are held meanwhile. So is a deposit of <Amount plancks={deposit} />, which
            you get back with the record of a run that came to nothing, and lose where several workers find
            its files or its model missing.
          </>
        ),
        build: (api) =>
          parent === null
            ? api.tx.Training.create_job(call)
            : api.tx.Training.refine_adapter({ parent: BigInt(parent), ...call }),
        held: held(budget.value, ceiling.value) + deposit,
        heldWords: "Held; the worker is paid from it",
      });
      const job = result && createdJob(result);
      if (job !== null) go(`/runs/${job}`);
    } catch (error) {
      toast(describeProblem(error).title, "bad");
    } finally {
      setBusy(false);
    }
  };

  return (
    <Page
      title="ModelFactory"
      about="Choose a model, data and settings. A worker trains, the chain pays it, and the adapter names whose files made it."
    >
      {origin && (
        <Notice
          title={`The settings of run ${origin.id}, on the newest versions of its Datanets`}
          actions={
            origin.state === "completed" && draft.parent === null ? (
              <Button
                size="small"
                onClick={() => void chooseParent({ id: origin.id, base: origin.base } as Adapter)}
              >
                Continue from its adapter
              </Button>
            ) : undefined
          }
        >
          {draft.parent === origin.id
            ? "It goes on from that run's adapter: rank, alpha and layers are the adapter's."
            : "It begins with a fresh adapter."}
        </Notice>
      )}
      <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-6 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <div className="grid min-w-0 grid-cols-[minmax(0,1fr)] gap-6">
          <ModelChoice
            base={draft.base}
            parent={draft.parent}
            onBase={(base) => change({ base, ...(base === draft.base ? {} : { parent: null }) })}
            onParent={(parent) => void chooseParent(parent)}
          />
          <DataChoice
            datasets={draft.datasets}
            sizes={sizes.data}
            onChange={(to) => setDraft((now) => ({ ...now, datasets: to(now.datasets) }))}
          />
          <SettingsForm
            draft={draft}
            checked={checked}
            change={change}
            onPreset={(changes) =>
              change(
                settingsOf(
                  draft.parent === null
                    ? { ...emptySpec, ...changes }
                    : keepSettled({ ...emptySpec, ...changes }, checked.spec),
                ),
              )
            }
          />
          <Card title="Limits" about="What it may take at most, and what you offer for it.">
            <div className="grid gap-5 sm:grid-cols-3">
              <Field
                label="Token ceiling"
                unit="tokens"
                inputMode="numeric"
                value={ceilingText}
                placeholder={sized ? undefined : "not known yet"}
                error={"error" in ceiling && (draft.ceiling !== null || sized) ? ceiling.error : undefined}
                help="The price covers so many tokens, whatever the worker uses of them."
                onChange={(event) => change({ ceiling: event.target.value })}
              />
              <Field
                label="Offer"
                unit="OPEN"
                inputMode="decimal"
                value={budgetText}
                placeholder={waits ? "not known yet" : undefined}
                error={"error" in budget && !waits ? budget.error : undefined}
                help={`For all tokens of the ceiling${minimum === undefined ? "" : `; at least ${formatOpen(minimum)}`}. Workers with a higher floor do not get it.`}
                onChange={(event) => change({ budget: event.target.value })}
              />
              <Field
                label="Deadline"
                unit="hours from now"
                inputMode="decimal"
                value={draft.hours}
                error={"error" in deadline ? deadline.error : undefined}
                help="After it the unfinished job fails and everything is given back."
                onChange={(event) => change({ hours: event.target.value })}
              />
            </div>
          </Card>
          <DataPreview datasets={draft.datasets} longest={checked.spec.maxSeqLength} />
          {draft.base !== null && (
            <Card
              title="The same job elsewhere"
              about="From a terminal, or on your own machine without the chain."
            >
              <div className="grid gap-5">
                <CodeBlock
                  label="Command line"
                  text={commandLine({
                    ...{
                      base: draft.base,
                      parent: draft.parent,
                      datasets: draft.datasets,
                      spec: checked.spec,
                    },
                    tokenCeiling: "value" in ceiling ? ceiling.value : 1,
                    // What the price a token comes to, so that the command offers the same.
                    budget:
                      "value" in budget && "value" in ceiling
                        ? held(budget.value, ceiling.value)
                        : (parseOpen(budgetText) ?? minimum ?? null),
                    deadline: "value" in deadline ? deadline.value : 2400,
                  })}
                />
                <CodeBlock label="run.yaml" text={configuration(checked.spec, model?.name ?? "model.gguf")} />
              </div>
            </Card>
          )}
        </div>
        <div className="lg:sticky lg:top-20">
          <EstimatePanel
            estimate={draft.datasets.length === 0 ? undefined : sized ? estimate : null}
            model={model}
            measured={measured.data}
            ceiling={"value" in ceiling ? ceiling.value : null}
            cheapest={cheapest}
            workers={workers.data && able.length}
            offer={
              "value" in budget && "value" in ceiling
                ? {
                    price: pricePerToken(budget.value, ceiling.value),
                    budget: held(budget.value, ceiling.value),
                  }
                : null
            }
            deposit={deposit}
            account={account === null ? null : balance.data}
            problems={problems}
            busy={busy}
            onLaunch={() => void launch()}
          />
        </div>
      </div>
    </Page>
  );
}

const emptySpec = check(emptyDraft).spec;

/** `?from=7` begins with the settings of run 7 and its Datanets' newest versions. */
function usePrefill(setDraft: (draft: Draft) => void, setOrigin: (job: JobDetail) => void): void {
  const from = new URLSearchParams(useSearch()).get("from");
  // biome-ignore lint/correctness/useExhaustiveDependencies: the setters of the page's state never change
  useEffect(() => {
    if (!from || !/^\d{1,15}$/.test(from)) return;
    let stale = false;
    void (async () => {
      try {
        const job = await request<JobDetail>(`/v1/jobs/${from}`);
        const datasets = await newestVersions(job);
        if (stale) return;
        setDraft({ ...emptyDraft, base: job.base, datasets, ...settingsOf(job.spec) });
        setOrigin(job);
      } catch (error) {
        if (!stale) toast(describeProblem(error).title, "bad");
      }
    })();
    return () => {
      stale = true;
    };
  }, [from]);
}
