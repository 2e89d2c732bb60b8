import { useState } from "react";
import type { Account } from "@/accounts/state";
import { transact } from "@/chain/transactions";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Field, SelectField } from "@/components/ui/Field";
import { EmptyState, Loaded } from "@/components/ui/States";
import { Table } from "@/components/ui/Table";
import { Amount, Stat } from "@/components/ui/Values";
import { BLOCK_TIME, formatCount, formatDuration, formatOpen, plural } from "@/lib/format";
import { MakePool } from "./MakePool";
import { called, type Member, type Pool, readJoin, readLeave, type Terms } from "./pools";
import { spansOf, useMember, type usePools } from "./pools.state";
import { PoolState } from "./RunPoolCard";
import { commission, leaving } from "./stakes";
import { type Staking, useStake } from "./staking.state";

interface Own {
  account: Account;
  staking: Staking;
}

function Join({
  account,
  staking,
  pools,
  least,
  free,
}: Own & { pools: readonly Pool[]; least: bigint; free: bigint }) {
  const open = pools.filter(({ state }) => state === "Open");
  const [chosen, setChosen] = useState<string>();
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string>();
  const pool = open.find(({ id }) => String(id) === chosen) ?? open[0];
  if (!pool) return null;
  const send = () => {
    const { amount, problem } = readJoin(text, { free, least });
    setProblem(problem);
    if (amount === null) return;
    void transact(account, {
      title: "Join a pool",
      words: `It stays yours, and counts with pool ${called(pool)} from the next election on. The pool keeps ${commission(pool.commission)} of its payouts. Of what backs a validator that cheats a part is lost. Once you take it out, it is free after ${plural(staking.bonding, "era")}.`,
      held: amount,
      heldWords: "Held; free again after you take it out",
      build: (api) => api.tx.NominationPools.join({ amount, pool_id: pool.id }),
    }).then((done) => done && setText(""));
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
      <div className="grid gap-4 sm:grid-cols-2">
        <SelectField
          label="Pool"
          value={String(pool.id)}
          onChange={(event) => setChosen(event.target.value)}
          options={open.map((one) => ({ value: String(one.id), label: called(one) }))}
        />
        <Field
          label="Join with"
          unit="OPEN"
          inputMode="decimal"
          autoComplete="off"
          help={`${formatOpen(least)} OPEN at least; ${formatOpen(free, 4)} OPEN are free.`}
          value={text}
          error={problem}
          onChange={(event) => setText(event.target.value)}
        />
      </div>
      <Button type="submit" className="justify-self-start">
        Join it
      </Button>
    </form>
  );
}

function Part({
  account,
  staking,
  member,
  pool,
  terms,
  free,
}: Own & { member: Member; pool: Pool | undefined; terms: Terms; free: bigint }) {
  const made = pool?.maker === account.address;
  // Who made a pool leaves it last.
  const stays = made && !(pool.state === "Destroying" && pool.members === 1);
  const [more, setMore] = useState("");
  const [less, setLess] = useState("");
  const [problems, setProblems] = useState<{ more?: string | undefined; less?: string | undefined }>({});
  const { due, waits } = leaving(member.unbonding, staking.era);
  const itself = { type: "Id", value: account.address } as const;
  const bring = () => {
    const { amount, problem } = readJoin(more, { free, least: 0n });
    setProblems({ more: problem });
    if (amount === null) return;
    void transact(account, {
      title: "Bring more into the pool",
      words: "It counts from the next election on. What the pool owes you is paid with it.",
      held: amount,
      heldWords: "Held; free again after you take it out",
      build: (api) => api.tx.NominationPools.bond_extra({ extra: { type: "FreeBalance", value: amount } }),
    }).then((done) => done && setMore(""));
  };
  const take = () => {
    const { points, problem } = readLeave(less, member, made ? terms.make : terms.join, stays);
    setProblems({ less: problem });
    if (points === null) return;
    void transact(account, {
      title: "Take out of the pool",
      words: `It counts no longer from the next election on, and is yours to withdraw after ${plural(staking.bonding, "era")}. What the pool owes you is paid with it.`,
      build: (api) => api.tx.NominationPools.unbond({ member_account: itself, unbonding_points: points }),
    }).then((done) => done && setLess(""));
  };
  return (
    <div className="grid gap-5">
      <dl className="grid grid-cols-2 gap-5 sm:grid-cols-3">
        <Stat label="You are in">{pool ? called(pool) : formatCount(member.pool)}</Stat>
        <Stat label="Yours in it">
          <Amount plancks={member.bonded} />
        </Stat>
        <Stat label="It owes you">
          <Amount plancks={member.rewards} />
        </Stat>
      </dl>
      {member.rewards > 0n && (
        <Button
          className="justify-self-start"
          onClick={() =>
            void transact(account, {
              title: "Claim what the pool owes you",
              words: "Your share of its payouts until now. It does not lapse.",
              gained: member.rewards,
              build: (api) => api.tx.NominationPools.claim_payout(),
            })
          }
        >
          Claim it
        </Button>
      )}
      {member.bonded > 0n && (
        <div className="grid gap-5 sm:grid-cols-2">
          <form
            noValidate
            className="grid content-start gap-3"
            onSubmit={(event) => {
              event.preventDefault();
              bring();
            }}
          >
            <Field
              label="Bring more"
              unit="OPEN"
              inputMode="decimal"
              autoComplete="off"
              help={`${formatOpen(free, 4)} OPEN are free.`}
              value={more}
              error={problems.more}
              onChange={(event) => setMore(event.target.value)}
            />
            <Button type="submit" className="justify-self-start">
              Bring it
            </Button>
          </form>
          <form
            noValidate
            className="grid content-start gap-3"
            onSubmit={(event) => {
              event.preventDefault();
              take();
            }}
          >
            <Field
              label="Take out"
              unit="OPEN"
              inputMode="decimal"
              autoComplete="off"
              help={`Free ${plural(staking.bonding, "era")} later.${stays ? ` You made it: ${formatOpen(terms.make)} OPEN stay until it ends.` : ""}`}
              value={less}
              error={problems.less}
              onChange={(event) => setLess(event.target.value)}
            />
            <Button type="submit" className="justify-self-start">
              Take it out
            </Button>
          </form>
        </div>
      )}
      {waits.map(({ amount, era }) => (
        <p key={`${era}-${amount}`} className="text-sm text-soft">
          <Amount plancks={amount} /> free from era {formatCount(era)} on, in about{" "}
          {formatDuration((era - staking.era) * staking.length * BLOCK_TIME)}
        </p>
      ))}
      {due > 0n && pool && (
        <div className="flex flex-wrap items-center gap-3 text-sm">
          <span>
            <Amount plancks={due} /> can be withdrawn.
          </span>
          <Button
            size="small"
            onClick={() =>
              void spansOf(pool.account).then((spans) =>
                transact(account, {
                  title: "Withdraw from the pool",
                  words: "It is free from then on.",
                  gained: due,
                  gainedWords: "No longer held",
                  build: (api) =>
                    api.tx.NominationPools.withdraw_unbonded({
                      member_account: itself,
                      num_slashing_spans: spans,
                    }),
                }),
              )
            }
          >
            Withdraw
          </Button>
        </div>
      )}
    </div>
  );
}

