import { Link } from "wouter";
import { useAccount } from "@/accounts/state";
import { useGet, useStatus } from "@/api/queries";
import { useLive } from "@/api/stream";
import type { Event, Moment, SubmissionDetail, Vote } from "@/api/types";
import { transact } from "@/chain/transactions";
import { BlockWhen } from "@/components/BlockWhen";
import { RevokedBadge } from "@/components/Revoked";
import { Badge } from "@/components/ui/Badge";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Notice } from "@/components/ui/Notice";
import { Page } from "@/components/ui/Page";
import { EmptyState, Loaded } from "@/components/ui/States";
import { AccountName, Copyable, Facts, Time } from "@/components/ui/Values";
import { whyRefused } from "@/content/reasons";
import { submissionStates } from "@/content/states";
import { sayEvent } from "@/lib/events";
import { formatBytes, formatCount } from "@/lib/format";
import { sayOutcome, sayState } from "@/review/committee";
import { useChainSubmission } from "./datanet.state";

/** From when on it can be accepted, and until when somebody has to decide. */
function Waiting({ submission }: { submission: SubmissionDetail }) {
  const chain = useChainSubmission(submission).data;
  const best = useStatus().data?.best;
  const account = useAccount();
  if (chain?.state.type !== "Pending" || best == null) return null;
  const { acceptable_at: from, expires_at: until } = chain.state.value;
  return (
    <>
      {from > best && (
        <>
          It can be accepted from <BlockWhen block={from} /> on: an older promise of the same file may still
          come.{" "}
        </>
      )}
      {until > best ? (
        <>
          If nobody decides by <BlockWhen block={until} />, anyone may expire it.
        </>
      ) : (
        <>
          It waits too long.{" "}
          {account && (
            <button
              type="button"
              className="link"
              onClick={() =>
                void transact(account, {
                  title: "Expire a submission",
                  words:
                    "Nobody decided on it in time: it ends without points lost, and stays its contributor's for a day.",
                  free: "Expiring what waited too long costs no fee.",
                  build: (api) =>
                    api.tx.Datanets.expire({
                      datanet: submission.datanet,
                      sha256: `0x${submission.sha256}`,
                    }),
                })
              }
            >
              Expire it
            </button>
          )}
        </>
      )}
    </>
  );
}

/** Where a contributor says that an accepted file was not theirs to give. */
function Revoke({ submission }: { submission: SubmissionDetail }) {
  const account = useAccount();
  const chain = useChainSubmission(submission).data;
  const { leaf } = submission;
  if (submission.state !== "accepted" || leaf === null) return null;
  // The chain says it some blocks before the index does.
  if (submission.revoked || (chain?.state.type === "Accepted" && chain.state.value.revoked)) {
    return (
      <Notice tone="warn" title="It was revoked">
        Its contributor or governance took back the permission to train on it. New jobs leave it out, and
        adapters that were trained on it say so. The file can still be read; points and payments of the past
        stay.
      </Notice>
    );
  }
  if (chain?.state.type !== "Accepted" || account?.address !== submission.contributor) return null;
  return (
    <details className="text-sm">
      <summary className="cursor-pointer font-medium">It was not yours to give?</summary>
      <p className="mt-2 text-soft">
        Revoking flags it for ever: new jobs leave it out, and adapters that were trained on it say so. The
        file can still be read, and points stay.
      </p>
      <Button
        size="small"
        look="danger"
        className="mt-3"
        onClick={() =>
          void transact(account, {
            title: "Revoke the file",
            words: `Flags submission ${submission.id} for ever. Jobs on ${submission.datanetName} leave it out from then on.`,
            build: (api) => api.tx.Datanets.revoke_leaf({ datanet: submission.datanet, leaf: BigInt(leaf) }),
          })
        }
      >
        Revoke it
      </Button>
    </details>
  );
}

function InReview({ submission }: { submission: SubmissionDetail }) {
  const account = useAccount();
  const own = account?.address === submission.contributor ? account : null;
  return (
    <Notice
      title="In review"
      actions={
        own && (
          <Button
            size="small"
            onClick={() =>
              void transact(own, {
                title: "Take a submission back",
                words:
                  "Its file may be submitted again later. Today’s quota stays used, and the file may stay on IPFS.",
                free: "Taking a file back costs no fee.",
                build: (api) =>
                  api.tx.Datanets.withdraw({
                    datanet: submission.datanet,
                    sha256: `0x${submission.sha256}`,
                  }),
              })
            }
          >
            Take it back
          </Button>
        )
      }
    >
      {submission.draws.length > 0
        ? "A committee that is drawn by chance fetches the file, looks at it and votes sealed. "
        : "Curators fetch the file, look at it and vote. "}
      <Waiting submission={submission} />
    </Notice>
  );
}

/** Until when the chain keeps a refused file for who gave it first. */
function Kept({ submission }: { submission: SubmissionDetail }) {
  const chain = useChainSubmission(submission).data;
  const best = useStatus().data?.best;
  if (chain?.state.type !== "Refused" || best == null || chain.state.value.kept_until <= best) return null;
  return (
    <>
      The file is kept from others until <BlockWhen block={chain.state.value.kept_until} />.
    </>
  );
}

function Decision({ submission }: { submission: SubmissionDetail }) {
  const { state, score, units, points, reason } = submission;
  if (state === "accepted") {
    return (
      <Notice tone="good" title={`Accepted with score ${score}`}>
        {formatCount(units ?? 0)} units earned {formatCount(points ?? "0")} points.
      </Notice>
    );
  }
  if (state === "rejected") {
    const known = whyRefused(reason);
    return (
      <Notice tone="bad" title={`Refused: ${known?.words ?? reason ?? "no reason was given"}`}>
        {known?.next} A refusal costs no points. <Kept submission={submission} />
      </Notice>
    );
  }
  if (state === "pending") return <InReview submission={submission} />;
  return <Notice title="Taken back">Its contributor took it back before it was decided.</Notice>;
}

