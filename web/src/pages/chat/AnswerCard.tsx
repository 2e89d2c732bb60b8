import { useState } from "react";
import { Link } from "wouter";
import { Badge } from "@/components/ui/Badge";
import { Button } from "@/components/ui/Button";
import { TextField } from "@/components/ui/Field";
import { Icon } from "@/components/ui/Icon";
import { Spinner } from "@/components/ui/Spinner";
import { Copyable } from "@/components/ui/Values";
import { formatCount } from "@/lib/format";
import type { Answer } from "./answers";
import type { Column } from "./chat.state";
import { pairProblem } from "./pairs";
import { SourceList } from "./SourceList";

/** One answer: its text, what gave it, and what one thinks of it. */
export function AnswerCard({
  column,
  answer,
  onBetter,
  onWritten,
}: {
  column: Column;
  answer: Answer;
  /** It is better than the other one; missing where there is no other. */
  onBetter: (() => void) | undefined;
  onWritten: (better: string) => void;
}) {
  const [writing, setWriting] = useState<string | null>(null);
  const over = answer.state === "done" || answer.state === "stopped" || answer.state === "failed";
  const problem = writing === null ? null : pairProblem(writing, answer.text);
  return (
    <article
      aria-label={column.title}
      className="grid min-w-0 content-start gap-3 rounded-card border border-line bg-surface p-4 shadow-card"
    >
      <header className="flex flex-wrap items-center justify-between gap-2">
        <h3 className="text-sm font-semibold">{column.title}</h3>
        {!over && <Spinner />}
        {answer.state === "waiting" && answer.sources && (
          <span className="text-xs text-soft">documentation read</span>
        )}
        {answer.finish === "length" && <Badge tone="warn">cut at the token limit</Badge>}
        {answer.state === "stopped" && <Badge>stopped</Badge>}
      </header>
      <p className="min-h-6 break-words whitespace-pre-wrap" aria-live={over ? "polite" : "off"}>
        {answer.text || (over ? <span className="text-soft">No text.</span> : null)}
      </p>
      {answer.error && (
        <p role="alert" className="text-sm font-medium text-bad">
          {answer.error}
        </p>
      )}
      {answer.sources && answer.sources.length > 0 && (
        <section aria-label="Sources" className="grid gap-2 border-t border-line pt-3">
          <h4 className="text-sm font-semibold">Sources</h4>
          <SourceList sources={answer.sources} />
        </section>
      )}
      {over && <Provenance column={column} answer={answer} />}
      {over && answer.text && (
        <div className="flex flex-wrap gap-2 border-t border-line pt-3">
          {onBetter && (
            <Button size="small" onClick={onBetter} icon={<Icon name="check" className="size-4" />}>
              This one is better
            </Button>
          )}
          <Button size="small" look="quiet" onClick={() => setWriting(writing === null ? answer.text : null)}>
            {writing === null ? "Write a better one" : "Never mind"}
          </Button>
        </div>
      )}
      {writing !== null && (
        <div className="grid gap-2">
          <TextField
            label="A better answer"
            rows={4}
            value={writing}
            onChange={(event) => setWriting(event.target.value)}
          />
          <Button
            size="small"
            look="primary"
            className="justify-self-start"
            disabled={problem !== null}
            onClick={() => {
              onWritten(writing);
              setWriting(null);
            }}
          >
            Mark as a pair
          </Button>
        </div>
      )}
    </article>
  );
}

/** What answered, by hash, and whether that is what stands on chain. */
function Provenance({ column, answer }: { column: Column; answer: Answer }) {
  const { adapterSha256, baseSha256 } = answer;
  const told = column.expected ? adapterSha256 : null;
  return (
    <dl className="grid grid-cols-[max-content_minmax(0,1fr)] items-center gap-x-3 gap-y-1 text-xs">
      {column.expected && (
        <>
          <dt className="text-soft">Adapter</dt>
          <dd className="flex flex-wrap items-center gap-2">
            {adapterSha256 ? <Copyable text={adapterSha256} what="hash of the adapter" /> : "not said"}
            {told && (
              <Badge tone={told === column.expected ? "good" : "bad"}>
                {told === column.expected ? "as on chain" : "not what is on chain"}
              </Badge>
            )}
          </dd>
        </>
      )}
      {!column.expected && (
        <>
          <dt className="text-soft">Adapter</dt>
          <dd>none</dd>
        </>
      )}
      {baseSha256 && (
        <>
          <dt className="text-soft">Base</dt>
          <dd>
            <Copyable text={baseSha256} what="hash of the base model" />
          </dd>
        </>
      )}
      {answer.receipt && (
        <>
          <dt className="text-soft">Docs receipt</dt>
          <dd className="flex flex-wrap items-center gap-2">
            <Copyable text={answer.receipt.id} what="docs receipt" />
            {answer.receipt.block && (
              <span className="tabular text-soft">at block {formatCount(answer.receipt.block.number)}</span>
            )}
            {answer.receipt.instructions && answer.receipt.adapter !== null && (
              <Link href={`/agents/${answer.receipt.adapter}`} className="link">
                instructions {answer.receipt.instructions.version}
              </Link>
            )}
          </dd>
        </>
      )}
      {answer.tokens !== null && (
        <>
          <dt className="text-soft">Tokens</dt>
          <dd className="tabular">{formatCount(answer.tokens)}</dd>
        </>
      )}
    </dl>
  );
}
