import { useEffect, useState } from "react";
import { useSearchParams } from "wouter";
import { type Account, useAccount } from "@/accounts/state";
import { useGet, useList } from "@/api/queries";
import { queryClient } from "@/api/queryClient";
import { useLive } from "@/api/stream";
import type { Account as AccountRecord, Datanet, Preview, Submission } from "@/api/types";
import { toast } from "@/app/toasts";
import { transact } from "@/chain/transactions";
import { BlockWhen } from "@/components/BlockWhen";
import { Badge } from "@/components/ui/Badge";
import { Button, ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Field, SelectField } from "@/components/ui/Field";
import { Notice } from "@/components/ui/Notice";
import { Page } from "@/components/ui/Page";
import { EmptyState, Loaded } from "@/components/ui/States";
import { AccountName, Copyable, Facts, Time } from "@/components/ui/Values";
import { rejections } from "@/content/reasons";
import { classes } from "@/lib/classes";
import { formatBytes, formatCount, plural } from "@/lib/format";
import { sayThreshold } from "../datanets/datanet.state";
import { FileView } from "./FileView";
import { MOST_VOTES, useTooEarly } from "./review.state";
import { type Choice, cannotAccept, parseScore, type ReasonName, verdictOf } from "./verdict";

interface Gathered {
  submission: Submission;
  choice: Choice;
  preview: Preview;
}

function words(choice: Choice): string {
  return choice.accept ? `accept, ${choice.score}` : `refuse, ${choice.reason}`;
}

function Counted({ preview }: { preview: Preview }) {
  return (
    <div className="grid gap-4">
      <Facts
        facts={[
          ["Counts", preview.units === null ? "nothing" : `${formatCount(preview.units)} ${preview.unit}`],
          ...(preview.textRoot
            ? [["Text root", <Copyable key="root" text={preview.textRoot} what="text root" />] as const]
            : []),
          ...preview.leftOut.map(
            (part) => ["Not counted", `${formatCount(part.units)}: ${part.text}`] as const,
          ),
        ]}
      />
      {preview.text !== null && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard
        <section aria-label="Text that counts" tabIndex={0} className="max-h-96 overflow-auto">
          <pre className="rounded-control bg-sunken p-3 text-xs whitespace-pre-wrap">
            {preview.text}
            {preview.truncated && "\n…"}
          </pre>
        </section>
      )}
    </div>
  );
}

/** One file, and what the curator says of it. */
function Judging({
  submission,
  datanet,
  onChoice,
}: {
  submission: Submission;
  datanet: Datanet;
  onChoice: (choice: Choice, preview: Preview) => void;
}) {
  const preview = useGet<Preview>(
    ["review", "preview", submission.sha256],
    `/v1/previews/${submission.sha256}`,
    {
      media: submission.media,
    },
  );
  const [score, setScore] = useState("80");
  const [reason, setReason] = useState<ReasonName>("off-topic");
  const measured = preview.data;
  const hindrance = measured ? cannotAccept(measured, datanet.minUnits) : "it is not measured yet";
  const parsed = parseScore(score);

  const accept = () => {
    if (measured && hindrance === null && parsed !== null)
      onChoice({ accept: true, score: parsed }, measured);
  };
  const refuse = () => {
    if (measured) onChoice({ accept: false, reason }, measured);
  };

  // A and R, where no letter is being typed.
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement | null;
      const typing = target?.closest("input, select, textarea, [role=dialog]");
      if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
      if (event.key === "a" || event.key === "A") accept();
      if (event.key === "r" || event.key === "R") refuse();
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  });

  return (
    <div className="grid gap-6">
      <Card
        title={`Submission ${submission.id}`}
        about={
          <>
            .{submission.media}, {formatBytes(submission.size)}, <Time ms={submission.submitted.time} />, by{" "}
            <AccountName account={submission.contributor} />
          </>
        }
      >
        <div className="grid items-start gap-6 lg:grid-cols-2">
          <div className="grid min-w-0 gap-2">
            <h3 className="text-sm font-medium">The file</h3>
            <FileView submission={submission} />
          </div>
          <div className="grid min-w-0 gap-2">
            <h3 className="text-sm font-medium">What is paid</h3>
            <Loaded query={preview}>{(data) => <Counted preview={data} />}</Loaded>
          </div>
        </div>
      </Card>
      <Card title="Your vote">
        <div className="grid gap-6 sm:grid-cols-2">
          <div className="grid content-start gap-3">
            <Field
              label="Score"
              unit="1 to 100"
              inputMode="numeric"
              value={score}
              onChange={(event) => setScore(event.target.value)}
              error={parsed === null ? "A whole number from 1 to 100." : undefined}
            />
            <Button look="primary" disabled={hindrance !== null || parsed === null} onClick={accept}>
              Accept <kbd className="text-xs opacity-80">A</kbd>
            </Button>
            {hindrance !== null && measured && (
              <p className="text-sm text-warn">It cannot be accepted: {hindrance}.</p>
            )}
          </div>
          <div className="grid content-start gap-3">
            <SelectField
              label="Reason"
              value={reason}
              onChange={(event) => setReason(event.target.value as ReasonName)}
              options={Object.entries(rejections).map(([name, { words: said }]) => ({
                value: name,
                label: said.charAt(0).toUpperCase() + said.slice(1),
              }))}
            />
            <Button look="danger" disabled={!measured} onClick={refuse}>
              Refuse <kbd className="text-xs opacity-80">R</kbd>
            </Button>
          </div>
        </div>
      </Card>
    </div>
  );
}

