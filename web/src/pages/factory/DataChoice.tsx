import { useState } from "react";
import { Link } from "wouter";
import type { Datanet, Dataset } from "@/api/types";
import { Card } from "@/components/ui/Card";
import { Field } from "@/components/ui/Field";
import { EmptyState, Loaded } from "@/components/ui/States";
import { formatCount, plural } from "@/lib/format";
import { describeProblem } from "@/lib/problem";
import { estimateTokens } from "@/training/estimate";
import { readVersion, useDatanets } from "@/training/queries";
import { MOST_DATANETS, type Size } from "./factory.state";

/** Which Datanets, each at which version. */
export function DataChoice({
  datasets,
  sizes,
  onChange,
}: {
  datasets: readonly Dataset[];
  sizes: readonly Size[] | undefined;
  onChange: (change: (now: readonly Dataset[]) => readonly Dataset[]) => void;
}) {
  const datanets = useDatanets();
  const [search, setSearch] = useState("");
  /** Those whose version the chain is asked for. */
  const [asked, setAsked] = useState<readonly number[]>([]);
  const [problem, setProblem] = useState<string>();
  const set = async (datanet: number, leaves?: number): Promise<string | undefined> => {
    setAsked((all) => [...all, datanet]);
    setProblem(undefined);
    try {
      const version = await readVersion(datanet, leaves);
      if (!version)
        return leaves === undefined
          ? "It has no version that a job may name: no file is accepted"
          : `It never had ${formatCount(leaves)} files`;
      onChange((now) =>
        (now.some((each) => each.datanet === datanet)
          ? now.map((each) => (each.datanet === datanet ? version : each))
          : [...now, version]
        ).slice(0, MOST_DATANETS),
      );
      return undefined;
    } catch (error) {
      return describeProblem(error).title;
    } finally {
      setAsked((all) => all.filter((each) => each !== datanet));
    }
  };
  const toggle = async (datanet: number, on: boolean) => {
    if (on) setProblem(await set(datanet));
    else onChange((now) => now.filter((each) => each.datanet !== datanet));
  };
  return (
    <Card
      title="Data"
      about={`Up to ${MOST_DATANETS} Datanets of text, each at a version that never changes. Newer files do not slip in.`}
    >
      <Loaded
        query={datanets}
        isEmpty={(data) => data.items.every((datanet) => datanet.modality !== "text" || datanet.leaves === 0)}
        empty={
          <EmptyState icon="datanets" title="No Datanet of text has an accepted file yet">
            <Link href="/datanets" className="link">
              Look at the Datanets
            </Link>
          </EmptyState>
        }
      >
        {(data) => {
          const shown = data.items
            .filter((datanet) => datanet.modality === "text" && datanet.leaves > 0)
            .filter(({ name, id }) => `${id} ${name}`.toLowerCase().includes(search.toLowerCase()));
          return (
            <div className="grid gap-3">
              {data.items.length > 6 && (
                <Field
                  label="Search"
                  type="search"
                  value={search}
                  onChange={(event) => setSearch(event.target.value)}
                />
              )}
              {problem && (
                <p role="alert" className="text-sm font-medium text-bad">
                  {problem}
                </p>
              )}
              <ul className="grid max-h-[26rem] gap-2 overflow-y-auto p-0.5">
                {shown.map((datanet) => {
                  const at = datasets.findIndex((each) => each.datanet === datanet.id);
                  return (
                    <Row
                      key={datanet.id}
                      datanet={datanet}
                      chosen={datasets[at]}
                      size={at < 0 ? undefined : sizes?.[at]}
                      asked={asked.includes(datanet.id)}
                      disabled={at < 0 && datasets.length >= MOST_DATANETS}
                      onToggle={(on) => void toggle(datanet.id, on)}
                      onVersion={(leaves) => set(datanet.id, leaves)}
                    />
                  );
                })}
              </ul>
            </div>
          );
        }}
      </Loaded>
    </Card>
  );
}

function Row({
  datanet,
  chosen,
  size,
  asked,
  disabled,
  onToggle,
  onVersion,
}: {
  datanet: Datanet;
  chosen: Dataset | undefined;
  size: Size | undefined;
  asked: boolean;
  disabled: boolean;
  onToggle: (on: boolean) => void;
  onVersion: (leaves: number) => Promise<string | undefined>;
}) {
  const fits = chosen && size && size.leaves === chosen.leaves;
  const newest = chosen === undefined || chosen.leaves === datanet.leaves;
  // Of an earlier version the index does not say how much it held.
  const units = fits ? size.units : newest ? BigInt(datanet.units) : null;
  const files = chosen?.leaves ?? datanet.leaves;
  return (
    <li className="grid gap-2 rounded-control border border-line p-3">
      <label className="flex items-start gap-3">
        <input
          type="checkbox"
          // It shows what was asked for at once; the chain answers a moment later.
          checked={chosen !== undefined || asked}
          disabled={disabled || asked}
          onChange={(event) => onToggle(event.target.checked)}
          className="mt-1 size-4 shrink-0 accent-accent"
        />
        <span className="min-w-0 flex-1">
          <span className="block font-medium break-words">{datanet.name}</span>
          <span className="block text-xs text-soft">
            Datanet {datanet.id} · {plural(files, "file")} ·{" "}
            {units === null
              ? "how much text is not known yet"
              : `${formatCount(units)} bytes of text · about ${formatCount(estimateTokens(units))} tokens`}
            {fits && size.rough ? " (rough)" : ""}
          </span>
          {chosen && chosen.leftOut > 0 && (
            <span className="block text-xs text-soft">
              {chosen.leftOut === 1
                ? "1 file of this version was revoked: it is left out"
                : `${formatCount(chosen.leftOut)} files of this version were revoked: they are left out`}
            </span>
          )}
          {asked && (
            <span role="status" className="block text-xs text-soft">
              Asking the chain for its version
            </span>
          )}
        </span>
      </label>
      {chosen && (
        <div className="pl-7">
          <VersionField key={chosen.leaves} datanet={datanet} chosen={chosen} onVersion={onVersion} />
        </div>
      )}
    </li>
  );
}

function VersionField({
  datanet,
  chosen,
  onVersion,
}: {
  datanet: Datanet;
  chosen: Dataset;
  onVersion: (leaves: number) => Promise<string | undefined>;
}) {
  const [text, setText] = useState(String(chosen.leaves));
  const [error, setError] = useState<string>();
  const leave = async () => {
    if (!/^\d{1,15}$/.test(text) || Number(text) === 0) return setError("Write a number of files, 1 or more");
    if (Number(text) !== chosen.leaves) setError(await onVersion(Number(text)));
  };
  return (
    <div className="max-w-56">
      <Field
        label="Version"
        unit="files"
        inputMode="numeric"
        value={text}
        error={error}
        help={
          chosen.leaves === datanet.leaves
            ? "The newest version"
            : `The newest has ${formatCount(datanet.leaves)}`
        }
        onChange={(event) => {
          setText(event.target.value);
          setError(undefined);
        }}
        onBlur={() => void leave()}
        onKeyDown={(event) => {
          if (event.key === "Enter") void leave();
        }}
      />
    </div>
  );
}
