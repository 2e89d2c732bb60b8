import { useState } from "react";
import { type Account, useAccount } from "@/accounts/state";
import type { Datanet } from "@/api/types";
import { transact } from "@/chain/transactions";
import { BlockWhen } from "@/components/BlockWhen";
import { Badge } from "@/components/ui/Badge";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Field } from "@/components/ui/Field";
import { Notice } from "@/components/ui/Notice";
import { AccountName, Amount, Facts } from "@/components/ui/Values";
import { formatOpen } from "@/lib/format";
import { sayThreshold } from "./datanet.state";
import {
  type ChainPool,
  type ChainShare,
  readLeaving,
  type Terms,
  useChainPool,
  type WaitingPolicy,
  waysOut,
} from "./fund.state";

function Change({ before, after }: { before: bigint; after: bigint }) {
  if (before === after) return <Amount plancks={after} most={18} />;
  return (
    <>
      <Amount plancks={before} most={18} /> → <Amount plancks={after} most={18} />
    </>
  );
}

/** Terms that wait: what they change, and from when on. */
function WaitingTerms({ now, next, block }: { now: Terms; next: Terms; block: number }) {
  const faster = next.per_period > now.per_period || next.max_per_point > now.max_per_point;
  return (
    <Notice
      tone={faster ? "warn" : "info"}
      title={faster ? "It is to pay out faster" : "It is to pay out slower"}
    >
      <div className="mt-1 grid gap-3">
        <Facts
          facts={[
            ["Most for a period", <Change key="period" before={now.per_period} after={next.per_period} />],
            [
              "Most for a point",
              <Change key="point" before={now.max_per_point} after={next.max_per_point} />,
            ],
            ["From", <BlockWhen key="from" block={block} />],
          ]}
        />
        <p>
          {faster
            ? "Until then funders may leave. Points keep the terms of their period."
            : "Points keep the terms of their period."}
        </p>
      </div>
    </Notice>
  );
}

/** Curators that wait: who comes, who goes, and from when on. */
function WaitingCurators({ datanet, next }: { datanet: Datanet; next: WaitingPolicy }) {
  const curators = next.policy.type === "Curators" ? next.policy.value : undefined;
  const { members, threshold } = curators ?? { members: [], threshold: 0 };
  const gone = datanet.curators.filter((curator) => !members.includes(curator));
  return (
    <Notice tone="warn" title="Others are to decide">
      <div className="mt-1 grid gap-3">
        <p>
          {sayThreshold(threshold, members.length)}, from <BlockWhen block={next.block} /> on. Until then
          funders may leave.
        </p>
        <ul className="grid gap-2">
          {members.map((curator) => (
            <li key={curator} className="flex flex-wrap items-center gap-2">
              <AccountName account={curator} />
              {!datanet.curators.includes(curator) && <Badge tone="accent">new</Badge>}
            </li>
          ))}
          {gone.map((curator) => (
            <li key={curator} className="flex flex-wrap items-center gap-2">
              <AccountName account={curator} />
              <Badge tone="warn">no longer</Badge>
            </li>
          ))}
        </ul>
      </div>
    </Notice>
  );
}

/** Takes shares out while there is a way. */
function LeaveForm({ datanet, share, account }: { datanet: Datanet; share: ChainShare; account: Account }) {
  const [text, setText] = useState<string | null>(null);
  const [problem, setProblem] = useState<string>();
  const typed = text ?? formatOpen(share.worth).replaceAll(",", "");
  return (
    <form
      noValidate
      className="grid gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        const { shares, problem } = readLeaving(typed, share);
        setProblem(problem ?? undefined);
        if (shares === null) return;
        const all = shares === share.shares;
        void transact(account, {
          title: "Leave the pool",
          words: (
            <>
              Takes {all ? "all your shares" : `a part of your shares, worth ${typed} OPEN now,`} out of the
              pool of “{datanet.name}” when the running reward period has ended and paid its points. What they
              bring is decided then, and you withdraw it here. It cannot be undone.
            </>
          ),
          build: (api) => api.tx.Leaderboard.leave({ datanet: datanet.id, shares }),
        }).then((done) => done && setText(null));
      }}
    >
      <Field
        label="Take out"
        unit="OPEN"
        inputMode="decimal"
        autoComplete="off"
        value={typed}
        error={problem}
        help="By what your shares are worth now; all of it unless you change it."
        onChange={(event) => setText(event.target.value)}
      />
      <Button type="submit" className="justify-self-start">
        Leave
      </Button>
    </form>
  );
}

