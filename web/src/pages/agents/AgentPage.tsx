import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useAccount } from "@/accounts/state";
import { useConfig } from "@/api/queries";
import type { Draft, Instructions, InstructionsVersion, Receipt } from "@/api/types";
import { toast } from "@/app/toasts";
import { CodeBlock } from "@/components/CodeBlock";
import { AdapterRevoked } from "@/components/Revoked";
import { Badge } from "@/components/ui/Badge";
import { Button, ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Dialog } from "@/components/ui/Dialog";
import { CheckField, Field, TextField } from "@/components/ui/Field";
import { Icon } from "@/components/ui/Icon";
import { Notice } from "@/components/ui/Notice";
import { Page } from "@/components/ui/Page";
import { Skeleton } from "@/components/ui/Skeleton";
import { EmptyState, ErrorState, Loaded } from "@/components/ui/States";
import { AccountName, Copyable, Facts, Time } from "@/components/ui/Values";
import { formatCount } from "@/lib/format";
import { describeProblem } from "@/lib/problem";
import { useAdapter } from "@/training/queries";
import {
  draftOf,
  OWN,
  publish,
  readTyped,
  type Typed,
  typedOf,
  useInstructions,
  useReceipts,
  useVersions,
} from "./agent.state";

/** How an adapter answers in chat and which documentation it asks: for everyone to read, for its owner to change. */
export default function AgentPage({ id = "" }: Record<string, string>) {
  const number = Number(id);
  const known = /^\d{1,15}$/.test(id);
  const account = useAccount();
  const adapter = useAdapter(number, known);
  const instructions = useInstructions(number, known);
  if (!known || adapter.error) {
    return (
      <Page title={`Agent of adapter ${id}`}>
        <ErrorState
          error={known ? adapter.error : `“${id}” is no number of an adapter`}
          retry={known ? () => void adapter.refetch() : undefined}
        />
      </Page>
    );
  }
  const owner = adapter.data?.owner;
  return (
    <Page
      title={`Agent of adapter ${id}`}
      about="What its owner tells it before every question in chat, and which documentation it asks first."
      actions={
        <>
          <ButtonLink href={`/runs/${id}`}>Its run</ButtonLink>
          <ButtonLink href={`/chat?adapter=${id}`} look="primary" icon={<Icon name="chat" />}>
            Chat with it
          </ButtonLink>
        </>
      }
    >
      {adapter.data?.holdsRevoked && <AdapterRevoked adapter={number} />}
      <Loaded query={instructions}>
        {(now) => (
          <>
            <Card title="Instructions" about={now ? `Version ${now.version}` : undefined}>
              {now ? <Current kept={now} /> : <NoInstructions owner={owner} />}
            </Card>
            {account && account.address === owner && (
              <Editor key={now?.version ?? 0} adapter={number} now={now?.instructions} />
            )}
          </>
        )}
      </Loaded>
      <Receipts adapter={number} />
      <Versions adapter={number} />
    </Page>
  );
}

function NoInstructions({ owner }: { owner: string | undefined }) {
  return (
    <EmptyState icon="chat" title="Its owner has not instructed it">
      It answers by itself and asks no documentation unless the asker wants it.{" "}
      {owner && (
        <>
          The owner is <AccountName account={owner} />.
        </>
      )}
    </EmptyState>
  );
}

function Current({ kept }: { kept: InstructionsVersion }) {
  const { system, goal, sources } = kept.instructions;
  const off = system === "" && sources?.length === 0;
  return (
    <div className="grid gap-5">
      {off && <Notice title="The agent is off">These instructions say nothing and ask nobody.</Notice>}
      {system && <p className="max-w-3xl break-words whitespace-pre-wrap">{system}</p>}
      <Facts
        facts={[
          ["Sources", <Sources key="sources" sources={sources ?? []} />],
          ...(goal ? [["Goal", goal] as const] : []),
          ["Signed by", <AccountName key="account" account={kept.account} />],
          ["Signed", <Time key="at" ms={kept.at} />],
          ["On IPFS", <Copyable key="content" text={kept.content} what="content id" />],
        ]}
      />
    </div>
  );
}

function Sources({ sources }: { sources: readonly string[] }) {
  if (sources.length === 0) return <>none</>;
  return (
    <ul className="grid gap-1">
      {sources.map((source) => (
        <li key={source} className="flex flex-wrap items-center gap-2">
          {source === OWN ? (
            "OpenLedger’s documentation"
          ) : (
            <>
              <span className="min-w-0 break-all">{source}</span> <Badge>outside</Badge>
            </>
          )}
        </li>
      ))}
    </ul>
  );
}

