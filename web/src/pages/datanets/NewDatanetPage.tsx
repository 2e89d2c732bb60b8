import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";
import { type Account, useAccount } from "@/accounts/state";
import { toast } from "@/app/toasts";
import { transact } from "@/chain/transactions";
import { Button, ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { CheckField, Field, SelectField, TextField } from "@/components/ui/Field";
import { Page } from "@/components/ui/Page";
import { EmptyState, Loaded } from "@/components/ui/States";
import { Amount } from "@/components/ui/Values";
import {
  type Draft,
  datanetDeposit,
  emptyDraft,
  MAX_CURATORS,
  type Modality,
  modalities,
  type Problems,
  readDraft,
} from "./create.state";
import { sayThreshold } from "./datanet.state";

function Form({ account, deposit }: { account: Account; deposit: bigint }) {
  const [draft, setDraft] = useState<Draft>(() => emptyDraft(account.address));
  const [problems, setProblems] = useState<Problems>({});
  const [, navigate] = useLocation();
  const set = (change: Partial<Draft>) => setDraft((old) => ({ ...old, ...change }));
  const { type, unit, most } = modalities[draft.modality];
  const field = (name: Exclude<keyof Draft, "limited" | "modality" | "curators">) => ({
    value: draft[name],
    error: problems[name],
    autoComplete: "off",
    onChange: (event: { target: { value: string } }) => set({ [name]: event.target.value }),
  });
  const create = async () => {
    const { rules, problems } = readDraft(draft);
    setProblems(problems);
    if (!rules) return;
    const { curators, threshold } = rules;
    const result = await transact(account, {
      title: "Create a Datanet",
      words: (
        <>
          Creates “{draft.name.trim()}” with you as its owner. {sayThreshold(threshold, curators.length)}. Its
          kind, units and daily limit never change.
        </>
      ),
      build: (api) =>
        api.tx.Datanets.create_datanet({
          name: rules.name,
          modality: { type, value: undefined },
          min_units: rules.minUnits,
          max_units: rules.maxUnits,
          daily_limit: rules.dailyLimit,
          policy: { type: "Curators", value: { members: curators, threshold } },
        }),
      held: deposit,
    });
    if (!result) return;
    toast("The Datanet is created. It is listed once its block is final.", "good");
    navigate(`/datanets?search=${encodeURIComponent(draft.name.trim())}`);
  };
  return (
    <form
      noValidate
      className="grid max-w-3xl gap-6"
      onSubmit={(event) => {
        event.preventDefault();
        void create();
      }}
    >
      <Card title="What it collects">
        <div className="grid gap-4">
          <Field label="Name" help="What it collects, in a few words: up to 64 bytes." {...field("name")} />
          <SelectField
            label="Kind of files"
            value={draft.modality}
            onChange={(event) => set({ modality: event.target.value as Modality })}
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
            onChange={(event) => set({ limited: event.target.checked })}
          />
          {draft.limited && (
            <div className="grid gap-4 sm:grid-cols-2">
              <Field label="Files a day" inputMode="numeric" {...field("dailyFiles")} />
              <Field label="Data a day" unit="MiB" inputMode="numeric" {...field("dailyMebibytes")} />
            </div>
          )}
        </div>
      </Card>
      <Card title="Who decides" about="You name the curators, and may name others later.">
        <div className="grid gap-4">
          <TextField
            label="Curators"
            help={`An account a line, at most ${MAX_CURATORS}.`}
            rows={4}
            spellCheck={false}
            autoComplete="off"
            className="font-mono"
            value={draft.curators}
            error={problems.curators}
            onChange={(event) => set({ curators: event.target.value })}
          />
          <div className="max-w-60">
            <Field label="How many must agree" inputMode="numeric" {...field("threshold")} />
          </div>
        </div>
      </Card>
      <div className="flex flex-wrap items-center gap-4">
        <Button type="submit" look="primary">
          Create it
        </Button>
        <p className="text-sm text-soft">
          <Amount plancks={deposit} /> of yours are held for it.
        </p>
      </div>
    </form>
  );
}

/** A new Datanet: its rules, and who judges by them. */
export default function NewDatanetPage() {
  const account = useAccount();
  const deposit = useQuery({
    queryKey: ["datanet-deposit"],
    queryFn: datanetDeposit,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <Page
      title="Create a Datanet"
      about="You say what it collects and who judges. Anybody may contribute to it and fund it."
    >
      {account ? (
        <Loaded query={deposit}>
          {(amount) => <Form key={account.address} account={account} deposit={amount} />}
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
            It owns the Datanet and names its curators.
          </EmptyState>
        </Card>
      )}
    </Page>
  );
}
