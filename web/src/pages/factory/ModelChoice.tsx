import { type Account, useAccount } from "@/accounts/state";
import type { Adapter, BaseModel } from "@/api/types";
import { transact } from "@/chain/transactions";
import { AdapterRevoked } from "@/components/Revoked";
import { Badge } from "@/components/ui/Badge";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { SelectField } from "@/components/ui/Field";
import { Notice } from "@/components/ui/Notice";
import { EmptyState, Loaded } from "@/components/ui/States";
import { Copyable } from "@/components/ui/Values";
import { classes } from "@/lib/classes";
import { formatBytes, formatCount } from "@/lib/format";
import { offers } from "@/training/estimate";
import { NEEDED_JUDGES, useAdapters, useJudges, useModels, useWorkers } from "@/training/queries";
import { familyName } from "@/training/words";

const card =
  "relative grid content-start gap-2 rounded-card border bg-surface p-4 has-focus-visible:outline-2 has-focus-visible:outline-accent";

/** A card to choose one of several by. */
export function ChoiceCard({
  name,
  value,
  checked,
  onChoose,
  title,
  aside,
  children,
}: {
  name: string;
  value: string | number;
  checked: boolean;
  onChoose: () => void;
  title: string;
  aside?: React.ReactNode;
  children: React.ReactNode;
}) {
  return (
    <div
      className={classes(
        card,
        checked ? "border-accent ring-1 ring-accent" : "border-line hover:border-line-strong",
      )}
    >
      <div className="flex items-start justify-between gap-3">
        <label className="flex min-w-0 items-start gap-2.5 font-semibold">
          <input
            type="radio"
            name={name}
            value={value}
            checked={checked}
            onChange={onChoose}
            className="mt-1 size-4 shrink-0 accent-accent after:absolute after:inset-0 after:content-['']"
          />
          <span className="min-w-0 break-words">{title}</span>
        </label>
        {aside}
      </div>
      {children}
    </div>
  );
}

/** The base model, and whether an adapter of it is trained further. */
export function ModelChoice({
  base,
  parent,
  onBase,
  onParent,
}: {
  base: number | null;
  parent: number | null;
  onBase: (base: number) => void;
  onParent: (parent: Adapter | null) => void;
}) {
  const models = useModels();
  const account = useAccount();
  const chosen = models.data?.items.find(({ id }) => id === base);
  return (
    <Card
      title="Base model"
      about="What is fine-tuned. Its weights stay as they are; the adapter is what is learned."
    >
      <Loaded
        query={models}
        isEmpty={(data) => data.items.length === 0}
        empty={
          <EmptyState icon="factory" title="No base model is registered">
            <code>openledger model register</code> registers one.
          </EmptyState>
        }
      >
        {(data) => (
          <div className="grid gap-4">
            <fieldset className="grid gap-3 sm:grid-cols-2">
              <legend className="sr-only">Base model</legend>
              {/* No new job may name a retired one; a job that names it is shown what it was. */}
              {data.items
                .filter((model) => !model.retired || model.id === base)
                .map((model) => (
                  <ModelCard
                    key={model.id}
                    model={model}
                    checked={model.id === base}
                    onChoose={() => onBase(model.id)}
                  />
                ))}
            </fieldset>
            {chosen?.retired && (
              <Notice tone="warn" title="This model was retired">
                No new job may name it. Choose another one.
              </Notice>
            )}
            {chosen && !chosen.retired && <FewJudges base={chosen.id} owner={account?.address} />}
            {chosen && !chosen.retired && account?.address === chosen.registrar && (
              <Retire model={chosen} registrar={account} />
            )}
            {base !== null && <ParentChoice base={base} parent={parent} onParent={onParent} />}
          </div>
        )}
      </Loaded>
    </Card>
  );
}

