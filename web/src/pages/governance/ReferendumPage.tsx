import { useState } from "react";
import { type Account, useAccount } from "@/accounts/state";
import { useStatus } from "@/api/queries";
import { CallView } from "@/calls/CallView";
import { transact } from "@/chain/transactions";
import { BlockWhen } from "@/components/BlockWhen";
import { Badge } from "@/components/ui/Badge";
import { Button, ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { TextField } from "@/components/ui/Field";
import { Page } from "@/components/ui/Page";
import { Skeleton } from "@/components/ui/Skeleton";
import { EmptyState, Loaded } from "@/components/ui/States";
import { AccountName, Amount, Copyable, Facts } from "@/components/ui/Values";
import { BLOCK_TIME, formatDuration } from "@/lib/format";
import { type Governance, useBefore, useGovernance, useProposal, useReferendum } from "./governance.state";
import { readPreimage } from "./propose";
import { note } from "./propose.state";
import {
  type Deposit,
  type Ongoing,
  type Referendum,
  sayReferendum,
  type Track,
  trackName,
} from "./referenda";
import { CancelledSlashes } from "./Slashes";
import { TallyBars } from "./Tally";
import { VoteCard } from "./VoteCard";

/** Where somebody who has the bytes behind a hash gives them to the chain. */
function NoteForm({ account, hash, onNoted }: { account: Account; hash: string; onNoted: () => void }) {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string>();
  return (
    <form
      noValidate
      className="mt-2 grid gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        const { bytes, problem } = readPreimage(text, hash);
        setProblem(problem);
        if (bytes) void note(account, bytes).then((done) => done && onNoted());
      }}
    >
      <TextField
        label="Its bytes"
        help="In hexadecimal, if you have them."
        rows={3}
        spellCheck={false}
        autoComplete="off"
        className="font-mono break-all"
        value={text}
        error={problem}
        onChange={(event) => setText(event.target.value)}
      />
      <Button type="submit" className="justify-self-start">
        Note them
      </Button>
    </form>
  );
}

/** What is proposed, read from its bytes. */
function ProposalCard({
  proposal,
  origin,
  pending,
  open,
  account,
}: {
  proposal: Ongoing["proposal"] | undefined;
  origin: string | null;
  pending: boolean;
  /** Whether it is still voted on. */
  open: boolean;
  account: Account | null;
}) {
  const call = useProposal(proposal);
  return (
    <Card
      title="What it does"
      about={
        origin
          ? `Carried out as ${origin}, and as nothing more, if it passes. Read from its bytes by this page.`
          : "Read from its bytes by this page."
      }
    >
      {pending ? (
        <Skeleton lines={3} />
      ) : proposal === undefined ? (
        <p className="text-sm text-soft">
          The node does not know any more what it was: it keeps how it ended.
        </p>
      ) : (
        <Loaded query={call}>
          {(found) =>
            found ? (
              <div className="grid gap-4">
                <CallView call={found} />
                {open && <CancelledSlashes call={found} />}
              </div>
            ) : (
              <div className="grid gap-2 text-sm">
                <p className="text-soft">
                  The chain has its hash alone. Vote when somebody has shown what stands behind it (a
                  preimage).{!account && open && " Who has an account and its bytes may do so here."}
                </p>
                {"hash" in proposal && (
                  <>
                    <Copyable text={proposal.hash} what="hash of the proposal" />
                    {account && open && (
                      <NoteForm account={account} hash={proposal.hash} onNoted={() => void call.refetch()} />
                    )}
                  </>
                )}
              </div>
            )
          }
        </Loaded>
      )}
    </Card>
  );
}

/** Somebody's deposit, and where it is over how it comes back. */
function DepositLine({
  referendum,
  kind,
  deposit,
  account,
}: {
  referendum: Referendum;
  kind: "decision" | "submission";
  deposit: Deposit | null;
  account: Account | null;
}) {
  if (!deposit) return <span className="text-soft">none, or given back</span>;
  const { over, id } = referendum;
  // Of what was refused or ran out the submission deposit stays: refund_submission_deposit of pallet-referenda.
  const due = over !== null && (kind === "decision" || over.how === "approved" || over.how === "cancelled");
  return (
    <span className="inline-flex flex-wrap items-center gap-x-3 gap-y-2">
      <Amount plancks={deposit.amount} /> of <AccountName account={deposit.who} />
      {due && account && (
        <Button
          size="small"
          onClick={() =>
            void transact(account, {
              title: "Give the deposit back",
              words: (
                <>
                  <Amount plancks={deposit.amount} /> come back to <AccountName account={deposit.who} />,
                  whoever asks for it.
                </>
              ),
              ...(deposit.who === account.address
                ? { gained: deposit.amount, gainedWords: "No longer held" }
                : {}),
              build: (api) =>
                kind === "decision"
                  ? api.tx.Referenda.refund_decision_deposit({ index: id })
                  : api.tx.Referenda.refund_submission_deposit({ index: id }),
            })
          }
        >
          Give it back
        </Button>
      )}
    </span>
  );
}

