import { useState } from "react";
import { Link } from "wouter";
import { type Account, useAccount } from "@/accounts/state";
import { useGet } from "@/api/queries";
import { useLive } from "@/api/stream";
import type { DrawDetail, DrawFile, Settlement, SubmissionDetail, Word } from "@/api/types";
import { transact } from "@/chain/transactions";
import { BlockWhen } from "@/components/BlockWhen";
import { Badge } from "@/components/ui/Badge";
import { Button, ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Notice } from "@/components/ui/Notice";
import { Page } from "@/components/ui/Page";
import { EmptyState, Loaded } from "@/components/ui/States";
import { Table } from "@/components/ui/Table";
import { AccountName, Amount, Copyable, Facts, Time } from "@/components/ui/Values";
import { rejections } from "@/content/reasons";
import { classes } from "@/lib/classes";
import { formatBytes, formatCount, formatOpen, plural } from "@/lib/format";
import { useStore } from "@/lib/store";
import {
  attemptOf,
  type ChainDraw,
  sayOutcome,
  sayStand,
  sayState,
  sayWhy,
  until,
  useChainDraw,
  useRules,
} from "@/review/committee";
import { FileView } from "@/review/FileView";
import { Judging } from "@/review/Judging";
import { NearestCard } from "@/review/NearestCard";
import { watched } from "@/review/reveal";
import { sayChoice } from "@/review/verdict";
import { type Gathered, seal } from "./draw.state";

function sayWord({ kind, reason, score, units }: Word): string {
  if (kind === "accept") return `accept, ${score}, ${formatCount(units ?? 0)} units`;
  if (kind === "reject") return `refuse: ${rejections[reason ?? ""]?.words ?? reason}`;
  if (kind === "unavailable") return "cannot be fetched or compared";
  if (kind === "undecided") return "cannot be compared";
  return kind === "split" ? "no agreement" : "too few revealed";
}

function sayGathered({ choice, here }: Gathered): { text: string; tone: "good" | "bad" | "warn" } {
  if (choice === null) return { text: here ? "cannot be compared" : "cannot be fetched", tone: "warn" };
  return { text: sayChoice(choice), tone: choice.accept ? "good" : "bad" };
}

/** Where a member judges every file of the draw, and seals it all at once. */
function Judge({ account, draw }: { account: Account; draw: DrawDetail }) {
  const [gathered, setGathered] = useState<ReadonlyMap<number, Gathered>>(new Map());
  const [chosen, setChosen] = useState<number>();
  const [busy, setBusy] = useState(false);
  const rules = useRules().data;
  const open = draw.files.filter(({ submission }) => !gathered.has(submission));
  const now = draw.files.find(({ submission }) => submission === chosen) ?? open[0];
  const submission = useGet<SubmissionDetail>(
    ["submission", String(now?.submission)],
    `/v1/submissions/${now?.submission}`,
    undefined,
    now !== undefined,
  );
  const say = (file: DrawFile, said: Gathered) => {
    setGathered((before) => new Map(before).set(file.submission, said));
    setChosen(undefined);
  };
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-6 lg:grid-cols-[16rem_minmax(0,1fr)]">
      <Card title={plural(draw.files.length, "file")} about="One sealed vote on all of them." flush>
        <ul className="max-h-96 divide-y divide-line overflow-y-auto border-t border-line">
          {draw.files.map((file) => {
            const said = gathered.get(file.submission);
            const word = said && sayGathered(said);
            return (
              <li key={file.submission}>
                <button
                  type="button"
                  aria-current={now?.submission === file.submission ? "true" : undefined}
                  onClick={() => setChosen(file.submission)}
                  className={classes(
                    "flex w-full flex-wrap items-center justify-between gap-x-3 gap-y-1 px-5 py-2.5 text-left text-sm -outline-offset-2 hover:bg-sunken",
                    now?.submission === file.submission && "bg-accent-soft font-medium",
                  )}
                >
                  <span>
                    Submission {file.submission} <span className="text-soft">.{file.media}</span>
                  </span>
                  {word ? (
                    <Badge tone={word.tone}>{word.text}</Badge>
                  ) : (
                    <span className="tabular text-soft">{formatBytes(file.size)}</span>
                  )}
                </button>
              </li>
            );
          })}
        </ul>
        <div className="grid gap-2 border-t border-line p-4">
          <Button
            look="primary"
            busy={busy}
            disabled={open.length > 0}
            onClick={() => {
              setBusy(true);
              void seal(account, draw, gathered).finally(() => setBusy(false));
            }}
          >
            Seal {plural(draw.files.length, "word")}
          </Button>
          <p className="text-xs text-soft">
            {open.length > 0
              ? `${plural(open.length, "file")} without a word of yours.`
              : "Keep this app open afterwards: it reveals them."}
          </p>
        </div>
      </Card>
      {now ? (
        <Loaded query={submission}>
          {(found) => (
            <Judging
              key={now.submission}
              submission={found}
              minUnits={draw.minUnits}
              extractor={draw.extractor}
              title="Your word"
              onChoice={(choice, preview) => say(now, { choice, preview })}
              onUnavailable={() => say(now, { choice: null, preview: null })}
              onUndecided={() => say(now, { choice: null, preview: null, here: true })}
              attempt={attemptOf(draw, rules?.asks ?? null)}
            />
          )}
        </Loaded>
      ) : (
        <Card>
          <EmptyState icon="check" title="Every file has a word of yours">
            Seal them all at once. Choose a file to change what you say of it.
          </EmptyState>
        </Card>
      )}
    </div>
  );
}

