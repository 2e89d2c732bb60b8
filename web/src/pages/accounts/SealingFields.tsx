import { passkeysPossible } from "@/accounts/passkey";
import { Field } from "@/components/ui/Field";
import { type Sealing, SHORTEST_PASSWORD } from "./keys.state";

/** The choice between passkey and password. */
export function SealingFields({
  sealing,
  onChange,
}: {
  sealing: Sealing;
  onChange: (sealing: Sealing) => void;
}) {
  const possible = passkeysPossible();
  return (
    <fieldset className="grid gap-3">
      <legend className="mb-1.5 text-sm font-medium">Sealed by</legend>
      <label className="flex items-start gap-2.5 text-sm">
        <input
          type="radio"
          name="sealing"
          className="mt-1 size-4 accent-accent"
          checked={sealing.by === "passkey"}
          disabled={!possible}
          onChange={() => onChange({ by: "passkey" })}
        />
        <span>
          A passkey
          <span className="block text-xs text-soft">
            {possible
              ? "Your fingerprint, face or the device’s PIN opens it."
              : "Not at this address: browsers want https, or localhost by its name."}
          </span>
        </span>
      </label>
      <label className="flex items-start gap-2.5 text-sm">
        <input
          type="radio"
          name="sealing"
          className="mt-1 size-4 accent-accent"
          checked={sealing.by === "password"}
          onChange={() => onChange({ by: "password", password: "" })}
        />
        <span>
          A password
          <span className="block text-xs text-soft">Works everywhere. Nobody can reset it.</span>
        </span>
      </label>
      {sealing.by === "password" && (
        <Field
          label="Password"
          type="password"
          autoComplete="new-password"
          minLength={SHORTEST_PASSWORD}
          required
          help={`At least ${SHORTEST_PASSWORD} characters; several words are good.`}
          value={sealing.password}
          onChange={(event) => onChange({ by: "password", password: event.target.value })}
        />
      )}
    </fieldset>
  );
}