/** Says that nobody could judge a result, before anything is paid for one. */
function FewJudges({ base, owner }: { base: number; owner: string | undefined }) {
  const { data: judges } = useJudges(base, owner);
  if (judges === undefined || judges >= NEEDED_JUDGES) return null;
  return (
    <Notice tone="warn" title="A result on this model could not be disputed">
      Workers that have served it for a day and could judge beside you: {formatCount(judges)}. A dispute takes
      three beside the one that trains; with fewer, whatever that worker posts is paid.
    </Notice>
  );
}

/** Where who registered a model gets the deposit back. */
function Retire({ model, registrar }: { model: BaseModel; registrar: Account }) {
  const retire = async () => {
    const { getChain } = await import("@/chain/client");
    const [view] = await getChain().api.apis.TrainingApi.base_models(model.id, 1, { at: "best" });
    await transact(registrar, {
      title: `Retire ${model.name}`,
      words:
        "No new job may name it, for ever. Jobs on record go on, and adapters that were trained on it stay.",
      gained: view?.id === model.id ? view.deposit : undefined,
      gainedWords: "No longer held",
      build: (api) => api.tx.Training.retire_base_model({ base: model.id }),
    });
  };
  return (
    <details className="text-sm">
      <summary className="cursor-pointer font-medium">You registered this model</summary>
      <p className="mt-2 text-soft">
        Its deposit comes back when you retire it; then no new job may name it.
      </p>
      <Button size="small" look="danger" className="mt-3" onClick={() => void retire()}>
        Retire it
      </Button>
    </details>
  );
}

function ModelCard({
  model,
  checked,
  onChoose,
}: {
  model: BaseModel;
  checked: boolean;
  onChoose: () => void;
}) {
  const workers = useWorkers();
  // Those that opted in to it, by either method.
  const able =
    workers.data &&
    new Set(
      ["lora", "qlora"].flatMap((method) =>
        offers(workers.data.items, model, method).map(({ account }) => account),
      ),
    ).size;
  return (
    <ChoiceCard
      name="base"
      value={model.id}
      checked={checked}
      onChoose={onChoose}
      title={model.name}
      aside={<Badge tone="info">{familyName(model.family)}</Badge>}
    >
      <dl className="grid grid-cols-[max-content_minmax(0,1fr)] gap-x-4 gap-y-1 text-sm">
        <dt className="text-soft">Licence</dt>
        <dd className="break-words">{model.licence}</dd>
        <dt className="text-soft">Size</dt>
        <dd>{formatBytes(model.weightsSize)}</dd>
        <dt className="text-soft">Weights</dt>
        <dd className="relative z-10">
          <Copyable text={model.weightsSha256} what="hash of the weights" />
        </dd>
        {able !== undefined && (
          <>
            <dt className="text-soft">Workers</dt>
            <dd>{able === 0 ? "none now" : formatCount(able)}</dd>
          </>
        )}
      </dl>
    </ChoiceCard>
  );
}

function ParentChoice({
  base,
  parent,
  onParent,
}: {
  base: number;
  parent: number | null;
  onParent: (parent: Adapter | null) => void;
}) {
  const adapters = useAdapters();
  const fitting = (adapters.data?.items ?? []).filter((adapter) => adapter.base === base);
  if (fitting.length === 0 && parent === null) return null;
  const chosen = fitting.find(({ id }) => id === parent);
  return (
    <>
      <SelectField
        label="Begin with"
        help="An adapter that is trained further keeps its rank, alpha and layers. Anyone may train any adapter further."
        value={parent === null ? "" : String(parent)}
        onChange={(event) => onParent(fitting.find(({ id }) => String(id) === event.target.value) ?? null)}
        options={[
          { value: "", label: "A fresh adapter" },
          ...fitting
            .sort((one, other) => other.id - one.id)
            .map((adapter) => ({
              value: String(adapter.id),
              label: `Adapter ${adapter.id} (held-out loss ${adapter.evalLossAfter.toFixed(3)}${adapter.holdsRevoked ? ", holds a revoked file" : ""})`,
            })),
        ]}
      />
      {chosen?.holdsRevoked && <AdapterRevoked adapter={chosen.id} />}
    </>
  );
}