function Editor({ adapter, now }: { adapter: number; now: Instructions | undefined }) {
  const account = useAccount();
  const config = useConfig();
  const client = useQueryClient();
  const [typed, setTyped] = useState<Typed>(() => typedOf(now));
  const [signing, setSigning] = useState<{ draft: Draft; instructions: Instructions }>();
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<string>();
  const { instructions, errors } = readTyped(typed);
  const hosts = config.data?.knowledgeHosts ?? [];
  const change = (part: Partial<Typed>) => {
    setRefused(undefined);
    setTyped({ ...typed, ...part });
  };
  const run = async (work: () => Promise<void>) => {
    setBusy(true);
    try {
      await work();
    } catch (error) {
      const { title, next } = describeProblem(error);
      setRefused(next ? `${title}. ${next}` : title);
      setSigning(undefined);
    } finally {
      setBusy(false);
    }
  };
  if (!account) return null;
  const prepare = () =>
    run(async () =>
      setSigning({ draft: await draftOf(account.address, adapter, instructions), instructions }),
    );
  const sign = () =>
    run(async () => {
      if (!signing) return;
      const kept = await publish(account, adapter, signing.instructions, signing.draft);
      setSigning(undefined);
      toast(`Version ${kept.version} holds from now on`);
      await client.invalidateQueries({ queryKey: ["instructions", adapter] });
    });
  return (
    <Card
      title="Change them"
      about="A new version, signed by you. It costs nothing, and older ones stay readable."
    >
      <form
        className="grid max-w-3xl gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (Object.keys(errors).length === 0) void prepare();
        }}
      >
        <TextField
          label="System text"
          help="What stands first in every prompt. What documentation says can never change it."
          rows={6}
          value={typed.system}
          error={errors.system}
          onChange={(event) => change({ system: event.target.value })}
        />
        <Field
          label="Goal"
          help="What askers are after, told to the sources with each question. May be empty."
          value={typed.goal}
          error={errors.goal}
          onChange={(event) => change({ goal: event.target.value })}
        />
        <CheckField
          label="Ask OpenLedger’s documentation"
          checked={typed.own}
          onChange={(event) => change({ own: event.target.checked })}
        />
        <TextField
          label="Other documentation"
          help={
            hosts.length > 0
              ? `An address a line, of sites that answer ?ask= as GitBook does. Questions are sent there. This gateway’s operator allows ${hosts.join(", ")}.`
              : "This gateway’s operator allows no other documentation."
          }
          rows={3}
          spellCheck={false}
          disabled={hosts.length === 0 && typed.sources === ""}
          value={typed.sources}
          error={errors.sources}
          onChange={(event) => change({ sources: event.target.value })}
        />
        {refused && (
          <Notice tone="bad" alert title="The gateway did not take it">
            {refused}
          </Notice>
        )}
        <Button
          type="submit"
          look="primary"
          className="justify-self-start"
          busy={busy && !signing}
          disabled={Object.keys(errors).length > 0}
        >
          Look at it and sign
        </Button>
      </form>
      <Dialog
        open={signing !== undefined}
        onClose={() => setSigning(undefined)}
        locked={busy}
        title={`Sign version ${signing?.draft.version ?? ""}`}
        about="You sign this text, letter by letter. No transaction is sent and nothing is paid."
        actions={
          <>
            <Button onClick={() => setSigning(undefined)} disabled={busy}>
              Back
            </Button>
            <Button look="primary" busy={busy} onClick={() => void sign()}>
              Sign
            </Button>
          </>
        }
      >
        {signing && <CodeBlock label="Text to sign" text={signing.draft.text} wrap />}
      </Dialog>
    </Card>
  );
}

function Receipts({ adapter }: { adapter: number }) {
  const receipts = useReceipts(adapter, true);
  const items = receipts.data ?? [];
  if (receipts.error) return <ErrorState error={receipts.error} retry={() => void receipts.refetch()} />;
  if (receipts.isPending) return <Skeleton lines={3} />;
  return (
    <Card
      title="Docs receipts"
      about="Which documentation its last answers rest on. Questions are kept as hashes only."
    >
      {items.length === 0 ? (
        <p className="text-sm text-soft">It has not asked any documentation yet.</p>
      ) : (
        <ul className="grid gap-4">
          {items.map((receipt) => (
            <li
              key={receipt.id}
              className="grid gap-1 border-t border-line pt-3 text-sm first:border-0 first:pt-0"
            >
              <ReceiptLine receipt={receipt} />
            </li>
          ))}
        </ul>
      )}
      {receipts.hasNextPage && (
        <Button
          className="mt-4"
          busy={receipts.isFetchingNextPage}
          onClick={() => void receipts.fetchNextPage()}
        >
          Show more
        </Button>
      )}
    </Card>
  );
}

function ReceiptLine({ receipt }: { receipt: Receipt }) {
  return (
    <>
      <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <Copyable text={receipt.id} what="docs receipt" />
        <Time ms={receipt.at} />
        {receipt.block && (
          <span className="tabular text-soft">block {formatCount(receipt.block.number)}</span>
        )}
        {receipt.instructions && <span className="text-soft">version {receipt.instructions.version}</span>}
      </p>
      <ul className="grid gap-1">
        {receipt.sources.map((source) => (
          <li key={source.source} className="flex flex-wrap items-center gap-2 text-soft">
            <span className="min-w-0 break-all">{source.url}</span>
            <Badge
              tone={source.state === "answered" ? "good" : source.state === "failed" ? "warn" : "neutral"}
            >
              {source.state === "nothing" ? "no answer" : source.state}
            </Badge>
            {source.reason && <span className="min-w-0 text-xs break-words">{source.reason}</span>}
          </li>
        ))}
      </ul>
    </>
  );
}

function Versions({ adapter }: { adapter: number }) {
  const versions = useVersions(adapter, true);
  const items = versions.data ?? [];
  if (items.length === 0) return null;
  return (
    <Card title="Versions" about="Each as it was signed">
      <div className="grid gap-3">
        {items.map((kept) => (
          <details key={kept.version} className="rounded-control border border-line px-4 py-3 text-sm">
            <summary className="cursor-pointer">
              <span className="font-medium">Version {kept.version}</span>{" "}
              <span className="text-soft">
                <Time ms={kept.at} />
              </span>
            </summary>
            <div className="mt-3 grid gap-3">
              <CodeBlock label={`Text of version ${kept.version}`} text={kept.text} wrap />
              <Facts
                facts={[
                  ["Signature", <Copyable key="signature" text={kept.signature} what="signature" />],
                  ["On IPFS", <Copyable key="content" text={kept.content} what="content id" />],
                ]}
              />
            </div>
          </details>
        ))}
        {versions.hasNextPage && (
          <Button busy={versions.isFetchingNextPage} onClick={() => void versions.fetchNextPage()}>
            Show more
          </Button>
        )}
      </div>
    </Card>
  );
}