/** What a member has to do, or has done. */
function Member({ account, draw, chain }: { account: Account; draw: DrawDetail; chain: ChainDraw }) {
  const kept = useStore(watched).some(
    ({ vote }) => vote.draw === draw.id && vote.address === account.address,
  );
  const member = chain.members.find((one) => one.account === account.address);
  if (!member) return null;
  const progress = member.progress.type;
  if (progress === "Drawn" && chain.phase.type === "Committing")
    return <Judge account={account} draw={draw} />;
  if (progress === "Drawn" && chain.phase.type === "Revealing") {
    return (
      <Notice tone="bad" title="You sealed nothing in time">
        It costs your seats what a missed file costs, for each file.
      </Notice>
    );
  }
  if (progress === "Committed") {
    // What this browser keeps stands above every page.
    return kept ? null : (
      <Notice
        tone="warn"
        title="Your word is sealed, and this browser cannot reveal it"
        actions={<ButtonLink href="/committees">Import sealed votes</ButtonLink>}
      >
        It was sealed elsewhere. Reveal it there, or export it there and import it here.
      </Notice>
    );
  }
  return progress === "Revealed" && chain.phase.type === "Revealing" ? (
    <Notice tone="good" title="Your word is revealed">
      The votes are counted when all who sealed have revealed, or their time is over.
    </Notice>
  ) : null;
}

function challenge(
  account: Account,
  draw: number,
  place: number,
  file: DrawFile,
  bond: bigint,
  size: number,
) {
  void transact(account, {
    title: `Challenge the verdict on submission ${file.submission}`,
    words: (
      <>
        A committee of {size} without anybody of the first judges it again, and its word is final. If it says
        the same you lose the bond. If not, the bond comes back with half of what the overturned lose; where
        most cannot fetch the file it comes back alone.
      </>
    ),
    held: bond,
    heldWords: "Held; lost if the verdict is upheld",
    build: (api) => api.tx.Review.challenge({ draw: BigInt(draw), file: place }),
  });
}

