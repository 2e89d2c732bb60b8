import { useRef } from "react";
import { Button } from "@/components/ui/Button";
import { ChoiceField, Field, SelectField, TextField } from "@/components/ui/Field";
import { AccountName, Amount } from "@/components/ui/Values";
import { BLOCK_TIME, formatCount, formatDuration, formatOpen, shorten } from "@/lib/format";
import {
  type Draft,
  type Kind,
  type Origin,
  type Problems,
  periodLimit,
  type Rule,
  slashKey,
  takenIn,
} from "./propose";
import { hashOf, type Proposing } from "./propose.state";
import { SlashTakes } from "./Slashes";

interface Fields {
  draft: Draft;
  problems: Problems;
  facts: Proposing;
  onChange: (change: Partial<Draft>) => void;
}

const kinds: readonly { value: Kind; label: string; help: string }[] = [
  { value: "spend", label: "Pay from the treasury", help: "Its track comes from the amount." },
  { value: "rule", label: "Change a rule", help: "Of staking, or which extractor reads files." },
  {
    value: "upgrade",
    label: "Upgrade the runtime",
    help: "By the hash of its blob, which everybody can build.",
  },
  {
    value: "undo",
    label: "Undo a referendum, a spend or a slash",
    help: "Before it is carried out, paid out, or taken.",
  },
  { value: "bytes", label: "Any call, by its bytes", help: "As explorers and programs give them." },
  {
    value: "preimage",
    label: "Any call, by its hash",
    help: "Its bytes are on the chain, or are noted later.",
  },
];

const origins: readonly { value: Origin; label: string }[] = [
  { value: "Root", label: "root: everything" },
  { value: "GeneralAdmin", label: "general admin: undoes referenda, spends and slashes" },
  { value: "BigSpender", label: "big spender: up to 1,000,000 OPEN" },
  { value: "SmallSpender", label: "small spender: up to 10,000 OPEN" },
];

function Spend({ draft, problems, facts, onChange }: Fields) {
  return (
    <>
      <Field
        label="To"
        help="The account that is paid."
        spellCheck={false}
        autoComplete="off"
        className="font-mono"
        value={draft.to}
        error={problems.to}
        onChange={(event) => onChange({ to: event.target.value })}
      />
      <Field
        label="Amount"
        unit="OPEN"
        inputMode="decimal"
        autoComplete="off"
        help={
          <>
            The treasury has <Amount plancks={facts.treasury} most={0} />, and all spends of 28 days of
            governance together are paid <Amount plancks={periodLimit(facts.active)} most={0} /> at most.
          </>
        }
        value={draft.amount}
        error={problems.amount}
        onChange={(event) => onChange({ amount: event.target.value })}
      />
    </>
  );
}

function Upgrade({ draft, problems, onChange }: Fields) {
  const chosen = useRef<HTMLInputElement>(null);
  return (
    <>
      <Field
        label="Hash of the runtime"
        help="BLAKE2-256 of the blob, in hexadecimal. Once it is enacted, anybody sends the blob itself."
        spellCheck={false}
        autoComplete="off"
        className="font-mono"
        value={draft.hash}
        error={problems.hash}
        onChange={(event) => onChange({ hash: event.target.value })}
      />
      <div className="flex flex-wrap items-center gap-3">
        <Button size="small" onClick={() => chosen.current?.click()}>
          Take it of a file
        </Button>
        <span className="text-xs text-soft">It is hashed here and sent nowhere.</span>
        <input
          ref={chosen}
          type="file"
          accept=".wasm"
          aria-label="Blob of the runtime"
          className="sr-only"
          tabIndex={-1}
          onChange={(event) => {
            const file = event.target.files?.[0];
            if (file) void hashOf(file).then((hash) => onChange({ hash }));
            event.target.value = "";
          }}
        />
      </div>
    </>
  );
}

const rules: Readonly<
  Record<Rule, { label: string; field: string; unit?: string; now: (facts: Proposing) => string }>
> = {
  validators: {
    ...{ label: "how many validators are elected", field: "Validators" },
    now: ({ now, bounds }) =>
      `${formatCount(now.validators)} now; ${formatCount(bounds.mostValidators)} are the most.`,
  },
  validatorBond: {
    ...{ label: "the least bond of a validator", field: "Least bond", unit: "OPEN" },
    now: ({ now }) => `${formatOpen(now.validatorBond)} OPEN now.`,
  },
  nominatorBond: {
    ...{ label: "the least bond of a nominator", field: "Least bond", unit: "OPEN" },
    now: ({ now }) => `${formatOpen(now.nominatorBond)} OPEN now.`,
  },
  commission: {
    ...{ label: "the least commission of a validator", field: "Least commission", unit: "%" },
    now: ({ now }) => `${now.commission / 1e7} % now.`,
  },
  extractor: {
    ...{ label: "which extractor reads files", field: "Version" },
    now: ({ now }) =>
      `${formatCount(now.extractor)} now. Votes to accept name it, so raise it when the release is out.`,
  },
};

function RuleFields({ draft, problems, facts, onChange }: Fields) {
  const { field, unit, now } = rules[draft.rule];
  return (
    <>
      <SelectField
        label="Rule"
        value={draft.rule}
        onChange={(event) => onChange({ rule: event.target.value as Rule, value: "" })}
        options={Object.entries(rules).map(([value, { label }]) => ({
          value,
          label: label.charAt(0).toUpperCase() + label.slice(1),
        }))}
      />
      <Field
        label={field}
        unit={unit}
        inputMode="decimal"
        autoComplete="off"
        help={now(facts)}
        value={draft.value}
        error={problems.value}
        onChange={(event) => onChange({ value: event.target.value })}
      />
    </>
  );
}

