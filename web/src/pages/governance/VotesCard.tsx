import { Link } from "wouter";
import type { Account } from "@/accounts/state";
import { useStatus } from "@/api/queries";
import { transact } from "@/chain/transactions";
import { BlockWhen } from "@/components/BlockWhen";
import { Badge } from "@/components/ui/Badge";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Notice } from "@/components/ui/Notice";
import { EmptyState, Loaded } from "@/components/ui/States";
import { AccountName, Amount, Stat } from "@/components/ui/Values";
import { BLOCK_TIME, formatDuration, formatOpen } from "@/lib/format";
import { DelegateForm } from "./DelegateForm";
import type { Delegation } from "./delegation";
import { type Governance, useOwnVotes, useReferendaOf } from "./governance.state";
import {
  convictions,
  freeFrom,
  lockedBy,
  type OwnVote,
  type Referendum,
  sayVote,
  type Track,
  trackName,
} from "./referenda";

/** Locks lie over one another: the largest counts. */
const largest = (amounts: readonly bigint[]) =>
  amounts.reduce((most, one) => {
    if (one > most) return one;
    return most;
  }, 0n);

/** A vote of one's own, and how it is taken back. */
function Vote({
  vote,
  referendum,
  account,
  rules,
}: {
  vote: OwnVote;
  referendum: Referendum | undefined;
  account: Account;
  rules: Governance;
}) {
  const free = referendum ? freeFrom(vote, referendum, rules.lockingPeriod) : null;
  const best = useStatus().data?.best ?? null;
  const due = free !== null && best !== null && free <= best;
  const takeBack = () =>
    transact(account, {
      title: "Take the vote back",
      words: referendum?.over
        ? due
          ? "It is over, and what the vote locked is free from then on."
          : `It is over. What the vote locked stays locked until block ${free?.toLocaleString("en")}, and can be unlocked then.`
        : "It counts no longer. What it locked is free from then on, as far as no other vote locks it.",
      build: (api) => {
        const remove = api.tx.ConvictionVoting.remove_vote({ class: vote.track, index: vote.referendum });
        const unlock = api.tx.ConvictionVoting.unlock({
          class: vote.track,
          target: { type: "Id", value: account.address },
        });
        return api.tx.Utility.batch_all({ calls: [remove.decodedCall, unlock.decodedCall] });
      },
    });
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 text-sm">
      <div className="min-w-0">
        <Link href={`/governance/${vote.referendum}`} className="link">
          Referendum {vote.referendum}
        </Link>
        <span className="ml-2">{sayVote(vote)}</span>
        <p className="text-xs text-soft">
          {referendum?.over && free !== null ? (
            due ? (
              "It is over; what it locked is free."
            ) : (
              <>
                Locked until <BlockWhen block={free} />.
              </>
            )
          ) : (
            `${vote.conviction === null ? "" : `Conviction ${(convictions[vote.conviction]?.tenths ?? 0) / 10}\u00a0×. `}It can be changed until the referendum is over.`
          )}
        </p>
      </div>
      <Button size="small" onClick={() => void takeBack()}>
        Take it back
      </Button>
    </li>
  );
}

/** OPEN of votes that were taken back, which waits or can be unlocked. */
function Locked({
  track,
  amount,
  until,
  account,
}: {
  track: Track;
  amount: bigint;
  until: number | null;
  account: Account;
}) {
  const best = useStatus().data?.best ?? null;
  const due = until === null || (best !== null && until <= best);
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 text-sm">
      <div>
        <Amount plancks={amount} /> <span className="text-soft">locked on track {trackName(track)}</span>
        {!due && until !== null && (
          <p className="text-xs text-soft">
            Until <BlockWhen block={until} />.
          </p>
        )}
      </div>
      <Button
        size="small"
        disabled={!due}
        onClick={() =>
          void transact(account, {
            title: "Unlock",
            words: `What no vote on track ${trackName(track)} locks any more is free from then on.`,
            build: (api) =>
              api.tx.ConvictionVoting.unlock({
                class: track.id,
                target: { type: "Id", value: account.address },
              }),
          })
        }
      >
        Unlock
      </Button>
    </li>
  );
}