function Files({ draw, chain }: { draw: DrawDetail; chain: ChainDraw | null }) {
  const account = useAccount();
  const rules = useRules(draw.state === "judged").data;
  const [shown, setShown] = useState<number>();
  const file = draw.files.find(({ submission }) => submission === shown);
  /** Why the account may not challenge; null if it may. */
  const hindrance = (one: DrawFile, place: number): string | null => {
    const state = chain?.files[place]?.state.type;
    if (!account || !rules || state !== "Judged") return "";
    if (one.found?.kind === "reject" && account.address !== draw.contributor) return "its contributor may";
    const own = draw.members.find((member) => member.account === account.address)?.words[place]?.stand;
    return own === "agreed" ? "you said so yourself" : null;
  };
  return (
    <>
      <Card flush title="Files">
        <Table<DrawFile>
          caption="Files of the draw"
          rows={draw.files}
          rowKey={({ submission }) => submission}
          columns={[
            {
              title: "Submission",
              cell: ({ submission, media }) => (
                <span className="whitespace-nowrap">
                  <Link href={`/submissions/${submission}`} className="link">
                    {submission}
                  </Link>{" "}
                  <span className="text-soft">.{media}</span>
                </span>
              ),
            },
            {
              title: "The committee found",
              cell: ({ found }) => (
                <span className="block min-w-36">{found ? sayWord(found) : "nothing yet"}</span>
              ),
            },
            {
              title: "Outcome",
              cell: ({ outcome, challengedBy }) => {
                const said = outcome === null ? null : sayOutcome(outcome);
                return (
                  <span className="inline-flex flex-wrap items-center gap-2">
                    {said && <Badge tone={said.tone}>{said.label}</Badge>}
                    {challengedBy !== null && (
                      <Link href={`/committees/${challengedBy}`} className="link whitespace-nowrap">
                        challenged
                      </Link>
                    )}
                    {!said && challengedBy === null && <span className="text-soft">open</span>}
                  </span>
                );
              },
            },
            {
              title: "Do",
              align: "right",
              cell: (one) => {
                const place = draw.files.indexOf(one);
                const why = hindrance(one, place);
                return (
                  <span className="inline-flex flex-wrap items-center justify-end gap-2">
                    <Button
                      size="small"
                      look="quiet"
                      aria-expanded={shown === one.submission}
                      onClick={() => setShown(shown === one.submission ? undefined : one.submission)}
                    >
                      {shown === one.submission ? "Hide" : "Look"}
                    </Button>
                    {why === null && account && rules && (
                      <Button
                        size="small"
                        look="danger"
                        onClick={() => challenge(account, draw.id, place, one, rules.bond, 3 * rules.size)}
                      >
                        Challenge
                      </Button>
                    )}
                    {why && <span className="text-xs text-soft">{why}</span>}
                  </span>
                );
              },
            },
          ]}
        />
      </Card>
      {file && (
        <Card title={`Submission ${file.submission}`} about={`.${file.media}, ${formatBytes(file.size)}`}>
          <FileView submission={{ ...file, id: file.submission }} />
        </Card>
      )}
      {file && <NearestCard key={file.submission} submission={{ ...file, id: file.submission }} />}
    </>
  );
}

