import { ChoiceField, Field, TextField } from "@/components/ui/Field";
import { type Admission, type AdmissionText, MOST_INVITED } from "./admission.state";

/** Of whom a Datanet takes files. */
export function AdmissionFields({
  admission,
  leastPoints,
  problem,
  onChange,
}: AdmissionText & {
  problem: string | undefined;
  onChange: (change: Partial<AdmissionText>) => void;
}) {
  return (
    <>
      <ChoiceField<Admission>
        legend="It takes files of"
        value={admission}
        onChange={(chosen) => onChange({ admission: chosen })}
        options={[
          { value: "open", label: "Everybody", help: "Every contributor, within the daily quota." },
          { value: "invited", label: "Whom you invite", help: "Nobody else, whatever they have earned." },
          {
            value: "points",
            label: "Whom you invite, and who has earned points elsewhere",
            help: "Points that count over all Datanets: those that committees of many reviewers gave.",
          },
        ]}
      />
      {admission === "points" && (
        <div className="max-w-60">
          <Field
            label="Points that an account needs"
            inputMode="numeric"
            autoComplete="off"
            value={leastPoints}
            error={problem}
            onChange={(event) => onChange({ leastPoints: event.target.value })}
          />
        </div>
      )}
    </>
  );
}

/** Accounts that are invited. */
export function InvitedField({
  value,
  problem,
  onChange,
}: {
  value: string;
  problem: string | undefined;
  onChange: (value: string) => void;
}) {
  return (
    <TextField
      label="Accounts to invite"
      help={`An account a line, at most ${MOST_INVITED} at once. You may invite others later.`}
      rows={3}
      spellCheck={false}
      autoComplete="off"
      className="font-mono"
      value={value}
      error={problem}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