function Standing({
  referendum,
  before,
  track,
  rules,
  active,
  account,
}: {
  referendum: Referendum;
  /** What it was until it ended. */
  before: Ongoing | null | undefined;
  track: Track | undefined;
  rules: Governance;
  active: bigint;
  account: Account | null;
}) {
  const { id, ongoing, over } = referendum;
  const best = useStatus().data?.best ?? null;
  const { means, until } = sayReferendum(referendum, track, rules.timeout);
  const last = before?.tally;
  const deposits = ongoing ?? over;
  const time = (blocks: number) => formatDuration(blocks * BLOCK_TIME);
  const place = (by: Account, on: Track) =>
    transact(by, {
      title: "Place the decision deposit",
      words: `Referendum ${id} is decided from then on, after its preparation. The deposit comes back when it is over, unless it is killed as an abuse.`,
      held: on.decisionDeposit,
      build: (api) => api.tx.Referenda.place_decision_deposit({ index: id }),
    });
  return (
    <Card title="Where it is" about={means}>
      <div className="grid gap-5">
        {ongoing && track && <TallyBars ongoing={ongoing} track={track} active={active} block={best} />}
        <Facts
          facts={[
            ...(until !== null ? ([["Until", <BlockWhen key="until" block={until} />]] as const) : []),
            ...(over ? ([["Over since", <BlockWhen key="over" block={over.block} />]] as const) : []),
            ...(last
              ? ([
                  [
                    "Voted",
                    <span key="tally">
                      <Amount plancks={last.ayes} /> for and <Amount plancks={last.nays} /> against, with
                      conviction; <Amount plancks={last.support} /> in support
                    </span>,
                  ],
                ] as const)
              : []),
            ...(ongoing
              ? ([["Submitted", <BlockWhen key="submitted" block={ongoing.submitted} />]] as const)
              : []),
            ...(track
              ? ([
                  [
                    "Track",
                    `${trackName(track)}: decided within ${time(track.decide)}, confirmed for ${time(track.confirm)}, carried out ${time(track.enact)} later at the earliest`,
                  ],
                ] as const)
              : []),
            [
              "Proposal’s deposit",
              <DepositLine
                key="submission"
                referendum={referendum}
                kind="submission"
                deposit={deposits?.submissionDeposit ?? null}
                account={account}
              />,
            ],
            [
              "Decision deposit",
              ongoing && !ongoing.decisionDeposit && track ? (
                <span key="place" className="inline-flex flex-wrap items-center gap-x-3 gap-y-2">
                  nobody’s yet: <Amount plancks={track.decisionDeposit} />
                  {account && (
                    <Button size="small" onClick={() => void place(account, track)}>
                      Place it
                    </Button>
                  )}
                </span>
              ) : (
                <DepositLine
                  key="decision"
                  referendum={referendum}
                  kind="decision"
                  deposit={deposits?.decisionDeposit ?? null}
                  account={account}
                />
              ),
            ],
          ]}
        />
      </div>
    </Card>
  );
}

/** One referendum: what it does, how it stands, and voting on it. */
export default function ReferendumPage({ id = "" }: { id?: string }) {
  const account = useAccount();
  const number = /^\d{1,9}$/.test(id) ? Number(id) : Number.NaN;
  const rules = useGovernance();
  const found = useReferendum(number);
  const referendum = found.data?.referendum;
  const past = useBefore(referendum ?? { id: number, ongoing: null, over: null });
  const before = past.data;
  const trackId = (referendum?.ongoing ?? before)?.track;
  const track = rules.data?.tracks.find((one) => one.id === trackId);
  const said = referendum && rules.data ? sayReferendum(referendum, track, rules.data.timeout) : null;
  const none = Number.isNaN(number) || referendum === null;
  return (
    <Page
      title={`Referendum ${id}`}
      about={
        said && (
          <span className="inline-flex flex-wrap items-center gap-2">
            <Badge tone={said.tone}>{said.label}</Badge> track {trackName(track)}
          </span>
        )
      }
      actions={<ButtonLink href="/governance">All referenda</ButtonLink>}
    >
      {none ? (
        <Card>
          <EmptyState icon="vote" title="There is no such referendum">
            The page Governance lists them.
          </EmptyState>
        </Card>
      ) : (
        <Loaded query={rules}>
          {(network) => (
            <Loaded query={found}>
              {({ referendum: one, active }) =>
                one && (
                  <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-6 lg:grid-cols-2">
                    <div className="grid grid-cols-[minmax(0,1fr)] gap-6">
                      <ProposalCard
                        proposal={(one.ongoing ?? before)?.proposal}
                        origin={(one.ongoing ?? before)?.origin ?? null}
                        pending={past.isLoading}
                        open={one.ongoing !== null}
                        account={account}
                      />
                    </div>
                    <div className="grid grid-cols-[minmax(0,1fr)] gap-6">
                      <Standing
                        referendum={one}
                        before={before}
                        track={track}
                        rules={network}
                        active={active}
                        account={account}
                      />
                      <VoteCard referendum={one} rules={network} account={account} />
                    </div>
                  </div>
                )
              }
            </Loaded>
          )}
        </Loaded>
      )}
    </Page>
  );
}
