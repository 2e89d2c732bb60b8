import { useState } from "react";
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
import { SelectField } from "@/components/ui/Field";
import { Notice } from "@/components/ui/Notice";
import { Page } from "@/components/ui/Page";
import { EmptyState, Loaded } from "@/components/ui/States";
import { classes } from "@/lib/classes";
import { formatBytes, plural } from "@/lib/format";
import { Judging } from "@/review/Judging";
import { type Choice, sayChoice, verdictOf } from "@/review/verdict";
import { sayThreshold } from "../datanets/datanet.state";
import { MOST_VOTES, useTooEarly } from "./review.state";

interface Gathered {
  submission: Submission;
  choice: Choice;
  preview: Preview;
}

/** Signs all votes at once. */
async function sign(account: Account, votes: readonly Gathered[]): Promise<boolean> {
  const done = await transact(account, {
    title: `Sign ${plural(votes.length, "vote")}`,
    words: (
      <ul className="grid gap-1">
        {votes.map(({ submission, choice }) => (
          <li key={submission.id}>
            Submission {submission.id}: {sayChoice(choice)}
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
                          <Badge tone={vote.choice.accept ? "good" : "bad"}>{sayChoice(vote.choice)}</Badge>
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
                minUnits={datanet.minUnits}
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
              paid: units are counted of {counted[datanet.modality] ?? "what is beside the file"}. Votes are
              open.
            </Notice>
            <Queue key={datanet.id} account={account} datanet={datanet} />
          </>
        );
      }}
    </Loaded>
  );
}

/** What stands beside a file of each kind, and is paid. */
const counted: Readonly<Record<string, string>> = {
  text: "the text beside the file",
  image: "pixels that are neither flat nor seen before",
  audio: "sound that is neither silent nor heard before",
};

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
                      <ButtonLink href="/committees?tab=seats">Judge in drawn committees</ButtonLink>
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