/** A slash of those that wait, and what it takes of whom. */
function Slash({ draft, problems, facts, onChange }: Fields) {
  const { slashes } = facts.bounds;
  const chosen = slashes.find((one) => slashKey(one) === draft.slash) ?? slashes[0];
  if (!chosen) {
    return (
      <p className={problems.slash ? "text-sm font-medium text-bad" : "text-sm text-soft"}>
        No slash waits. One stands here from the offence until it is taken.
      </p>
    );
  }
  const { era, validator } = chosen;
  const taken = takenIn(chosen);
  const left = Math.max(0, taken - facts.era) * facts.eraLength * BLOCK_TIME;
  return (
    <>
      <SelectField
        label="Slash"
        value={slashKey(chosen)}
        error={problems.slash}
        onChange={(event) => onChange({ slash: event.target.value })}
        options={slashes.map((one) => ({
          value: slashKey(one),
          label: `${shorten(one.validator)}, ${formatOpen(one.own + one.others, 2)} OPEN, era ${formatCount(takenIn(one))}`,
        }))}
      />
      <div className="grid gap-1.5 text-sm text-soft">
        <AccountName account={validator} />
        <p>
          Takes <SlashTakes slash={chosen} />, when era {formatCount(taken)} begins, in {formatDuration(left)}{" "}
          at most. Enacted later than that a proposal undoes nothing.
        </p>
        {slashes.filter((one) => one.era === era).length > 1 && (
          <p>
            It is named by its place among those of that era, which moves if an earlier one is undone first.
          </p>
        )}
      </div>
    </>
  );
}

function Undo(fields: Fields) {
  const { draft, problems, onChange } = fields;
  return (
    <>
      <SelectField
        label="What"
        value={draft.undoing}
        onChange={(event) =>
          onChange({ undoing: event.target.value as Draft["undoing"], index: "", slash: "" })
        }
        options={[
          { value: "cancel", label: "Cancel a referendum: deposits come back" },
          { value: "kill", label: "Kill a referendum: its deposits go to the treasury" },
          { value: "void", label: "Void a spend that nobody was paid yet" },
          { value: "slash", label: "Cancel a slash that is not taken yet" },
        ]}
      />
      {draft.undoing === "slash" ? (
        <Slash {...fields} />
      ) : (
        <Field
          label={draft.undoing === "void" ? "Number of the spend" : "Number of the referendum"}
          inputMode="numeric"
          autoComplete="off"
          value={draft.index}
          error={problems.index}
          onChange={(event) => onChange({ index: event.target.value })}
        />
      )}
    </>
  );
}

function OriginField({ draft, onChange }: Pick<Fields, "draft" | "onChange">) {
  return (
    <SelectField
      label="Carried out as"
      help="Its origin decides on which track it is, and what it may do."
      value={draft.origin}
      onChange={(event) => onChange({ origin: event.target.value as Origin })}
      options={origins}
    />
  );
}

function Bytes({ draft, problems, onChange }: Fields) {
  return (
    <>
      <TextField
        label="Bytes of the call"
        help="In hexadecimal. What they say is read here before you sign."
        rows={4}
        spellCheck={false}
        autoComplete="off"
        className="font-mono break-all"
        value={draft.bytes}
        error={problems.bytes}
        onChange={(event) => onChange({ bytes: event.target.value })}
      />
      <OriginField draft={draft} onChange={onChange} />
    </>
  );
}

function Preimage({ draft, problems, found, onChange }: Fields & { found: number | null | undefined }) {
  return (
    <>
      <Field
        label="Hash of the call"
        help="BLAKE2-256 of its bytes, in hexadecimal."
        spellCheck={false}
        autoComplete="off"
        className="font-mono"
        value={draft.preimage}
        error={problems.preimage}
        onChange={(event) => onChange({ preimage: event.target.value })}
      />
      {typeof found === "number" ? (
        <p className="text-sm text-soft">The chain has it: {formatCount(found)} bytes.</p>
      ) : (
        <Field
          label="Its length"
          unit="bytes"
          inputMode="numeric"
          autoComplete="off"
          help={found === null ? "The chain does not have it yet." : undefined}
          value={draft.length}
          error={problems.length}
          onChange={(event) => onChange({ length: event.target.value })}
        />
      )}
      <OriginField draft={draft} onChange={onChange} />
    </>
  );
}

/** What is proposed. `found` is the length of the preimage whose hash is typed, as far as the chain knows it. */
export function ProposalFields(fields: Fields & { found: number | null | undefined }) {
  const { draft, onChange, found } = fields;
  return (
    <div className="grid gap-5">
      <ChoiceField<Kind>
        legend="What is proposed"
        value={draft.kind}
        options={kinds}
        onChange={(kind) => onChange({ kind })}
      />
      <div className="grid gap-4 border-t border-line pt-5">
        {draft.kind === "spend" && <Spend {...fields} />}
        {draft.kind === "upgrade" && <Upgrade {...fields} />}
        {draft.kind === "rule" && <RuleFields {...fields} />}
        {draft.kind === "undo" && <Undo {...fields} />}
        {draft.kind === "bytes" && <Bytes {...fields} />}
        {draft.kind === "preimage" && <Preimage {...fields} found={found} />}
      </div>
    </div>
  );
}