function When({ moment }: { moment: Moment }) {
  return (
    <span className="text-soft">
      <Time ms={moment.time} />, block {formatCount(moment.block)}
    </span>
  );
}

function VoteLine({ vote }: { vote: Vote }) {
  return (
    <li className="grid gap-1.5 px-5 py-3 text-sm">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <AccountName account={vote.curator} />
        <Badge tone={vote.replaced ? "neutral" : vote.accept ? "good" : "bad"}>
          {vote.accept ? "Accept" : "Refuse"}
        </Badge>
        {vote.replaced && <span className="text-soft">replaced by a later vote</span>}
        <span className="ml-auto text-xs">
          <When moment={vote.at} />
        </span>
      </div>
      <p>
        {vote.accept
          ? `Score ${vote.score}, ${formatCount(vote.units ?? 0)} units`
          : (whyRefused(vote.reason)?.words ?? vote.reason ?? "no reason was given")}
      </p>
    </li>
  );
}

/** The committees that judge it, the first one first. */
function Draws({ draws }: { draws: SubmissionDetail["draws"] }) {
  return (
    <Card title="Committees" about="Drawn by chance; a challenge brings a larger one." flush>
      <ul className="divide-y divide-line border-t border-line">
        {draws.map(({ draw, challenge, state, found, outcome }) => {
          const said = outcome === null ? sayState({ state }) : sayOutcome(outcome);
          return (
            <li key={draw} className="flex flex-wrap items-center gap-x-3 gap-y-1 px-5 py-3 text-sm">
              <Link href={`/committees/${draw}`} className="link font-medium">
                Draw {draw}
                {challenge && " (challenge)"}
              </Link>
              <Badge tone={said.tone}>{said.label}</Badge>
              {challenge && found && <span className="text-soft">found: {found}</span>}
            </li>
          );
        })}
      </ul>
    </Card>
  );
}

function HistoryLine({ event }: { event: Event }) {
  return (
    <li className="grid gap-1 border-l-2 border-line pl-4 text-sm">
      <span className="first-letter:uppercase">{sayEvent(event).text}</span>
      <span className="flex flex-wrap items-center gap-x-3 text-xs">
        <When moment={event} />
        {event.extrinsic && <Copyable text={event.extrinsic} what="transaction hash" />}
      </span>
    </li>
  );
}

function File({ submission }: { submission: SubmissionDetail }) {
  const { leaf, textRoot, extractor } = submission;
  return (
    <Card title="File">
      <Facts
        facts={[
          [
            "Datanet",
            <Link key="datanet" href={`/datanets/${submission.datanet}`} className="link">
              {submission.datanetName}
            </Link>,
          ],
          ["Given by", <AccountName key="by" account={submission.contributor} />],
          ["Format", `.${submission.media}, ${formatBytes(submission.size)}`],
          ["Content id", <Copyable key="cid" text={submission.content} what="content id" />],
          ["SHA-256", <Copyable key="sha" text={submission.sha256} what="SHA-256" />],
          ["Submitted", <When key="submitted" moment={submission.submitted} />],
          ...(submission.decided
            ? ([["Decided", <When key="decided" moment={submission.decided} />]] as const)
            : []),
          ...(leaf !== null ? ([["Leaf", formatCount(leaf)]] as const) : []),
          ...(textRoot
            ? ([["Text root", <Copyable key="root" text={textRoot} what="root" />]] as const)
            : []),
          ...(extractor !== null ? ([["Read by", `extractor ${extractor}`]] as const) : []),
        ]}
      />
    </Card>
  );
}

/** One submission with its whole history. */
export default function SubmissionPage({ id = "" }: { id?: string }) {
  const submission = useGet<SubmissionDetail>(
    ["submission", id],
    `/v1/submissions/${encodeURIComponent(id)}`,
  );
  const data = submission.data;
  useLive(data && `datanet:${data.datanet}`);
  const state = data && (submissionStates[data.state] ?? { tone: "neutral" as const, words: data.state });
  return (
    <Page
      title={`Submission ${id}`}
      about={
        state && (
          <span className="inline-flex flex-wrap items-center gap-2">
            <Badge tone={state.tone}>{state.words}</Badge>
            {data.revoked && <RevokedBadge />}
          </span>
        )
      }
    >
      <Loaded query={submission}>
        {(found) => (
          <>
            <Decision submission={found} />
            <Revoke submission={found} />
            <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-6 lg:grid-cols-2">
              <File submission={found} />
              <div className="grid grid-cols-[minmax(0,1fr)] gap-6">
                {found.draws.length > 0 && <Draws draws={found.draws} />}
                {(found.draws.length === 0 || found.votes.length > 0) && (
                  <Card title="Votes" flush>
                    {found.votes.length === 0 ? (
                      <EmptyState icon="review" title="Nobody has voted yet" />
                    ) : (
                      <ul className="divide-y divide-line border-t border-line">
                        {found.votes.map((vote) => (
                          <VoteLine
                            key={`${vote.curator}-${vote.at.block}-${vote.at.extrinsic}`}
                            vote={vote}
                          />
                        ))}
                      </ul>
                    )}
                  </Card>
                )}
                <Card title="History">
                  <ol className="grid gap-4">
                    {found.history.map((event) => (
                      <HistoryLine key={event.id} event={event} />
                    ))}
                  </ol>
                </Card>
              </div>
            </div>
          </>
        )}
      </Loaded>
    </Page>
  );
}
