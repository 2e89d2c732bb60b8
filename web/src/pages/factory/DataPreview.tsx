import { useState } from "react";
import { useGet } from "@/api/queries";
import type { Dataset, List, Preview, Submission } from "@/api/types";
import { Badge } from "@/components/ui/Badge";
import { Card } from "@/components/ui/Card";
import { SelectField } from "@/components/ui/Field";
import { Notice } from "@/components/ui/Notice";
import { Loaded } from "@/components/ui/States";
import { classes } from "@/lib/classes";
import { formatBytes, formatCount, plural } from "@/lib/format";
import { type Examples, examplesOf } from "@/training/examples";
import { useDatanets } from "@/training/queries";

const SHOWN = 25;

/** What the model will see: canonical text of a chosen file, cut into examples. */
export function DataPreview({ datasets, longest }: { datasets: readonly Dataset[]; longest: number }) {
  const datanets = useDatanets();
  const [chosen, setChosen] = useState<number>();
  const datanet = datasets.find((each) => each.datanet === chosen) ?? datasets[0];
  if (!datanet) return null;
  return (
    <Card
      title="What the model will see"
      about="Canonical text as curators saw it, from the gateway's bounded reader. The worker's own reader decides."
    >
      <div className="grid gap-4">
        {datasets.length > 1 && (
          <SelectField
            label="Datanet"
            value={String(datanet.datanet)}
            onChange={(event) => setChosen(Number(event.target.value))}
            options={datasets.map(({ datanet: id }) => ({
              value: String(id),
              label: datanets.data?.items.find((each) => each.id === id)?.name ?? `Datanet ${id}`,
            }))}
          />
        )}
        <Files key={datanet.datanet} dataset={datanet} longest={longest} />
      </div>
    </Card>
  );
}

function Files({ dataset, longest }: { dataset: Dataset; longest: number }) {
  const files = useGet<List<Submission>>(
    ["datanet", dataset.datanet, "accepted"],
    `/v1/datanets/${dataset.datanet}/submissions`,
    { state: "accepted", limit: 100 },
  );
  const [sha256, setSha256] = useState<string>();
  return (
    <Loaded query={files}>
      {(data) => {
        const within = data.items
          .filter(({ leaf, revoked }) => leaf !== null && leaf < dataset.leaves && !revoked)
          .sort((one, other) => (one.leaf ?? 0) - (other.leaf ?? 0))
          .slice(0, SHOWN);
        const file = within.find((each) => each.sha256 === sha256) ?? within[0];
        if (!file) return <p className="text-sm text-soft">None of the newest files is in this version.</p>;
        return (
          <div className="grid gap-4">
            <SelectField
              label="File"
              help={
                within.length < dataset.leaves - dataset.leftOut
                  ? `${within.length} of ${formatCount(dataset.leaves - dataset.leftOut)} can be looked at here.`
                  : undefined
              }
              value={file.sha256}
              onChange={(event) => setSha256(event.target.value)}
              options={within.map((each) => ({
                value: each.sha256,
                label: `Submission ${each.id}.${each.media}, ${formatBytes(each.size)}`,
              }))}
            />
            <FilePreview file={file} longest={longest} />
          </div>
        );
      }}
    </Loaded>
  );
}

const kinds: Record<Examples["kind"], string> = {
  records: "Each line is a JSON object and becomes an example.",
  questions: "Lines Q: and A: become conversations; text around them is trained on as text.",
  text: "Plain text in windows of the longest example; a token is taken for four bytes here.",
};

function FilePreview({ file, longest }: { file: Submission; longest: number }) {
  const preview = useGet<Preview>(["preview", file.sha256], `/v1/previews/${file.sha256}`);
  return (
    <Loaded query={preview}>
      {(data) => {
        if (data.refusal)
          return (
            <Notice tone="warn" title="The reader refuses this file">
              {data.refusal}
            </Notice>
          );
        if (data.text === null) return <p className="text-sm text-soft">It has no text.</p>;
        const found = examplesOf(data.text, data.truncated, longest, data.media);
        return (
          <div className="grid gap-3">
            <p className="text-sm text-soft">
              {data.units !== null && `${formatCount(data.units)} units. `}
              {kinds[found.kind]}
              {data.leftOut.length > 0 &&
                ` Left out: ${data.leftOut.map(({ units, text }) => `${formatCount(units)} ${text}`).join(", ")}.`}
            </p>
            {found.unread.length > 0 && (
              <Notice tone="warn" title={`${plural(found.unread.length, "record")} of no known shape`}>
                Line {found.unread.slice(0, 10).join(", ")}
                {found.unread.length > 10 && " and more"}: the worker's report names them, and trains on the
                rest.
              </Notice>
            )}
            <ol className="grid max-h-96 gap-3 overflow-y-auto" aria-label="Examples">
              {found.examples.slice(0, 5).map((parts, n) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: examples have no other name than their place
                <li key={n} className="grid gap-2 rounded-control bg-sunken p-3 text-sm">
                  {parts.map((part, at) => (
                    // biome-ignore lint/suspicious/noArrayIndexKey: parts have no other name than their place
                    <div key={at} className="grid gap-1">
                      <span className="flex flex-wrap items-center gap-2 text-xs text-soft">
                        {part.role}
                        {part.learned ? <Badge tone="good">learned</Badge> : <Badge>read only</Badge>}
                      </span>
                      <p
                        className={classes(
                          "max-h-40 overflow-y-auto break-words whitespace-pre-wrap",
                          !part.learned && "text-soft",
                        )}
                      >
                        {part.text}
                      </p>
                    </div>
                  ))}
                </li>
              ))}
            </ol>
            {found.kind === "records" &&
              found.examples.some((parts) => parts.some(({ role }) => role === "rejected")) && (
                <p className="text-sm text-soft">
                  Jobs of the chain learn the chosen answers (SFT). To learn from the pairs, train on your own
                  machine with <code>trainer-worker train --stage dpo</code>.
                </p>
              )}
          </div>
        );
      }}
    </Loaded>
  );
}
