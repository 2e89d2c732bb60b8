import { ChoiceField, Field, TextField } from "@/components/ui/Field";
import { Notice } from "@/components/ui/Notice";
import { formatOpen, plural } from "@/lib/format";
import type { useRules } from "@/review/committee";
import type { Draft, Problems } from "./create.state";
import { filePrice, type Judges, MAX_CURATORS, readBudget } from "./judges.state";

type CommitteeRules = NonNullable<ReturnType<typeof useRules>["data"]>;

/** Accounts of a modality's pool from which on its verdicts count over all Datanets, in committees. */
const GLOBAL_FACTOR = 5;

const kinds = { text: "text", image: "image", audio: "audio" } as const;

/** Accounts that decide, and how many of them must agree. */
export function CuratorsFields({
  curators,
  threshold,
  problems,
  onChange,
}: {
  curators: string;
  threshold: string;
  problems: { curators?: string; threshold?: string };
  onChange: (change: { curators?: string; threshold?: string }) => void;
}) {
  return (
    <>
      <TextField
        label="Curators"
        help={`An account a line, at most ${MAX_CURATORS}.`}
        rows={4}
        spellCheck={false}
        autoComplete="off"
        className="font-mono"
        value={curators}
        error={problems.curators}
        onChange={(event) => onChange({ curators: event.target.value })}
      />
      <div className="max-w-60">
        <Field
          label="How many must agree"
          inputMode="numeric"
          autoComplete="off"
          value={threshold}
          error={problems.threshold}
          onChange={(event) => onChange({ threshold: event.target.value })}
        />
      </div>
    </>
  );
}

/** How many files a day committees are drawn for, and how many of them are one account's. */
export function TermsFields({
  filesADay,
  share,
  problems,
  onChange,
}: {
  filesADay: string;
  share: string;
  problems: { filesADay?: string; share?: string };
  onChange: (change: { filesADay?: string; share?: string }) => void;
}) {
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <Field
        label="Files before committees"
        unit="a day"
        inputMode="numeric"
        autoComplete="off"
        help="More than that in a UTC day are refused, so that the budget lasts."
        value={filesADay}
        error={problems.filesADay}
        onChange={(event) => onChange({ filesADay: event.target.value })}
      />
      <Field
        label="Of one account"
        unit="% of them"
        inputMode="numeric"
        autoComplete="off"
        help="So that nobody uses up the day alone."
        value={share}
        error={problems.share}
        onChange={(event) => onChange({ share: event.target.value })}
      />
    </div>
  );
}

/** Where somebody who makes a Datanet says who judges its files, and what committees are paid from. */
export function JudgesFields({
  draft,
  problems,
  rules,
  seats,
  onChange,
}: {
  draft: Draft;
  problems: Problems;
  rules: CommitteeRules;
  /** Accounts that have seats for this kind of files; undefined where that is not known yet. */
  seats: number | undefined;
  onChange: (change: Partial<Draft>) => void;
}) {
  const { judges, modality } = draft;
  const kind = kinds[modality];
  const price = filePrice(rules);
  const { amount } = readBudget(draft.budget, price);
  return (
    <div className="grid gap-5">
      <ChoiceField<Judges>
        legend="Who judges"
        value={judges}
        onChange={(chosen) => onChange({ judges: chosen })}
        options={[
          {
            value: "curators",
            label: "Curators of your choice",
            help: "They are paid nothing. What they accept counts on this Datanet’s board alone.",
          },
          {
            value: "modality",
            label: `Committees drawn from the seats for ${kind} files`,
            help: `Strangers with bonded seats, drawn by chance for each call. What they accept counts over all Datanets too while the pool is large enough and has been for a while: ${rules.size * GLOBAL_FACTOR} accounts and more${seats === undefined ? "" : `; ${plural(seats, "account has", "accounts have")} seats now`}.`,
          },
          {
            value: "own",
            label: "Committees drawn from seats for this Datanet alone",
            help: `For a topic that takes experts: nobody judges before ${rules.size} accounts have bonded ${formatOpen(rules.seat)} OPEN each for it. What they accept counts on this board alone.`,
          },
        ]}
      />
      {judges === "curators" ? (
        <CuratorsFields
          curators={draft.curators}
          threshold={draft.threshold}
          problems={problems}
          onChange={onChange}
        />
      ) : (
        <>
          <div className="max-w-80">
            <Field
              label="Review budget"
              unit="OPEN"
              inputMode="decimal"
              autoComplete="off"
              help={
                amount
                  ? `It pays for ${plural(amount / price, "file")}. What no draw needs can be taken back.`
                  : `A committee of ${rules.size} costs ${formatOpen(price)} OPEN a file. You can pay in later; until then it takes no files.`
              }
              value={draft.budget}
              error={problems.budget}
              onChange={(event) => onChange({ budget: event.target.value })}
            />
          </div>
          <TermsFields
            filesADay={draft.filesADay}
            share={draft.share}
            problems={problems}
            onChange={onChange}
          />
          {judges === "modality" && seats !== undefined && seats < rules.size && (
            <Notice
              tone="warn"
              title={`${plural(seats, "account has", "accounts have")} seats for ${kind} files now`}
            >
              A committee takes {rules.size}. Files wait until there are enough, and end without a verdict
              where there are not.
            </Notice>
          )}
        </>
      )}
    </div>
  );
}
