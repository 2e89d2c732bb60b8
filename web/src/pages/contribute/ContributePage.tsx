import { useEffect } from "react";
import { useSearchParams } from "wouter";
import { type Account, useAccount } from "@/accounts/state";
import { useConfig, useGet } from "@/api/queries";
import { useLive } from "@/api/stream";
import type { Account as AccountRecord, Datanet } from "@/api/types";
import { toast } from "@/app/toasts";
import { SubmissionsCard } from "@/components/SubmissionsCard";
import { Button, ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { SelectField } from "@/components/ui/Field";
import { Notice } from "@/components/ui/Notice";
import { Page } from "@/components/ui/Page";
import { EmptyState, Loaded } from "@/components/ui/States";
import { formatCount, plural } from "@/lib/format";
import { useStore } from "@/lib/store";
import { StartCard } from "@/pages/accounts/StartCard";
import { useDatanets } from "@/training/queries";
import { addFiles, store, takeUpKept } from "./contribute.state";
import { DropZone, MOST } from "./DropZone";
import { FileLine } from "./FileLine";
import { QuotaCard } from "./QuotaCard";
import { queue, working } from "./queue";
import { fitting, left } from "./quota";
import { type Standing, useStanding } from "./standing.state";
import { openPromised, submit } from "./submit";

const bytesOf = (files: readonly { file: File }[]) => files.reduce((sum, { file }) => sum + file.size, 0);

function Queue({
  account,
  datanet,
  quota,
}: {
  account: Account;
  datanet: Datanet;
  quota: AccountRecord["quota"];
}) {
  const config = useConfig();
  const busy = useStore(working);
  const files = useStore(queue).filter(
    (file) => file.datanet === datanet.id && file.account === account.address,
  );
  const stored = files.filter(({ stage }) => stage === "stored");
  const promised = files.filter(({ stage }) => stage === "promised");
  const ready = files.filter(({ stage }) => stage === "ready");
  const room = left(quota);
  const { fits, waits } = fitting(
    ready.map((entry) => ({ entry, size: entry.file.size })),
    // The chain counts a promised file already, and its bytes when it is opened.
    { files: room.files - stored.length, bytes: room.bytes - bytesOf([...stored, ...promised]) },
  );
  const waiting = new Set(waits.map(({ entry }) => entry.id));
  const perCall = config.data?.limits.filesPerCall ?? 20;
  if (files.length === 0) return null;
  return (
    <Card
      title="On their way"
      flush
      actions={
        <>
          {fits.length > 0 && (
            <Button
              look={stored.length > 0 ? "secondary" : "primary"}
              busy={busy === "sending"}
              disabled={busy !== null}
              onClick={() => void store(account, datanet.id)}
            >
              Store {plural(fits.length, "file")}
            </Button>
          )}
          {stored.length > 0 && (
            <Button
              look="primary"
              busy={busy === "submitting"}
              disabled={busy !== null}
              onClick={() => void submit(account, datanet, { most: perCall })}
            >
              Submit {plural(Math.min(stored.length, perCall), "file")}
            </Button>
          )}
          {promised.length > 0 && (
            <Button
              look="primary"
              busy={busy === "submitting"}
              disabled={busy !== null}
              onClick={() => void openPromised(account, datanet)}
            >
              Open {plural(promised.length, "promised file")}
            </Button>
          )}
        </>
      }
    >
      {promised.length > 0 && busy === null && (
        <div className="px-5 pb-3">
          <Notice tone="warn" title={`${plural(promised.length, "file")} promised and not opened yet`}>
            The chain has the promise; the files are submitted when you open it. Nobody else can, and what
            opens it is in this browser alone.
          </Notice>
        </div>
      )}
      {waits.length > 0 && (
        <div className="px-5 pb-3">
          <Notice tone="warn" title={`${plural(waits.length, "file")} will not fit into today's quota`}>
            They stay in this browser, also when you close it. Come back after 00:00 UTC and store them then.
          </Notice>
        </div>
      )}
      <ul className="divide-y divide-line border-t border-line">
        {files.map((entry) => (
          <FileLine key={entry.id} entry={entry} fits={!waiting.has(entry.id)} />
        ))}
      </ul>
    </Card>
  );
}

/** Why the Datanet takes no files of the account, or what they will wait for. */
function StandingNotice({ standing, datanet }: { standing: Standing; datanet: number }) {
  const { tone, title, next, link } = standing;
  return (
    <Notice
      tone={tone}
      title={title}
      actions={
        <>
          {link && (
            <ButtonLink href={link.href} size="small">
              {link.text}
            </ButtonLink>
          )}
          <ButtonLink href={`/datanets/${datanet}`} size="small">
            The Datanet’s page
          </ButtonLink>
        </>
      }
    >
      {next}
    </Notice>
  );
}

function Contribution({ account, datanet }: { account: Account; datanet: Datanet }) {
  const record = useGet<AccountRecord>(["account", account.address], `/v1/accounts/${account.address}`);
  const own = useStore(queue).filter((file) => file.account === account.address);
  const stored = own.filter(({ stage }) => stage === "stored");
  const promised = own.filter(({ stage }) => stage === "promised");
  const standing = useStanding(datanet, account.address);
  const takes = standing.data === undefined ? datanet.status === "open" : (standing.data?.takes ?? true);
  useEffect(() => {
    void takeUpKept(account.address, datanet);
  }, [account.address, datanet]);
  return (
    <Loaded query={record}>
      {(data) =>
        data.contributor === null ? (
          <>
            {standing.data && <StandingNotice standing={standing.data} datanet={datanet.id} />}
            {takes && <StartCard account={account} />}
          </>
        ) : (
          <div className="grid items-start gap-6 lg:grid-cols-[minmax(0,1fr)_20rem]">
            <div className="grid min-w-0 gap-6">
              {standing.data && <StandingNotice standing={standing.data} datanet={datanet.id} />}
              {takes && (
                <DropZone
                  formats={datanet.formats}
                  disabled={false}
                  onFiles={(chosen) => {
                    addFiles(chosen, account.address, datanet);
                    if (chosen.length >= MOST) toast(`Only the first ${MOST} files were taken`, "info");
                  }}
                />
              )}
              <Queue account={account} datanet={datanet} quota={data.quota} />
            </div>
            <div className="grid gap-6">
              <QuotaCard
                quota={data.quota}
                waiting={{ files: stored.length, bytes: bytesOf([...stored, ...promised]) }}
              />
              <Card title="What counts">
                <ul className="grid gap-2 text-sm text-soft">
                  <li>
                    {formatCount(datanet.minUnits)} to {formatCount(datanet.maxUnits)} {datanet.unit} a file;
                    more earns nothing more.
                  </li>
                  <li>Points are score × units. A refusal costs none.</li>
                  <li>Files go to IPFS: anybody can read them, for good.</li>
                  <li>
                    A promise goes first, so that nobody who watches can be first with your files: two
                    signatures.
                  </li>
                </ul>
              </Card>
            </div>
          </div>
        )
      }
    </Loaded>
  );
}

/** Files from the visitor's disk to a Datanet. */
export default function ContributePage() {
  const account = useAccount();
  const [search, setSearch] = useSearchParams();
  const datanets = useDatanets();
  const wanted = Number(search.get("datanet") ?? Number.NaN);
  // A closed one is offered to nobody; who was led to it is told.
  const offered = datanets.data?.items.filter(({ id, status }) => status !== "closed" || id === wanted) ?? [];
  const chosen = offered.find(({ id }) => id === wanted) ?? offered[0];
  useLive(account ? `account:${account.address}` : null);
  return (
    <Page
      title="Contribute"
      about="Give files to a Datanet. Accepted ones earn points, and OPEN from its pool."
    >
      <Loaded
        query={datanets}
        isEmpty={() => offered.length === 0}
        empty={
          <Card>
            <EmptyState
              icon="datanets"
              title="No Datanet takes files yet"
              actions={
                <ButtonLink href="/datanets/new" look="primary">
                  Create one
                </ButtonLink>
              }
            >
              A Datanet collects files of one kind on one topic.
            </EmptyState>
          </Card>
        }
      >
        {({ items, more }) => (
          <>
            <div className="max-w-xl">
              <SelectField
                label="Datanet"
                help={more ? `Only the first ${formatCount(items.length)} are listed.` : undefined}
                value={String(chosen?.id ?? "")}
                onChange={(event) => setSearch({ datanet: event.target.value })}
                options={offered.map(({ id, name, modality, status }) => ({
                  value: String(id),
                  label: `${name} (${status === "open" ? modality : `${modality}, ${status}`})`,
                }))}
              />
            </div>
            {!account && (
              <Card>
                <EmptyState
                  icon="key"
                  title="Choose an account first"
                  actions={
                    <ButtonLink href="/accounts" look="primary">
                      Accounts
                    </ButtonLink>
                  }
                >
                  A wallet, or a key that this browser makes in a minute: nothing to install.
                </EmptyState>
              </Card>
            )}
            {account && chosen && <Contribution account={account} datanet={chosen} />}
          </>
        )}
      </Loaded>
      {account && <SubmissionsCard account={account.address} title="Your submissions" />}
    </Page>
  );
}
