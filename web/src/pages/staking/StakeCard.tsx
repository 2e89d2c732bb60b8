import { useState } from "react";
import type { Account } from "@/accounts/state";
import { transact } from "@/chain/transactions";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Field } from "@/components/ui/Field";
import { Loaded } from "@/components/ui/States";
import { AccountName, Amount, Stat } from "@/components/ui/Values";
import { BLOCK_TIME, formatCount, formatDuration, formatOpen, plural } from "@/lib/format";
import { leaving, MOST_BACKED, readBond, readUnbond, type Stake } from "./stakes";
import { type Staking, useStake } from "./staking.state";

interface Own {
  account: Account;
  staking: Staking;
}

function Bond({ account, staking, stake, free }: Own & { stake: Stake | null; free: bigint }) {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string>();
  const active = stake?.active ?? 0n;
  const time = formatDuration(staking.bonding * staking.length * BLOCK_TIME);
  const send = () => {
    const { amount, problem } = readBond(text, { free, active, least: staking.leastNominator });
    setProblem(problem);
    if (amount === null) return;
    void transact(account, {
      title: stake ? "Bond more" : "Bond OPEN",
      words: `It stays yours, and counts from the next election on for whom you back. Of what backs a validator that cheats a part is lost. Once you unbond it, it is free after ${plural(staking.bonding, "era")}, about ${time}.`,
      held: amount,
      heldWords: "Held; free again after you unbond it",
      build: (api) =>
        stake
          ? api.tx.Staking.bond_extra({ max_additional: amount })
          : api.tx.Staking.bond({ value: amount, payee: { type: "Stash", value: undefined } }),
    }).then((done) => done && setText(""));
  };
  return (
    <form
      noValidate
      className="grid content-start gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <Field
        label={stake ? "Bond more" : "Bond"}
        unit="OPEN"
        inputMode="decimal"
        autoComplete="off"
        help={`${formatOpen(free, 4)} OPEN are free. At each era’s end its payout comes to your account, free.`}
        value={text}
        error={problem}
        onChange={(event) => setText(event.target.value)}
      />
      <Button type="submit" look={stake ? "secondary" : "primary"} className="justify-self-start">
        {stake ? "Bond more" : "Bond it"}
      </Button>
    </form>
  );
}

function Unbond({ account, staking, stake, spans }: Own & { stake: Stake; spans: number }) {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string>();
  const { due, waits } = leaving(stake.unlocking, staking.era);
  const least = stake.does === "validates" ? staking.leastValidator : staking.leastNominator;
  const send = () => {
    const { amount, problem } = readUnbond(text, { active: stake.active, least, does: stake.does });
    setProblem(problem);
    if (amount === null) return;
    void transact(account, {
      title: "Unbond",
      words: `${formatOpen(amount)} OPEN count no longer from the next election on, and can be withdrawn after ${plural(staking.bonding, "era")}. Until then they can be lost for what was done before.`,
      build: (api) => api.tx.Staking.unbond({ value: amount }),
    }).then((done) => done && setText(""));
  };
  return (
    <div className="grid content-start gap-3">
      <form
        noValidate
        className="grid gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <Field
          label="Unbond"
          unit="OPEN"
          inputMode="decimal"
          autoComplete="off"
          help={`Free ${plural(staking.bonding, "era")} later.`}
          value={text}
          error={problem}
          onChange={(event) => setText(event.target.value)}
        />
        <Button type="submit" className="justify-self-start">
          Unbond it
        </Button>
      </form>
      {waits.map(({ amount, era }) => (
        <p key={`${era}-${amount}`} className="text-sm text-soft">
          <Amount plancks={amount} /> free from era {formatCount(era)} on, in about{" "}
          {formatDuration((era - staking.era) * staking.length * BLOCK_TIME)}
        </p>
      ))}
      {due > 0n && (
        <div className="flex flex-wrap items-center gap-3 text-sm">
          <span>
            <Amount plancks={due} /> can be withdrawn.
          </span>
          <Button
            size="small"
            onClick={() =>
              void transact(account, {
                title: "Withdraw what was unbonded",
                words: "It is free from then on.",
                gained: due,
                gainedWords: "No longer held",
                build: (api) => api.tx.Staking.withdraw_unbonded({ num_slashing_spans: spans }),
              })
            }
          >
            Withdraw
          </Button>
        </div>
      )}
    </div>
  );
}

