import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";
import { type Account, useAccount } from "@/accounts/state";
import { toast } from "@/app/toasts";
import { transact } from "@/chain/transactions";
import { Button, ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { CheckField, Field, SelectField } from "@/components/ui/Field";
import { Page } from "@/components/ui/Page";
import { EmptyState, Loaded } from "@/components/ui/States";
import { Amount } from "@/components/ui/Values";
import { useRules } from "@/review/committee";
import { AdmissionFields, InvitedField } from "./AdmissionFields";
import {
  creation,
  type Draft,
  datanetDeposit,
  emptyDraft,
  entryDeposit,
  followNextDatanet,
  type Modality,
  modalities,
  type Problems,
  readDraft,
  sayDraft,
  useSeated,
} from "./create.state";
import { JudgesFields } from "./JudgesFields";
import { filePrice } from "./judges.state";

type CommitteeRules = NonNullable<ReturnType<typeof useRules>["data"]>;

/** What a Datanet collects. */
function CollectedFields({
  draft,
  problems,
  onChange,
}: {
  draft: Draft;
  problems: Problems;
  onChange: (change: Partial<Draft>) => void;
}) {
  const { unit, most } = modalities[draft.modality];
  const field = (name: "name" | "minUnits" | "maxUnits" | "dailyFiles" | "dailyMebibytes") => ({
    value: draft[name],
    error: problems[name],
    autoComplete: "off",
    onChange: (event: { target: { value: string } }) => onChange({ [name]: event.target.value }),
  });
  return (
    <div className="grid gap-4">
      <Field label="Name" help="What it collects, in a few words: up to 64 bytes." {...field("name")} />
      <SelectField
        label="Kind of files"
        value={draft.modality}
        onChange={(event) => onChange({ modality: event.target.value as Modality })}
        options={Object.entries(modalities).map(([value, { title }]) => ({ value, label: title }))}
      />
      <div className="grid gap-4 sm:grid-cols-2">
        <Field
          label="Least of a file"
          unit={unit}
          inputMode="numeric"
          help="Smaller files are not accepted."
          {...field("minUnits")}
        />
        <Field
          label="Most that is paid"
          unit={unit}
          inputMode="numeric"
          help={`Larger files earn no more. At most ${most.toLocaleString("en")}.`}
          {...field("maxUnits")}
        />
      </div>
      <CheckField
        label="Limit what all contributors together may submit in a day"
        checked={draft.limited}
        onChange={(event) => onChange({ limited: event.target.checked })}
      />
      {draft.limited && (
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label="Files a day" inputMode="numeric" {...field("dailyFiles")} />
          <Field label="Data a day" unit="MiB" inputMode="numeric" {...field("dailyMebibytes")} />
        </div>
      )}
    </div>
  );
}

function Form({ account, deposit, rules }: { account: Account; deposit: bigint; rules: CommitteeRules }) {
  const [draft, setDraft] = useState<Draft>(() => emptyDraft(account.address));
  const [problems, setProblems] = useState<Problems>({});
  const [, navigate] = useLocation();
  const seats = useSeated(draft.modality).data;
  const set = (change: Partial<Draft>) => setDraft((old) => ({ ...old, ...change }));
  const create = async () => {
    const { rules: read, problems } = readDraft(draft, filePrice(rules));
    setProblems(problems);
    if (!read) return;
    const next = await followNextDatanet();
    const entries = read.invited.length > 0 ? (await entryDeposit()) * BigInt(read.invited.length) : 0n;
    const result = await transact(account, {
      title: "Create a Datanet",
      words: sayDraft(draft, read),
      build: (api) => creation(api, read, draft.modality, next.number()),
      held: deposit + entries,
      ...(read.budget > 0n ? { spent: read.budget } : {}),
      meanwhile:
        "Nothing of it was done. If somebody else created a Datanet at the same moment, trying again is all it takes.",
    });
    next.stop();
    if (!result) return;
    toast("The Datanet is created. It is listed once its block is final.", "good");
    navigate(`/datanets?search=${encodeURIComponent(draft.name.trim())}`);
  };
  return (
    <form
      noValidate
      className="grid max-w-3xl grid-cols-[minmax(0,1fr)] gap-6"
      onSubmit={(event) => {
        event.preventDefault();
        void create();
      }}
    >
      <Card title="What it collects">
        <CollectedFields draft={draft} problems={problems} onChange={set} />
      </Card>
      <Card title="Who decides" about="You may name others later, or have committees judge.">
        <JudgesFields draft={draft} problems={problems} rules={rules} seats={seats} onChange={set} />
      </Card>
      <Card title="Who may contribute" about="You may change that later, and bar single accounts.">
        <div className="grid gap-5">
          <AdmissionFields {...draft} problem={problems.leastPoints} onChange={set} />
          {draft.admission !== "open" && (
            <InvitedField
              value={draft.invited}
              problem={problems.invited}
              onChange={(invited) => set({ invited })}
            />
          )}
        </div>
      </Card>
      <div className="flex flex-wrap items-center gap-4">
        <Button type="submit" look="primary">
          Create it
        </Button>
        <p className="text-sm text-soft">
          <Amount plancks={deposit} /> of yours are held for it, and come back when you close it.
        </p>
      </div>
      {Object.keys(problems).length > 0 && (
        <p role="alert" className="text-sm font-medium text-bad">
          Nothing was sent: mend what is marked above.
        </p>
      )}
    </form>
  );
}

/** A new Datanet: its rules, who judges by them, and who may contribute. */
export default function NewDatanetPage() {
  const account = useAccount();
  const rules = useRules();
  const deposit = useQuery({
    queryKey: ["datanet-deposit"],
    queryFn: datanetDeposit,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <Page
      title="Create a Datanet"
      about="You say what it collects, who judges and who may contribute. Anybody may fund it."
    >
      {account ? (
        <Loaded query={deposit}>
          {(amount) => (
            <Loaded query={rules}>
              {(found) => <Form key={account.address} account={account} deposit={amount} rules={found} />}
            </Loaded>
          )}
        </Loaded>
      ) : (
        <Card>
          <EmptyState
            icon="key"
            title="Choose an account first"
            actions={
              <ButtonLink href="/accounts" look="primary">
                Accounts
              </ButtonLink>
            }
          >
            It owns the Datanet and says who judges.
          </EmptyState>
        </Card>
      )}
    </Page>
  );
}