function Members({ draw }: { draw: DrawDetail }) {
  if (draw.members.length === 0) return null;
  return (
    <Card
      title={`${formatCount(draw.members.length)} members`}
      about="More than half of all of them decide, whoever reveals."
    >
      <ul className="grid gap-4">
        {draw.members.map((member) => (
          <li key={member.account} className="grid gap-1.5 text-sm">
            <span className="flex flex-wrap items-center justify-between gap-2">
              <AccountName account={member.account} />
              <span className="text-soft">
                {member.revealed
                  ? "revealed"
                  : member.committed
                    ? "sealed"
                    : ["committing", "waiting"].includes(draw.state)
                      ? "nothing yet"
                      : "sealed nothing"}
              </span>
            </span>
            {member.words.map(({ word, stand }, place) => (
              <span
                // biome-ignore lint/suspicious/noArrayIndexKey: words stand in the order of the files
                key={place}
                className="pl-7 text-soft"
              >
                {draw.files.length > 1 && `Submission ${draw.files[place]?.submission}: `}
                <span className="text-ink">{sayWord(word)}</span>{" "}
                {stand && <Badge tone={sayStand(stand).tone}>{sayStand(stand).label}</Badge>}
              </span>
            ))}
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Paid({ draw }: { draw: DrawDetail }) {
  if (draw.settlements.length === 0) return null;
  return (
    <Card flush title="What it paid and cost, and why">
      <Table<Settlement>
        caption="What the verdicts paid and cost"
        rows={draw.settlements}
        rowKey={({ account, submission, why, amount, at }) =>
          `${account} ${submission} ${why} ${amount} ${at.block}`
        }
        columns={[
          { title: "Who", cell: ({ account }) => <AccountName account={account} /> },
          {
            title: "Amount",
            align: "right",
            cell: ({ paid, amount }) => (
              <span className={paid ? "text-good" : "text-bad"}>
                {paid ? "+" : "−"}
                <Amount plancks={amount} />
              </span>
            ),
          },
          { title: "Because it", cell: ({ why }) => <span className="block min-w-36">{sayWhy(why)}</span> },
          ...(draw.files.length > 1
            ? [
                {
                  title: "Submission",
                  align: "right" as const,
                  cell: ({ submission }: Settlement) => submission ?? "all",
                },
              ]
            : []),
        ]}
      />
    </Card>
  );
}

function About({ draw }: { draw: DrawDetail }) {
  const last = until(draw);
  return (
    <Card title="About it">
      <Facts
        facts={[
          [
            "Datanet",
            <Link key="datanet" href={`/datanets/${draw.datanet}`} className="link">
              {draw.datanetName || `Datanet ${draw.datanet}`}
            </Link>,
          ],
          ...(draw.challenges
            ? [
                [
                  "Judges again",
                  <Link key="first" href={`/committees/${draw.challenges.draw}`} className="link">
                    draw {draw.challenges.draw}
                  </Link>,
                ] as const,
              ]
            : []),
          ...(draw.challenger
            ? [["Challenged by", <AccountName key="challenger" account={draw.challenger} />] as const]
            : []),
          ...(draw.bond ? [["With a bond of", <Amount key="bond" plancks={draw.bond} />] as const] : []),
          ...(draw.contributor
            ? [["Files of", <AccountName key="contributor" account={draw.contributor} />] as const]
            : []),
          ...(draw.pool
            ? [
                [
                  "Drawn from",
                  draw.pool.modality === null
                    ? `seats for Datanet ${draw.pool.datanet} alone`
                    : `seats for ${draw.pool.modality} files`,
                ] as const,
              ]
            : []),
          ...(draw.asked > 0 ? [["Asked before", plural(draw.asked, "committee")] as const] : []),
          ...(draw.countsGlobally === null
            ? []
            : [
                [
                  "Counts",
                  draw.countsGlobally ? "over all Datanets" : "on this Datanet’s board alone",
                ] as const,
              ]),
          ...(draw.state === "waiting" && draw.session !== null && draw.lacked === null
            ? [["Drawn in session", formatCount(draw.session)] as const]
            : []),
          ...(last === null ? [] : [["Until", <BlockWhen key="until" block={last} />] as const]),
          ...(draw.seed ? [["Seed", <Copyable key="seed" text={draw.seed} what="seed" />] as const] : []),
          ["Opened", <Time key="opened" ms={draw.opened.time} />],
          ...(draw.ended ? [["Over", <Time key="ended" ms={draw.ended.time} />] as const] : []),
        ]}
      />
    </Card>
  );
}

function Lacks({ draw }: { draw: DrawDetail }) {
  if (draw.lacked === null) return null;
  const over = draw.state === "over";
  return draw.lacked === "seats" ? (
    <Notice tone="warn" title="Too few accounts have seats">
      {over
        ? "No committee could be drawn."
        : "It waits until enough have them, and ends without a committee if they never do."}{" "}
      Anybody may{" "}
      <Link href="/committees?tab=seats" className="link">
        take a seat
      </Link>
      .
    </Notice>
  ) : (
    <Notice tone="warn" title="The Datanet’s review budget does not cover a committee">
      {over ? "No committee could be paid." : "It is tried again, with longer and longer waits."} Its owner
      pays into it with <code>openledger datanet budget</code>.
    </Notice>
  );
}

/** One draw: judge it, follow it, challenge it, and see what it paid and why. */
export default function DrawPage({ id = "" }: { id?: string }) {
  const account = useAccount();
  const draw = useGet<DrawDetail>(["draw", id], `/v1/draws/${encodeURIComponent(id)}`);
  useLive(/^\d+$/.test(id) ? `draw:${id}` : null);
  const data = draw.data;
  const open = data !== undefined && data.state !== "over";
  const chain = useChainDraw(data?.id ?? 0, open).data ?? null;
  const said = data && sayState(data);
  const bonded = data?.bond ? ` with ${formatOpen(data.bond)} OPEN at stake` : "";
  return (
    <Page
      title={`Draw ${id}`}
      about={
        said && (
          <span className="inline-flex flex-wrap items-center gap-2">
            <Badge tone={said.tone}>{said.label}</Badge>
            <span>
              {data.challenges ? `A challenge${bonded}. ` : ""}
              {said.means}
            </span>
          </span>
        )
      }
      actions={<ButtonLink href="/committees">All of yours</ButtonLink>}
    >
      <Loaded query={draw}>
        {(found) => (
          <>
            <Lacks draw={found} />
            {account && chain && <Member account={account} draw={found} chain={chain} />}
            <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-6 lg:grid-cols-[minmax(0,1fr)_24rem]">
              <div className="grid grid-cols-[minmax(0,1fr)] gap-6">
                <Files draw={found} chain={chain} />
                <Paid draw={found} />
              </div>
              <div className="grid grid-cols-[minmax(0,1fr)] gap-6">
                <About draw={found} />
                <Members draw={found} />
              </div>
            </div>
          </>
        )}
      </Loaded>
    </Page>
  );
}