function Own({ datanet, share, open }: { datanet: Datanet; share: ChainShare; open: boolean }) {
  const account = useAccount();
  if (!account) return null;
  return (
    <div className="grid gap-4 border-t border-line pt-4">
      <Facts
        facts={[
          ["Your shares are worth", <Amount key="worth" plancks={share.worth} />],
          ...(share.leaving > 0n
            ? ([["Leaving", "when the reward period has ended and paid"]] as const)
            : []),
          ...(share.due > 0n ? ([["To withdraw", <Amount key="due" plancks={share.due} />]] as const) : []),
        ]}
      />
      {open && share.shares > 0n && <LeaveForm datanet={datanet} share={share} account={account} />}
      {share.due > 0n && (
        <Button
          look="primary"
          className="justify-self-start"
          onClick={() =>
            void transact(account, {
              title: "Withdraw",
              words: `Pays you what your shares of the pool of “${datanet.name}” brought that have left.`,
              gained: share.due,
              build: (api) => api.tx.Leaderboard.withdraw({ datanet: datanet.id, account: account.address }),
            })
          }
        >
          Withdraw
        </Button>
      )}
    </div>
  );
}

/** What is nobody's in a pool that pays no more: anyone may let it leave for the treasury. */
function Recover({ datanet, pool }: { datanet: Datanet; pool: ChainPool }) {
  const account = useAccount();
  const over = pool.way_out?.type === "Closed" || pool.way_out?.type === "Dead";
  if (!account || !over || pool.unowned === 0n) return null;
  return (
    <div className="grid gap-3 border-t border-line pt-4 text-sm">
      <p className="text-soft">
        A part of the pool belongs to no funder. Anyone may let it leave for the treasury, of which nobody has
        the key.
      </p>
      <Button
        className="justify-self-start"
        onClick={() =>
          void transact(account, {
            title: "Recover the pool",
            words: `Lets what is nobody's in the pool of “${datanet.name}” leave for the treasury when the reward period has ended. Funders' shares stay theirs, and you get nothing of it.`,
            build: (api) => api.tx.Leaderboard.recover({ datanet: datanet.id }),
          })
        }
      >
        Recover it
      </Button>
    </div>
  );
}

/** What waits in a pool, and what funders can do about it. Nothing where there are none. */
export function FundersCard({ datanet }: { datanet: Datanet }) {
  const account = useAccount();
  const { data } = useChainPool(datanet.id, account?.address);
  const pool = data?.pool;
  if (!pool || pool.total_in === 0n) return null;
  const way = pool.way_out && waysOut[pool.way_out.type];
  const { waiting } = pool;
  return (
    <Card
      title="Funders"
      about={way ? `They may leave: ${way}.` : "They may leave when terms or curators are to change."}
    >
      <div className="grid gap-4">
        {waiting && <WaitingTerms now={pool.rules.terms} next={waiting.terms} block={waiting.block} />}
        {data.policy && <WaitingCurators datanet={datanet} next={data.policy} />}
        <Facts
          facts={[
            ["Back with funders", <Amount key="back" plancks={pool.returned} />],
            ...(pool.returning > 0n
              ? ([["On its way back", <Amount key="returning" plancks={pool.returning} />]] as const)
              : []),
          ]}
        />
        {data.share && (
          <Own key={`${data.share.shares}`} datanet={datanet} share={data.share} open={Boolean(way)} />
        )}
        <Recover datanet={datanet} pool={pool} />
      </div>
    </Card>
  );
}