/** Signs all votes at once. */
async function sign(account: Account, votes: readonly Gathered[]): Promise<boolean> {
  const done = await transact(account, {
    title: `Sign ${plural(votes.length, "vote")}`,
    words: (
      <ul className="grid gap-1">
        {votes.map(({ submission, choice }) => (
          <li key={submission.id}>
            Submission {submission.id}: {words(choice)}
          </li>
        ))}
      </ul>
    ),
    build: (api) => {
      const cast = votes.map(({ submission, choice, preview }) => ({
        datanet: submission.datanet,
        sha256: `0x${submission.sha256}` as const,
        submission: BigInt(submission.id),
        verdict: verdictOf(choice, preview),
      }));
      const [only] = cast;
      if (cast.length === 1 && only) return api.tx.Review.vote(only);
      // A vote that comes too late, because others have decided, takes none of the rest with it.
      return api.tx.Review.vote_many({ votes: cast });
    },
  });
  if (!done) return false;
  const failed = done.events.filter(
    ({ type, value }) => type === "Review" && value.type === "VoteRefused",
  ).length;
  const settled = done.events.filter(
    ({ type, value }) => type === "Review" && value.type === "Decided",
  ).length;
  toast(
    `${plural(votes.length - failed, "vote")} cast, ${plural(settled, "submission")} decided${failed ? `; ${failed} refused: others had decided, or the file was taken back` : ""}`,
    failed ? "info" : "good",
  );
  void queryClient.invalidateQueries({ queryKey: ["review"] });
  return true;
}

function Queue({ account, datanet }: { account: Account; datanet: Datanet }) {
  const pending = useList<Submission>(
    ["review", "pending", datanet.id],
    `/v1/datanets/${datanet.id}/submissions`,
    {
      state: "pending",
      limit: 100,
    },
  );
  const [gathered, setGathered] = useState<readonly Gathered[]>([]);
  const [chosen, setChosen] = useState<number>();
  const [signing, setSigning] = useState(false);
  useLive(`datanet:${datanet.id}`);
  const soon = useTooEarly(
    datanet.id,
    gathered.filter(({ choice }) => choice.accept).map(({ submission }) => submission.id),
  );

  return (
    <Loaded
      query={pending}
      isEmpty={(rows) => rows.length === 0}
      empty={
        <Card>
          <EmptyState icon="check" title="Nothing waits for a vote">
            New submissions appear here by themselves.
          </EmptyState>
        </Card>
      }
    >
      {(rows) => {
        const judged = new Map(gathered.map((vote) => [vote.submission.id, vote]));
        const open = rows.filter(({ id, contributor }) => !judged.has(id) && contributor !== account.address);
        const now = rows.find(({ id }) => id === chosen) ?? open[0];
        const standing = gathered.filter(({ submission }) => rows.some(({ id }) => id === submission.id));
        // A vote to accept waits until no older promise of the file can come any more.
        const early = standing.filter(({ submission }) => soon.has(submission.id));
        const waiting = standing.filter(({ submission }) => !soon.has(submission.id)).slice(0, MOST_VOTES);
        return (
          <div className="grid items-start gap-6 lg:grid-cols-[16rem_minmax(0,1fr)]">
            <Card
              title={plural(rows.length, "submission")}
              flush
              actions={
                waiting.length > 0 ? (
                  <Button
                    look="primary"
                    size="small"
                    busy={signing}
                    onClick={() => {
                      setSigning(true);
                      void sign(account, waiting)
                        .then(
                          (done) => done && setGathered(gathered.filter((vote) => !waiting.includes(vote))),
                        )
                        .finally(() => setSigning(false));
                    }}
                  >
                    Sign {plural(waiting.length, "vote")}
                  </Button>
                ) : undefined
              }
            >
              {early.length > 0 && (
                <div className="px-5 pb-3">
                  <Notice
                    title={`${plural(early.length, "vote")} to accept ${early.length === 1 ? "waits" : "wait"}`}
                  >
                    Until{" "}
                    <BlockWhen
                      block={Math.max(...early.map(({ submission }) => soon.get(submission.id) ?? 0))}
                    />
                    : an older promise of the same file may still come.
                  </Notice>
                </div>
              )}
              <ul className="max-h-96 divide-y divide-line overflow-y-auto border-t border-line">
                {rows.map((row) => {
                  const vote = judged.get(row.id);
                  return (
                    <li key={row.id}>
                      <button
                        type="button"
                        aria-current={now?.id === row.id ? "true" : undefined}
                        onClick={() => setChosen(row.id)}
                        className={classes(
                          "flex w-full items-center justify-between gap-3 px-5 py-2.5 text-left text-sm -outline-offset-2 hover:bg-sunken",
                          now?.id === row.id && "bg-accent-soft font-medium",
                        )}
                      >
                        <span>
                          Submission {row.id} <span className="text-soft">.{row.media}</span>
                        </span>
                        {row.contributor === account.address ? (
                          <Badge>yours</Badge>
                        ) : vote ? (
                          <Badge tone={vote.choice.accept ? "good" : "bad"}>{words(vote.choice)}</Badge>
                        ) : (
                          <span className="tabular text-soft">{formatBytes(row.size)}</span>
                        )}
                      </button>
                    </li>
                  );
                })}
              </ul>
              {pending.hasNextPage && (
                <div className="p-3 text-center">
                  <Button size="small" onClick={() => void pending.fetchNextPage()}>
                    More
                  </Button>
                </div>
              )}
            </Card>
            {now && now.contributor !== account.address ? (
              <Judging
                key={now.id}
                submission={now}
                datanet={datanet}
                onChoice={(choice, preview) => {
                  setGathered((votes) => [
                    ...votes.filter(({ submission }) => submission.id !== now.id),
                    { submission: now, choice, preview },
                  ]);
                  setChosen(undefined);
                }}
              />
            ) : (
              <Card>
                <EmptyState
                  icon="check"
                  title={now ? "Nobody judges a submission of their own" : "All submissions have your vote"}
                >
                  {standing.length > 0 ? "Sign the votes to cast them." : undefined}
                </EmptyState>
              </Card>
            )}
          </div>
        );
      }}
    </Loaded>
  );
}

