import { type ReactNode, useState } from "react";
import type { Account } from "@/accounts/state";
import { transact } from "@/chain/transactions";
import { Badge } from "@/components/ui/Badge";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Field } from "@/components/ui/Field";
import { Notice } from "@/components/ui/Notice";
import { AccountName, Amount, Stat } from "@/components/ui/Values";
import { formatCount, plural } from "@/lib/format";
import { PoolMembers } from "./PoolMembers";
import { called, type Pool, readKeeps, readName, rolesIn, type Terms } from "./pools";
import { useKept } from "./pools.state";
import { commission, MOST_BACKED } from "./stakes";
import type { Staking } from "./staking.state";

interface Own {
  account: Account;
  pool: Pool;
}

interface Chosen {
  /** Validators that are marked in the table of the page. */
  chosen: readonly string[];
  onChosen: (chosen: readonly string[]) => void;
}

/** Whether a pool can be joined. */
export function PoolState({ pool: { state, targets } }: Pick<Own, "pool">) {
  if (state !== "Open") return <Badge tone="warn">{state === "Blocked" ? "takes nobody" : "ends"}</Badge>;
  return (
    <Badge tone={targets.length > 0 ? "good" : "neutral"}>
      {targets.length > 0 ? `backs ${formatCount(targets.length)}` : "backs nobody"}
    </Badge>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title} className="grid content-start gap-3 border-t border-line pt-4 text-sm">
      <h3 className="font-medium">{title}</h3>
      {children}
    </section>
  );
}

/** The validators that a pool backs. */
function Backs({ account, pool, chosen, onChosen }: Own & Chosen) {
  const [problem, setProblem] = useState<string>();
  const count = chosen.length;
  const ends = pool.state === "Destroying";
  return (
    <Part title="Validators that it backs">
      {pool.targets.length > 0 ? (
        <ul className="flex flex-wrap gap-x-4 gap-y-2">
          {pool.targets.map((target) => (
            <li key={target}>
              <AccountName account={target} />
            </li>
          ))}
        </ul>
      ) : (
        <p className="text-soft">Nobody: what is in it earns nothing.</p>
      )}
      {!ends && (
        <p className="text-soft">
          Mark up to {MOST_BACKED} in the table Validators above. The election spreads what the pool has over
          them.
        </p>
      )}
      {problem && (
        <p role="alert" className="text-xs font-medium text-bad">
          {problem}
        </p>
      )}
      <div className="flex flex-wrap gap-2">
        {!ends && (
          <Button
            look={pool.targets.length > 0 ? "secondary" : "primary"}
            onClick={() => {
              setProblem(count === 0 ? "Mark at least one validator in the table above." : undefined);
              if (count === 0) return;
              void transact(account, {
                title: `Have the pool back ${plural(count, "validator")}`,
                words: `From the next election on what pool ${called(pool)} has counts for them, in the place of those that it backed before. Its members share what they earn and what they lose.`,
                build: (api) =>
                  api.tx.NominationPools.nominate({ pool_id: pool.id, validators: [...chosen] }),
              }).then((done) => done && onChosen([]));
            }}
          >
            {count > 0 ? `Have it back ${plural(count, "validator")}` : "Have it back those that are marked"}
          </Button>
        )}
        {pool.targets.length > 0 && (
          <Button
            look="quiet"
            onClick={() =>
              void transact(account, {
                title: "Have the pool back nobody",
                words: `Pool ${called(pool)} backs nobody from the next election on, and earns nothing. What is in it stays in it.`,
                build: (api) => api.tx.NominationPools.chill({ pool_id: pool.id }),
              })
            }
          >
            Have it back nobody
          </Button>
        )}
      </div>
    </Part>
  );
}

/** What a pool keeps of its payouts, and having that paid. */
function Keeps({ account, pool, terms }: Own & { terms: Terms }) {
  const kept = useKept(pool).data;
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string>();
  const send = () => {
    const { parts, problem } = readKeeps(text, terms.keeps);
    setProblem(problem);
    if (parts === null) return;
    void transact(account, {
      title: "Change what the pool keeps",
      words:
        parts > 0
          ? `Of what pool ${called(pool)} is paid from then on it keeps ${commission(parts)} for you before members share it. What it was paid before is shared as it was.`
          : `Pool ${called(pool)} keeps nothing of what it is paid from then on. What it has kept and not paid to you yet can be paid only while it keeps something: have it paid first.`,
      build: (api) =>
        api.tx.NominationPools.set_commission({
          pool_id: pool.id,
          new_commission: parts > 0 ? [parts, account.address] : undefined,
        }),
    }).then((done) => done && setText(""));
  };
  return (
    <Part title="Commission">
      {pool.payee !== null && (
        <p className="flex flex-wrap items-center gap-x-3 gap-y-2">
          <span>
            {commission(pool.commission)}
            {pool.payee === account.address ? " for you" : ", for"}
          </span>
          {pool.payee !== account.address && <AccountName account={pool.payee} />}
        </p>
      )}
      <form
        noValidate
        className="grid max-w-60 gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <Field
          label="It keeps"
          unit="%"
          inputMode="decimal"
          autoComplete="off"
          help={`${commission(terms.keeps)} at most; 0 for nothing.`}
          value={text}
          error={problem}
          onChange={(event) => setText(event.target.value)}
        />
        <Button type="submit" className="justify-self-start">
          Set it
        </Button>
      </form>
      {pool.payee !== null && kept !== undefined && (
        <div className="flex flex-wrap items-center gap-3">
          <span>
            <Amount plancks={kept} /> kept and not paid yet.
          </span>
          {kept > 0n && (
            <Button
              size="small"
              onClick={() =>
                void transact(account, {
                  title: "Have paid what the pool kept",
                  words:
                    pool.payee === account.address
                      ? "What it kept of its payouts for you until now."
                      : `What it kept of its payouts until now goes to ${pool.payee}.`,
                  ...(pool.payee === account.address ? { gained: kept } : {}),
                  build: (api) => api.tx.NominationPools.claim_commission({ pool_id: pool.id }),
                })
              }
            >
              Have it paid
            </Button>
          )}
        </div>
      )}
    </Part>
  );
}

