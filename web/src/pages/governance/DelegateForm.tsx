import { useState } from "react";
import type { Account } from "@/accounts/state";
import { transact } from "@/chain/transactions";
import { Button } from "@/components/ui/Button";
import { CheckField, Field, SelectField } from "@/components/ui/Field";
import { AccountName, Amount } from "@/components/ui/Values";
import { BLOCK_TIME, formatDuration, formatOpen, plural } from "@/lib/format";
import { type DelegationProblems, type DelegationText, readDelegation, weighs } from "./delegation";
import type { Governance, Votes } from "./governance.state";
import { convictions, trackName } from "./referenda";

/** Where somebody lets another account vote with what is theirs, track by track. */
export function DelegateForm({
  account,
  rules,
  votes,
}: {
  account: Account;
  rules: Governance;
  votes: Votes;
}) {
  /** Why a track cannot be chosen; undefined where it can. */
  const barrier = (track: number) => {
    if (votes.delegations.some((one) => one.track === track)) return "Delegated already.";
    if (votes.votes.some((one) => one.track === track)) {
      return "You have voted on it yourself; take these votes back first.";
    }
    return undefined;
  };
  const free = rules.tracks.filter(({ id }) => barrier(id) === undefined).map(({ id }) => id);
  const [text, setText] = useState<Omit<DelegationText, "tracks">>({ to: "", amount: "", conviction: 1 });
  const [left, setLeft] = useState<readonly number[]>([]);
  const [problems, setProblems] = useState<DelegationProblems>({});
  const chosen = convictions[text.conviction] ?? convictions[0];
  const tracks = free.filter((id) => !left.includes(id));
  const lasts = (periods: number) =>
    periods === 0 ? "not at all" : formatDuration(periods * rules.lockingPeriod * BLOCK_TIME);
  const { delegation } = readDelegation({ ...text, tracks }, { own: account.address, may: votes.may });
  const send = () => {
    const { delegation, problems } = readDelegation(
      { ...text, tracks },
      { own: account.address, may: votes.may },
    );
    setProblems(problems);
    if (!delegation) return;
    const { to, amount } = delegation;
    void transact(account, {
      title: "Delegate your votes",
      words: (
        <>
          <AccountName account={to} /> votes with your <Amount plancks={amount} most={6} /> on{" "}
          {plural(tracks.length, "track")}, weighing {chosen.tenths / 10} × as much, and cannot move it. It is
          locked until you end the delegation
          {chosen.periods > 0 && `, and for ${lasts(chosen.periods)} from then on`}. You do not vote on{" "}
          {tracks.length === 1 ? "this track" : "these tracks"} yourself meanwhile.
        </>
      ),
      build: (api) => {
        const calls = tracks.map((track) =>
          api.tx.ConvictionVoting.delegate({
            class: track,
            to: { type: "Id", value: to },
            conviction: { type: chosen.type, value: undefined },
            balance: amount,
          }),
        );
        const [only, ...others] = calls;
        if (only && others.length === 0) return only;
        return api.tx.Utility.batch_all({ calls: calls.map(({ decodedCall }) => decodedCall) });
      },
    }).then((done) => done && setText({ ...text, to: "", amount: "" }));
  };
  return (
    <form
      noValidate
      className="grid gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <Field
        label="Who votes for you"
        help="It may change how it votes as it likes; you may end it at any time."
        spellCheck={false}
        autoComplete="off"
        className="font-mono"
        value={text.to}
        error={problems.to}
        onChange={(event) => setText({ ...text, to: event.target.value })}
      />
      <div className="grid gap-4 sm:grid-cols-2">
        <Field
          label="Votes delegated"
          unit="OPEN"
          inputMode="decimal"
          autoComplete="off"
          help={`${formatOpen(votes.may, 4)} OPEN may vote.`}
          value={text.amount}
          error={problems.amount}
          onChange={(event) => setText({ ...text, amount: event.target.value })}
        />
        <SelectField
          label="Conviction of the delegation"
          value={String(text.conviction)}
          onChange={(event) => setText({ ...text, conviction: Number(event.target.value) })}
          options={convictions.map(({ tenths, periods }, n) => ({
            value: String(n),
            label: `${tenths / 10} ×, locked after its end: ${lasts(periods)}`,
          }))}
        />
      </div>
      <fieldset className="grid gap-2.5">
        <legend className="mb-2 text-sm font-medium">On the tracks</legend>
        {rules.tracks.map((track) => {
          const why = barrier(track.id);
          return (
            <CheckField
              key={track.id}
              label={trackName(track)}
              help={why}
              disabled={why !== undefined}
              checked={tracks.includes(track.id)}
              onChange={(event) =>
                setLeft(event.target.checked ? left.filter((one) => one !== track.id) : [...left, track.id])
              }
            />
          );
        })}
      </fieldset>
      {problems.tracks && (
        <p role="alert" className="text-xs font-medium text-bad">
          {problems.tracks}
        </p>
      )}
      {delegation && (
        <p className="text-sm text-soft">
          It counts as <Amount plancks={weighs(delegation.amount, text.conviction)} most={6} /> on each of
          them.
        </p>
      )}
      <Button type="submit" className="justify-self-start" disabled={votes.budget}>
        Delegate
      </Button>
    </form>
  );
}
