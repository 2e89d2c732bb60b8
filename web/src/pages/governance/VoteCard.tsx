import { useState } from "react";
import type { Account } from "@/accounts/state";
import { transact } from "@/chain/transactions";
import { Button, ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { ChoiceField, Field, SelectField } from "@/components/ui/Field";
import { Notice } from "@/components/ui/Notice";
import { Loaded } from "@/components/ui/States";
import { Amount } from "@/components/ui/Values";
import { BLOCK_TIME, formatDuration, formatOpen } from "@/lib/format";
import { readAmount } from "./amount";
import { type Governance, useOwnVotes, type Votes } from "./governance.state";
import { convictions, lockedBy, type OwnVote, type Referendum, sayVote, voteByte } from "./referenda";

type Side = "aye" | "nay" | "abstain";

const sides: readonly { value: Side; label: string; help: string }[] = [
  { value: "aye", label: "For", help: "Counts for approval and for support." },
  { value: "nay", label: "Against", help: "Counts for approval only." },
  { value: "abstain", label: "Abstain", help: "Counts for support only, with nothing locked after the end." },
];

/** How long a conviction locks, in words. */
const lockWords = (periods: number, period: number) =>
  periods === 0 ? "not at all" : formatDuration(periods * period * BLOCK_TIME);

function Form({
  referendum,
  track,
  rules,
  account,
  votes,
  own,
}: {
  referendum: Referendum;
  track: number;
  rules: Governance;
  account: Account;
  votes: Votes;
  own: OwnVote | undefined;
}) {
  const [side, setSide] = useState<Side>(
    own && own.nays > 0n ? "nay" : own && own.abstains > 0n ? "abstain" : "aye",
  );
  const [typed, setTyped] = useState(own ? formatOpen(lockedBy(own)).replaceAll(",", "") : "");
  const [conviction, setConviction] = useState(own?.conviction ?? 1);
  const [problem, setProblem] = useState<string>();
  const chosen = convictions[conviction] ?? convictions[0];
  const { amount } = readAmount(typed, votes.may);
  const weight = amount === null ? null : (amount * BigInt(side === "abstain" ? 10 : chosen.tenths)) / 10n;
  const send = () => {
    const { amount, problem } = readAmount(typed, votes.may);
    setProblem(problem);
    if (amount === null) return;
    const locked =
      side === "abstain"
        ? "as long as the referendum goes on"
        : chosen.periods === 0
          ? "as long as the referendum goes on, and not longer"
          : `as long as the referendum goes on, and if your side wins for ${lockWords(chosen.periods, rules.lockingPeriod)} after its end`;
    void transact(account, {
      title: own ? "Change the vote" : "Vote",
      words: (
        <>
          {side === "aye" ? "For" : side === "nay" ? "Against" : "Abstaining from"} referendum {referendum.id}{" "}
          with <Amount plancks={amount} most={6} />
          {side !== "abstain" && `, which weigh ${chosen.tenths / 10} × as much`}. They stay yours, and are
          locked {locked}. Locked OPEN still votes, and pays for no job meanwhile.
        </>
      ),
      build: (api) =>
        api.tx.ConvictionVoting.vote({
          poll_index: referendum.id,
          vote:
            side === "abstain"
              ? { type: "SplitAbstain", value: { aye: 0n, nay: 0n, abstain: amount } }
              : { type: "Standard", value: { vote: voteByte(side === "aye", conviction), balance: amount } },
        }),
    });
  };
  if (votes.budget) {
    return (
      <Notice tone="warn" title="This account pays for a job, so it does not vote">
        Vote with another account, or wait for the job’s end.
      </Notice>
    );
  }
  const delegated = votes.delegations.some((one) => one.track === track);
  if (delegated) {
    return (
      <Notice title="You have delegated your vote on this track">
        The page Governance ends the delegation; then you vote by yourself.
      </Notice>
    );
  }
  return (
    <form
      noValidate
      className="grid gap-5"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <ChoiceField<Side> legend="How you vote" value={side} options={sides} onChange={setSide} />
      <div className="grid gap-4">
        <Field
          label="With"
          unit="OPEN"
          inputMode="decimal"
          autoComplete="off"
          help={`${formatOpen(votes.may, 4)} OPEN may vote, what is held or locked too.`}
          value={typed}
          error={problem}
          onChange={(event) => setTyped(event.target.value)}
        />
        {side !== "abstain" && (
          <SelectField
            label="Conviction"
            value={String(conviction)}
            onChange={(event) => setConviction(Number(event.target.value))}
            help="Who is willing to have it locked for longer weighs more."
            options={convictions.map(({ tenths, periods }, n) => ({
              value: String(n),
              label: `${tenths / 10} ×, locked after a win: ${lockWords(periods, rules.lockingPeriod)}`,
            }))}
          />
        )}
      </div>
      {weight !== null && (
        <p className="text-sm text-soft">
          It counts as <Amount plancks={weight} most={6} />
          {side === "abstain" ? " in support." : ` ${side === "aye" ? "for" : "against"} it.`}
        </p>
      )}
      <Button type="submit" look="primary" className="justify-self-start">
        {own ? "Change the vote" : "Vote"}
      </Button>
    </form>
  );
}

/** Where somebody votes on a referendum that goes on, and sees the vote that stands. */
export function VoteCard({
  referendum,
  rules,
  account,
}: {
  referendum: Referendum;
  rules: Governance;
  account: Account | null;
}) {
  const votes = useOwnVotes(account?.address ?? null, rules.tracks);
  const track = referendum.ongoing?.track;
  if (!account) {
    return (
      <Notice
        title="Choose an account to vote"
        actions={
          <ButtonLink href="/accounts" size="small">
            Accounts
          </ButtonLink>
        }
      >
        Anybody with OPEN votes.
      </Notice>
    );
  }
  return (
    <Card
      title="Your vote"
      about={
        track === undefined ? undefined : "It can be changed or taken back until the referendum is over."
      }
    >
      <Loaded query={votes}>
        {(found) => {
          const own = found.votes.find((vote) => vote.referendum === referendum.id);
          return (
            <div className="grid gap-5">
              {own ? (
                <p className="text-sm">
                  You voted <strong>{sayVote(own)}</strong>
                  {own.conviction !== null &&
                    ` with conviction ${(convictions[own.conviction]?.tenths ?? 0) / 10}\u00a0×`}
                  . The page Governance takes it back.
                </p>
              ) : (
                track === undefined && <p className="text-sm text-soft">You did not vote on it.</p>
              )}
              {track !== undefined && (
                <Form
                  key={own ? sayVote(own) + own.conviction : "none"}
                  referendum={referendum}
                  track={track}
                  rules={rules}
                  account={account}
                  votes={found}
                  own={own}
                />
              )}
            </div>
          );
        }}
      </Loaded>
    </Card>
  );
}