function Rename({ account, pool }: Own) {
  const [text, setText] = useState(pool.name);
  const [problem, setProblem] = useState<string>();
  return (
    <form
      noValidate
      className="mt-3 grid max-w-md gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        const { name, problem } = readName(text);
        setProblem(problem);
        if (name === null) return;
        void transact(account, {
          title: "Change the pool’s name",
          words: name.length > 0 ? `It is called “${text.trim()}” from then on.` : "It has no name then.",
          build: (api) => api.tx.NominationPools.set_metadata({ pool_id: pool.id, metadata: name }),
        });
      }}
    >
      <Field
        label="Its name"
        autoComplete="off"
        value={text}
        error={problem}
        onChange={(event) => setText(event.target.value)}
      />
      <Button type="submit" className="justify-self-start">
        Change it
      </Button>
    </form>
  );
}

/** Whether a pool can be joined, its name, and its end. */
function Doors({ account, pool }: Own) {
  const set = (state: Pool["state"], title: string, words: string) =>
    void transact(account, {
      ...{ title, words },
      build: (api) =>
        api.tx.NominationPools.set_state({ pool_id: pool.id, state: { type: state, value: undefined } }),
    });
  return (
    <Part title="Who may join">
      <p className="text-soft">
        {pool.state === "Open"
          ? "Anybody may join."
          : "Nobody may join, and you may take members out. They leave as they please."}
      </p>
      <div className="flex flex-wrap gap-2">
        {pool.state === "Open" ? (
          <Button
            onClick={() =>
              set(
                "Blocked",
                "Take nobody new",
                `Nobody joins pool ${called(pool)} until you open it again, and you may take members out.`,
              )
            }
          >
            Take nobody new
          </Button>
        ) : (
          <Button
            onClick={() => set("Open", "Open the pool again", `Anybody may join pool ${called(pool)} again.`)}
          >
            Open it again
          </Button>
        )}
        <Button
          look="danger"
          onClick={() =>
            set(
              "Destroying",
              "End the pool for good",
              `Nobody joins pool ${called(pool)} any more, and anybody may take its members out. It cannot be taken back. When all others have left you take out what is yours.`,
            )
          }
        >
          End it for good
        </Button>
      </div>
      <details>
        <summary className="cursor-pointer font-medium">Call it otherwise</summary>
        <Rename key={pool.name} account={account} pool={pool} />
      </details>
    </Part>
  );
}

/** The way of a pool to its end. */
function Ending({ account, pool }: Own) {
  const others = pool.members - 1;
  return (
    <Notice tone="warn" title="This pool ends">
      {others > 0
        ? `${plural(others, "member has", "members have")} to leave first, besides who made it. Whoever does not is taken out below, by anybody, and withdrawn for after the bonding time.`
        : pool.targets.length > 0
          ? "Nobody but its maker is in it any more. Have it back nobody; then its maker takes out all, and withdraws it after the bonding time."
          : pool.maker === account.address
            ? "Nobody else is in it any more. Take out all that is yours, and withdraw it after the bonding time: then the pool is gone."
            : "Nobody but its maker is in it any more, who takes out what is left."}
    </Notice>
  );
}

/** A pool of which an account has a role: whom it backs, what it keeps, and who may join. */
export function RunPoolCard({
  account,
  pool,
  terms,
  staking,
  ...marked
}: Own & Chosen & { terms: Terms; staking: Staking }) {
  const may = rolesIn(pool, account.address);
  return (
    <Card
      title={`You run pool ${called(pool)}`}
      about={may.all ? undefined : `You ${may.backs ? "choose its validators" : "say who may join"}.`}
    >
      <div className="grid gap-5">
        <dl className="grid grid-cols-2 gap-5 sm:grid-cols-3 lg:grid-cols-5">
          <Stat label="Now">
            <PoolState pool={pool} />
          </Stat>
          <Stat label="Members">{formatCount(pool.members)}</Stat>
          <Stat label="Bonded">
            <Amount plancks={pool.bonded} />
          </Stat>
          <Stat label="On its way out">
            <Amount plancks={pool.unbonding} />
          </Stat>
          <Stat label="Keeps">{commission(pool.commission)}</Stat>
        </dl>
        {pool.state === "Destroying" && <Ending account={account} pool={pool} />}
        {(pool.state === "Destroying" || (pool.state === "Blocked" && may.closes)) && pool.members > 1 && (
          <PoolMembers account={account} pool={pool} staking={staking} />
        )}
        <div className="grid gap-x-8 gap-y-5 lg:grid-cols-2">
          <div className="grid content-start gap-5">
            {may.backs && (pool.state !== "Destroying" || pool.targets.length > 0) && (
              <Backs account={account} pool={pool} {...marked} />
            )}
            {may.closes && pool.state !== "Destroying" && <Doors account={account} pool={pool} />}
          </div>
          {may.all && <Keeps account={account} pool={pool} terms={terms} />}
        </div>
      </div>
    </Card>
  );
}
