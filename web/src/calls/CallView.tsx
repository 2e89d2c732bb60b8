import type { ReactNode } from "react";
import { AccountName, Amount } from "@/components/ui/Values";
import { classes } from "@/lib/classes";
import { formatCount } from "@/lib/format";
import type { Call, Shown } from "./decode";

/** Arguments that are amounts of OPEN. Whether or not one is among them, the whole number stands there. */
const amounts = [
  ...["amount", "value", "balance", "max_additional", "per_period", "max_per_point", "price_per_token"],
  ...["min_nominator_bond", "min_validator_bond"],
];

function Fields({ fields }: { fields: readonly (readonly [string, Shown])[] }) {
  return (
    <dl className="grid gap-3 text-sm">
      {fields.map(([name, value]) => (
        <div key={name} className="grid gap-0.5 sm:grid-cols-[11rem_minmax(0,1fr)] sm:gap-4">
          <dt className="font-mono text-[0.92em] text-soft break-words">{name}</dt>
          <dd className="min-w-0">
            <Value shown={value} name={name} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Inset({ children }: { children: ReactNode }) {
  return <div className="mt-1 border-l-2 border-line pl-3">{children}</div>;
}

function Value({ shown, name = "" }: { shown: Shown; name?: string }): ReactNode {
  switch (shown.kind) {
    case "nothing":
      return <span className="text-soft">none</span>;
    case "word":
      return shown.text;
    case "number":
      return (
        <span className="tabular wrap-anywhere">
          {amounts.includes(name) ? (
            <>
              <Amount plancks={shown.value} most={18} />{" "}
              <span className="text-soft">({formatCount(shown.value)} plancks)</span>
            </>
          ) : (
            formatCount(shown.value)
          )}
        </span>
      );
    case "account":
      return <AccountName account={shown.account} whole />;
    case "code":
      return <code className="font-mono text-[0.92em] break-all">{shown.text}</code>;
    case "text":
      return <span className="whitespace-pre-wrap break-words">“{shown.text}”</span>;
    case "list":
      return shown.items.length === 0 ? (
        <span className="text-soft">none</span>
      ) : (
        <ol className="grid gap-3">
          {shown.items.map((item, n) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: what is decoded is never reordered
            <li key={n} className={classes(shown.items.length > 1 && "flex gap-2")}>
              {shown.items.length > 1 && <span className="tabular text-soft">{n + 1}.</span>}
              <div className="min-w-0 flex-1">
                <Value shown={item} name={name} />
              </div>
            </li>
          ))}
        </ol>
      );
    case "fields":
      return (
        <Inset>
          <Fields fields={shown.fields} />
        </Inset>
      );
    case "variant":
      return shown.value.kind === "nothing" ? (
        shown.name
      ) : (
        <>
          {shown.name}
          <Inset>
            <Value shown={shown.value} name={name} />
          </Inset>
        </>
      );
    case "call":
      return (
        <Inset>
          <CallView call={shown.call} />
        </Inset>
      );
  }
}

/** A call with every argument. */
export function CallView({ call }: { call: Call }) {
  return (
    <div className="grid gap-4">
      <div>
        <p className="font-mono font-semibold break-words">
          {call.pallet}.{call.name}
        </p>
        {call.about && <p className="mt-1 text-sm text-soft">{call.about}</p>}
      </div>
      {call.arguments.length > 0 ? (
        <Fields fields={call.arguments} />
      ) : (
        <p className="text-sm text-soft">It has no arguments.</p>
      )}
    </div>
  );
}