function Pools({ pools }: { pools: readonly Pool[] }) {
  return (
    <Table
      caption="Nomination pools"
      rows={pools}
      rowKey={({ id }) => id}
      columns={[
        { title: "Pool", cell: (pool) => <span className="break-words">{called(pool)}</span> },
        { title: "Now", cell: (pool) => <PoolState pool={pool} /> },
        { title: "Bonded", align: "right", cell: ({ bonded }) => <Amount plancks={bonded} /> },
        { title: "Members", align: "right", cell: ({ members }) => formatCount(members) },
        { title: "Keeps", align: "right", cell: (pool) => commission(pool.commission) },
      ]}
    />
  );
}

/** Joining a pool, or making one. */
function Enter({
  pools,
  terms,
  deposit,
  ...own
}: Own & { pools: readonly Pool[]; terms: Terms; deposit: bigint; free: bigint }) {
  return (
    <div className="grid gap-4">
      <Join {...own} pools={pools} least={terms.join} />
      <details className="text-sm">
        <summary className="cursor-pointer font-medium">Make a pool of your own</summary>
        <div className="mt-4">
          <MakePool account={own.account} terms={terms} deposit={deposit} free={own.free} />
        </div>
      </details>
    </div>
  );
}

/** Nomination pools: one's own part of one, joining or making one, and those that there are. */
export function PoolsCard({
  account,
  staking,
  all,
}: {
  account: Account | null;
  staking: Staking;
  all: ReturnType<typeof usePools>;
}) {
  const member = useMember(account?.address ?? "");
  const own = useStake(account?.address ?? null).data;
  return (
    <Card
      title="Nomination pools"
      about="To elections a pool is one nominator: who has little, or does not want to choose validators, joins one. Names are their makers’, and nobody checked them."
      flush
    >
      <Loaded query={all}>
        {({ pools, terms, deposit }) => (
          <>
            {account && own && member.data !== undefined && (
              <div className="px-5 pb-5">
                {member.data ? (
                  <Part
                    key={account.address}
                    account={account}
                    staking={staking}
                    member={member.data}
                    pool={pools.find(({ id }) => id === member.data?.pool)}
                    terms={terms}
                    free={own.free}
                  />
                ) : own.stake ? (
                  <p className="text-sm text-soft">
                    This account stakes by itself. An account does that or is in one pool, not both.
                  </p>
                ) : (
                  <Enter
                    key={account.address}
                    account={account}
                    staking={staking}
                    pools={pools}
                    terms={terms}
                    deposit={deposit}
                    free={own.free}
                  />
                )}
              </div>
            )}
            {pools.length > 0 ? (
              <Pools pools={pools} />
            ) : (
              <EmptyState icon="stake" title="There is no pool yet">
                {formatOpen(terms.make)} OPEN make one, with any account that does not stake by itself.
              </EmptyState>
            )}
          </>
        )}
      </Loaded>
    </Card>
  );
}