function Back({
  account,
  stake,
  chosen,
  onChosen,
}: {
  account: Account;
  stake: Stake;
  chosen: readonly string[];
  onChosen: (chosen: readonly string[]) => void;
}) {
  const [problem, setProblem] = useState<string>();
  return (
    <div className="grid gap-3 border-t border-line pt-4 text-sm">
      {stake.does === "nominates" && (
        <div className="grid gap-2">
          <p className="text-soft">You back:</p>
          <ul className="flex flex-wrap gap-x-4 gap-y-2">
            {stake.targets.map((target) => (
              <li key={target}>
                <AccountName account={target} />
              </li>
            ))}
          </ul>
        </div>
      )}
      <p className="text-soft">
        Mark up to {MOST_BACKED} validators below and back them with what is bonded. The election spreads it
        over them.
      </p>
      {problem && (
        <p role="alert" className="text-xs font-medium text-bad">
          {problem}
        </p>
      )}
      <div className="flex flex-wrap gap-2">
        <Button
          onClick={() => {
            setProblem(chosen.length === 0 ? "Mark at least one validator in the table below." : undefined);
            if (chosen.length === 0) return;
            void transact(account, {
              title: `Back ${plural(chosen.length, "validator")}`,
              words:
                "From the next election on your stake counts for them, in the place of those that you backed before. You share what they earn and what they lose.",
              build: (api) =>
                api.tx.Staking.nominate({
                  targets: chosen.map((value) => ({ type: "Id", value }) as const),
                }),
            }).then((done) => done && onChosen([]));
          }}
        >
          {chosen.length > 0 ? `Back ${plural(chosen.length, "validator")}` : "Back those that are marked"}
        </Button>
        {stake.does !== "nothing" && (
          <Button
            look="quiet"
            onClick={() =>
              void transact(account, {
                title: "Stand back",
                words: `You ${stake.does === "validates" ? "validate" : "back nobody"}${stake.does === "validates" ? " no longer" : ""} from the next election on. What is bonded stays bonded until you unbond it.`,
                build: (api) => api.tx.Staking.chill(),
              })
            }
          >
            Stand back
          </Button>
        )}
      </div>
    </div>
  );
}

/** An account's own stake: bonding, backing validators, and the way out. */
export function StakeCard({
  account,
  staking,
  pool,
  chosen,
  onChosen,
}: Own & {
  /** The pool in which the account has OPEN; null for none. */
  pool: number | null;
  chosen: readonly string[];
  onChosen: (chosen: readonly string[]) => void;
}) {
  const own = useStake(account.address);
  return (
    <Card title="Your stake" about="Bonded OPEN stays on your account, held.">
      <Loaded query={own}>
        {({ stake, free, spans }) => (
          <div className="grid gap-5">
            <dl className="grid grid-cols-2 gap-5 sm:grid-cols-3">
              <Stat label="Bonded">
                <Amount plancks={stake?.active ?? 0n} />
              </Stat>
              <Stat label="On its way out">
                <Amount plancks={stake?.unlocking.reduce((sum, { amount }) => sum + amount, 0n) ?? 0n} />
              </Stat>
              <Stat label="Does">
                {stake?.does === "nominates"
                  ? `backs ${formatCount(stake.targets.length)}`
                  : (stake?.does ?? "nothing")}
              </Stat>
            </dl>
            <div className="grid gap-5 sm:grid-cols-2">
              {pool !== null ? (
                <p className="text-sm text-soft sm:col-span-2">
                  This account is in pool {formatCount(pool)}, below. An account does that or stakes by
                  itself, not both.
                </p>
              ) : (
                <Bond account={account} staking={staking} stake={stake} free={free} />
              )}
              {stake && <Unbond account={account} staking={staking} stake={stake} spans={spans} />}
            </div>
            {stake && stake.does !== "validates" && (
              <Back account={account} stake={stake} chosen={chosen} onChosen={onChosen} />
            )}
          </div>
        )}
      </Loaded>
    </Card>
  );
}