function Curator({ account, curatorOf }: { account: Account; curatorOf: readonly number[] }) {
  const datanets = useList<Datanet>(["datanets"], "/v1/datanets", { limit: 100 });
  const [search, setSearch] = useSearchParams();
  return (
    <Loaded query={datanets}>
      {(list) => {
        const own = list.filter(({ id }) => curatorOf.includes(id));
        const datanet = own.find(({ id }) => String(id) === search.get("datanet")) ?? own[0];
        if (!datanet) return null;
        return (
          <>
            {own.length > 1 && (
              <div className="max-w-xl">
                <SelectField
                  label="Datanet"
                  value={String(datanet.id)}
                  onChange={(event) => setSearch({ datanet: event.target.value })}
                  options={own.map(({ id, name, counts }) => ({
                    value: String(id),
                    label: `${name} (${counts.pending} waiting)`,
                  }))}
                />
              </div>
            )}
            <Notice title={datanet.name}>
              {sayThreshold(datanet.threshold, datanet.curators.length)}. Judge what people see and what is
              paid: the text beside the file is what units are counted of. Votes are open.
            </Notice>
            <Queue key={datanet.id} account={account} datanet={datanet} />
          </>
        );
      }}
    </Loaded>
  );
}

/** A curator's queue. */
export default function ReviewPage() {
  const account = useAccount();
  const record = useGet<AccountRecord>(
    ["account", account?.address ?? ""],
    `/v1/accounts/${account?.address ?? ""}`,
    undefined,
    account !== null,
  );
  return (
    <Page
      title="Review"
      about="Accept or refuse what was submitted to the Datanets that you curate. A refusal costs nobody points."
    >
      {account === null ? (
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
            Votes are signed by a curator's account.
          </EmptyState>
        </Card>
      ) : (
        <Loaded query={record}>
          {(data) =>
            data.roles.curatorOf.length === 0 ? (
              <Card>
                <EmptyState
                  icon="review"
                  title="This account curates no Datanet"
                  actions={
                    <>
                      <ButtonLink href="/datanets">Find a Datanet’s owner</ButtonLink>
                      <ButtonLink href="/datanets/new">Create a Datanet</ButtonLink>
                    </>
                  }
                >
                  The owner of a Datanet names its curators: ask one, or create a Datanet of your own. A
                  curator needs OPEN for the fees of votes.
                </EmptyState>
              </Card>
            ) : (
              <Curator account={account} curatorOf={data.roles.curatorOf} />
            )
          }
        </Loaded>
      )}
    </Page>
  );
}