/** A track on which another account votes with one's own OPEN, and how that ends. */
function Delegated({
  delegation: { track, target, amount, conviction },
  account,
  rules,
}: {
  delegation: Delegation;
  account: Account;
  rules: Governance;
}) {
  const { tenths, periods } = convictions[conviction] ?? convictions[0];
  const after = formatDuration(periods * rules.lockingPeriod * BLOCK_TIME);
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 text-sm">
      <div className="grid min-w-0 gap-1">
        <span className="inline-flex flex-wrap items-center gap-2">
          <Badge>delegated</Badge> {formatOpen(amount, 4)} OPEN on track{" "}
          {trackName(rules.tracks.find(({ id }) => id === track))} to <AccountName account={target} />
        </span>
        <p className="text-xs text-soft">
          Conviction {tenths / 10}&nbsp;×; locked{" "}
          {periods > 0 ? `for ${after} after you end it` : "until you end it"}.
        </p>
      </div>
      <Button
        size="small"
        onClick={() =>
          void transact(account, {
            title: "End the delegation",
            words:
              periods > 0
                ? `You vote by yourself again on this track. What was delegated stays locked for ${after}, and can be unlocked then.`
                : "You vote by yourself again on this track. What was delegated can be unlocked at once.",
            build: (api) => api.tx.ConvictionVoting.undelegate({ class: track }),
          })
        }
      >
        End it
      </Button>
    </li>
  );
}

/** What an account has voted, what that locks, and how it is free again. */
export function VotesCard({ account, rules }: { account: Account; rules: Governance }) {
  const own = useOwnVotes(account.address, rules.tracks);
  const referenda = useReferendaOf(own.data?.votes.map(({ referendum }) => referendum) ?? []).data;
  return (
    <Card
      title="Your votes"
      about="A vote locks its OPEN, it does not spend it. What is held or locked votes too."
    >
      <Loaded query={own}>
        {(found) => {
          const { votes, delegations, received, priors, locks, may, budget } = found;
          const locked = largest([...locks.values()]);
          // What a track locks beyond the votes that stand on it: those of votes that were taken back.
          const rest = rules.tracks.flatMap((track) => {
            const standing = largest(votes.filter((vote) => vote.track === track.id).map(lockedBy));
            const lock = locks.get(track.id) ?? 0n;
            const prior = priors.get(track.id);
            const delegated = delegations.some((one) => one.track === track.id);
            return lock > standing && !delegated
              ? [{ track, amount: lock, until: prior ? prior.until : null }]
              : [];
          });
          const nothing = votes.length + delegations.length + rest.length === 0;
          return (
            <div className="grid gap-5">
              <dl className="grid grid-cols-2 gap-5 sm:max-w-lg">
                <Stat label="May vote">{budget ? "nothing" : <Amount plancks={may} most={2} />}</Stat>
                <Stat label="Locked by votes">
                  <Amount plancks={locked} />
                </Stat>
              </dl>
              {budget && (
                <Notice tone="warn" title="This account pays for a job, so it does not vote">
                  A budget with a job is paid in spite of locks, and would vote again from the next account.
                  Vote with another one, or wait for the job’s end.
                </Notice>
              )}
              {received.map(({ track, votes: weight, capital }) => (
                <p key={track} className="text-sm">
                  <Badge tone="info">for others</Badge> On track{" "}
                  {trackName(rules.tracks.find(({ id }) => id === track))} you vote with{" "}
                  <Amount plancks={capital} /> of others too, which weigh as <Amount plancks={weight} />.
                </p>
              ))}
              {nothing ? (
                <EmptyState icon="vote" title="You have not voted">
                  Open a referendum below to vote on it, or let another account vote for you.
                </EmptyState>
              ) : (
                <ul className="grid gap-4">
                  {votes.map((vote) => (
                    <Vote
                      key={vote.referendum}
                      vote={vote}
                      referendum={referenda?.get(vote.referendum)}
                      account={account}
                      rules={rules}
                    />
                  ))}
                  {delegations.map((one) => (
                    <Delegated key={`d${one.track}`} delegation={one} account={account} rules={rules} />
                  ))}
                  {rest.map(({ track, amount, until }) => (
                    <Locked
                      key={`l${track.id}`}
                      track={track}
                      amount={amount}
                      until={until}
                      account={account}
                    />
                  ))}
                </ul>
              )}
              {!budget && (
                <details className="border-t border-line pt-4">
                  <summary className="cursor-pointer text-sm font-medium">
                    Let another account vote for you
                  </summary>
                  <div className="mt-4 max-w-2xl">
                    <DelegateForm account={account} rules={rules} votes={found} />
                  </div>
                </details>
              )}
            </div>
          );
        }}
      </Loaded>
    </Card>
  );
}
