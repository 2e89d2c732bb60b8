import { useState } from "react";
import { Link } from "wouter";
import { useAccount } from "@/accounts/state";
import { useGet } from "@/api/queries";
import type { Account as ChainAccount } from "@/api/types";
import { Badge } from "@/components/ui/Badge";
import { Meter } from "@/components/ui/Bars";
import { Button, ButtonLink, IconButton } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { SelectField } from "@/components/ui/Field";
import { Icon } from "@/components/ui/Icon";
import { Notice } from "@/components/ui/Notice";
import { formatBytes, formatCount, plural } from "@/lib/format";
import { describeProblem, type Problem } from "@/lib/problem";
import { useDatanets } from "@/training/queries";
import { type Pair, pairsFile } from "./pairs";

/** The marked pairs, and the way into a Datanet. */
export function PairsCard({
  pairs,
  onRemove,
  onSubmitted,
}: {
  pairs: readonly Pair[];
  onRemove: (id: number) => void;
  onSubmitted: (ids: readonly number[]) => void;
}) {
  const account = useAccount();
  const datanets = useDatanets();
  const [chosen, setChosen] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  /** Where pairs were promised that are still to be opened. */
  const [promised, setPromised] = useState<number>();
  const fitting = datanets.data?.items.filter(({ formats }) => formats.includes("txt")) ?? [];
  const datanet = fitting.find(({ id }) => String(id) === chosen) ?? fitting[0];
  const bytes = new TextEncoder().encode(pairsFile(pairs));

  const submit = async () => {
    if (!account || !datanet) return;
    setBusy(true);
    setProblem(undefined);
    setPromised(undefined);
    try {
      const { giveMade } = await import("@/pages/contribute/contribute.state");
      const name = `${plural(pairs.length, "pair")}.txt`;
      const given = await giveMade(account, datanet, new File([bytes], name, { type: "text/plain" }));
      if (given) onSubmitted(pairs.map(({ id }) => id));
      if (given === "promised") setPromised(datanet.id);
    } catch (error) {
      setProblem(describeProblem(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <Card
      title="Marked pairs"
      about="A better answer beside a worse one. The next refine on the Datanet learns from them."
    >
      <div className="grid gap-5">
        {pairs.length === 0 ? (
          <p className="text-sm text-soft">
            Say under an answer that it is the better one, or write a better one yourself.
          </p>
        ) : (
          <>
            <ol className="grid max-h-80 gap-3 overflow-y-auto" aria-label="Marked pairs">
              {pairs.map((pair) => (
                <li key={pair.id} className="flex gap-3 rounded-control bg-sunken p-3 text-sm">
                  <div className="grid min-w-0 flex-1 gap-1.5">
                    <p className="font-medium break-words">{pair.prompt.at(-1)?.content}</p>
                    <p className="line-clamp-3 break-words">
                      <Badge tone="good">{pair.written ? "written" : "better"}</Badge> {pair.chosen}
                    </p>
                    <p className="line-clamp-2 break-words text-soft">
                      <Badge>worse</Badge> {pair.rejected}
                    </p>
                  </div>
                  <IconButton label="Remove the pair" onClick={() => onRemove(pair.id)}>
                    <Icon name="close" className="size-4" />
                  </IconButton>
                </li>
              ))}
            </ol>
            <SelectField
              label="Datanet"
              value={datanet ? String(datanet.id) : ""}
              onChange={(event) => setChosen(event.target.value)}
              help="One .txt file of JSON lines with prompt, chosen and rejected. Every line is an example."
              options={
                fitting.length > 0
                  ? fitting.map(({ id, name }) => ({ value: String(id), label: name }))
                  : [{ value: "", label: "No Datanet takes .txt files" }]
              }
            />
            {account && <QuotaMeter address={account.address} size={bytes.length} />}
            {problem && (
              <Notice tone="bad" alert title={problem.title}>
                {problem.next}
              </Notice>
            )}
            <Button
              look="primary"
              className="justify-self-start"
              busy={busy}
              disabled={!account || !datanet}
              onClick={() => void submit()}
            >
              {account ? `Submit ${plural(pairs.length, "pair")}` : "Choose an account to submit"}
            </Button>
          </>
        )}
        {promised !== undefined && (
          <Notice
            tone="warn"
            title="The pairs are promised and not opened yet"
            actions={
              <ButtonLink size="small" href={`/contribute?datanet=${promised}`}>
                Open them
              </ButtonLink>
            }
          >
            They are submitted when you open them, within a day. What opens them is in this browser alone.
          </Notice>
        )}
        <p className="text-sm text-soft">
          Jobs of the chain learn the chosen answers (SFT). To learn from the pairs themselves (DPO), train on
          your own machine: <code>trainer-worker train --stage dpo</code>.{" "}
          <Link href="/factory" className="link">
            ModelFactory
          </Link>
        </p>
      </div>
    </Card>
  );
}

/** What the account may still submit today. */
function QuotaMeter({ address, size }: { address: string; size: number }) {
  const account = useGet<ChainAccount>(["account", address], `/v1/accounts/${address}`);
  if (!account.data) return null;
  const { quota, contributor } = account.data;
  if (!contributor) {
    return (
      <Notice tone="warn" title="This account is no contributor yet">
        <Link href="/contribute" className="link">
          Become one
        </Link>{" "}
        and come back: the pairs stay as long as this page is open.
      </Notice>
    );
  }
  const left = quota.limits.bytes - quota.used.bytes;
  return (
    <div className="grid gap-2">
      <Meter
        label="Files today"
        value={quota.used.files}
        max={quota.limits.files}
        shown={`${formatCount(quota.used.files)} of ${formatCount(quota.limits.files)}`}
      />
      {size > left && (
        <p className="text-sm text-bad">
          {formatBytes(size)} do not fit into what is left of today's quota, {formatBytes(Math.max(0, left))}.
        </p>
      )}
    </div>
  );
}
