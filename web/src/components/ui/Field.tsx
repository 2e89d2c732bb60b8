import { type ComponentProps, type ReactNode, useId } from "react";
import { classes } from "@/lib/classes";

const control =
  "w-full min-h-10 rounded-control border border-line-strong/60 bg-surface px-3 py-2 text-ink placeholder:text-soft hover:border-line-strong disabled:opacity-60 aria-invalid:border-bad";

interface Described {
  label: ReactNode;
  help?: ReactNode;
  error?: ReactNode;
  /** Written after the label, such as a unit. */
  unit?: ReactNode;
}

function Frame({
  id,
  label,
  help,
  error,
  unit,
  children,
}: Described & { id: string; children: (ids: string | undefined) => ReactNode }) {
  const described = [help ? `${id}-help` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ");
  return (
    <div className="grid content-start gap-1.5">
      <label htmlFor={id} className="text-sm font-medium">
        {label}
        {unit && <span className="ml-1.5 font-normal text-soft">{unit}</span>}
      </label>
      {children(described || undefined)}
      {help && (
        <p id={`${id}-help`} className="text-xs text-soft">
          {help}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} role="alert" className="text-xs font-medium text-bad">
          {error}
        </p>
      )}
    </div>
  );
}

/** A line of text, a number, a password. */
export function Field({ label, help, error, unit, className, ...rest }: ComponentProps<"input"> & Described) {
  const own = useId();
  const id = rest.id ?? own;
  return (
    <Frame id={id} label={label} help={help} error={error} unit={unit}>
      {(described) => (
        <input
          {...rest}
          id={id}
          aria-describedby={described}
          aria-invalid={error ? true : undefined}
          className={classes(control, className)}
        />
      )}
    </Frame>
  );
}

/** Text of several lines. */
export function TextField({
  label,
  help,
  error,
  unit,
  className,
  ...rest
}: ComponentProps<"textarea"> & Described) {
  const own = useId();
  const id = rest.id ?? own;
  return (
    <Frame id={id} label={label} help={help} error={error} unit={unit}>
      {(described) => (
        <textarea
          rows={3}
          {...rest}
          id={id}
          aria-describedby={described}
          aria-invalid={error ? true : undefined}
          className={classes(control, "resize-y", className)}
        />
      )}
    </Frame>
  );
}

/** One of a list: the browser's own, which every phone and screen reader knows. */
export function SelectField({
  label,
  help,
  error,
  unit,
  className,
  options,
  ...rest
}: ComponentProps<"select"> & Described & { options: readonly { value: string; label: string }[] }) {
  const own = useId();
  const id = rest.id ?? own;
  return (
    <Frame id={id} label={label} help={help} error={error} unit={unit}>
      {(described) => (
        <select
          {...rest}
          id={id}
          aria-describedby={described}
          aria-invalid={error ? true : undefined}
          className={classes(control, "pr-8", className)}
        >
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    </Frame>
  );
}

/** Yes or no. */
export function CheckField({
  label,
  help,
  ...rest
}: Omit<ComponentProps<"input">, "type"> & Omit<Described, "error" | "unit">) {
  const own = useId();
  const id = rest.id ?? own;
  return (
    <div className="flex gap-2.5">
      <input
        {...rest}
        id={id}
        type="checkbox"
        aria-describedby={help ? `${id}-help` : undefined}
        className="mt-1 size-4 shrink-0 accent-accent"
      />
      <div>
        <label htmlFor={id} className="text-sm">
          {label}
        </label>
        {help && (
          <p id={`${id}-help`} className="text-xs text-soft">
            {help}
          </p>
        )}
      </div>
    </div>
  );
}

/** One of a few, each with a word on what it means. */
export function ChoiceField<Value extends string>({
  legend,
  value,
  options,
  onChange,
}: {
  legend: ReactNode;
  value: Value;
  options: readonly { value: Value; label: ReactNode; help?: ReactNode }[];
  onChange: (value: Value) => void;
}) {
  const name = useId();
  return (
    <fieldset className="grid gap-3">
      <legend className="mb-2 text-sm font-medium">{legend}</legend>
      {options.map((option) => {
        const id = `${name}-${option.value}`;
        return (
          <div key={option.value} className="flex items-start gap-2.5 text-sm">
            <input
              type="radio"
              id={id}
              name={name}
              value={option.value}
              checked={option.value === value}
              aria-describedby={option.help ? `${id}-help` : undefined}
              onChange={() => onChange(option.value)}
              className="mt-0.5 size-4 shrink-0 accent-accent"
            />
            <div className="min-w-0">
              <label htmlFor={id}>{option.label}</label>
              {option.help && (
                <p id={`${id}-help`} className="text-xs text-soft">
                  {option.help}
                </p>
              )}
            </div>
          </div>
        );
      })}
    </fieldset>
  );
}
