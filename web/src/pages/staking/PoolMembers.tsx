import { useState } from "react";
import type { Account } from "@/accounts/state";
import { transact } from "@/chain/transactions";
import { Button } from "@/components/ui/Button";
import { Loaded } from "@/components/ui/States";
import { AccountName, Amount } from "@/components/ui/Values";
import { formatCount, plural } from "@/lib/format";
import type { Member, Pool } from "./pools";
import { spansOf, useMembers } from "./pools.state";
import { leaving } from "./stakes";
import type { Staking } from "./staking.state";

interface One {
  account: Account;
  pool: Pool;
  staking: Staking;
  who: string;
  member: Member;
}

function Line({ account, pool, staking, who, member }: One) {
  const itself = { type: "Id", value: who } as const;
  const { due, waits } = leaving(member.unbonding, staking.era);
  const next = waits.reduce((first, { era }) => Math.min(first, era), Number.POSITIVE_INFINITY);
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 py-2.5">
      <AccountName account={who} />
      <span className="flex flex-wrap items-center justify-end gap-3">
        {member.bonded > 0n && (
          <>
            <Amount plancks={member.bonded} />
            <Button
              size="small"
              onClick={() =>
                void transact(account, {
                  title: "Take a member out",
                  words: `All that ${who} has in the pool is on its way out, and free after ${plural(staking.bonding, "era")}. What the pool owes it is paid to it.`,
                  build: (api) =>
                    api.tx.NominationPools.unbond({
                      member_account: itself,
                      unbonding_points: member.points,
                    }),
                })
              }
            >
              Take it out
            </Button>
          </>
        )}
        {due > 0n && (
          <>
            <Amount plancks={due} />
            <Button
              size="small"
              onClick={() =>
                void spansOf(pool.account).then((spans) =>
                  transact(account, {
                    title: "Withdraw for a member",
                    words: `What ${who} had taken out for long enough is free on its account.`,
                    build: (api) =>
                      api.tx.NominationPools.withdraw_unbonded({
                        member_account: itself,
                        num_slashing_spans: spans,
                      }),
                  }),
                )
              }
            >
              Withdraw for it
            </Button>
          </>
        )}
        {member.bonded === 0n && due === 0n && Number.isFinite(next) && (
          <span className="text-soft">free from era {formatCount(next)} on</span>
        )}
      </span>
    </li>
  );
}

/** Members of a pool that is blocked or ends, whom others than themselves may take out. */
export function PoolMembers({ account, pool, staking }: Omit<One, "who" | "member">) {
  const [open, setOpen] = useState(false);
  const members = useMembers(pool.id, open);
  return (
    <details
      className="text-sm"
      open={open}
      onToggle={(event) => {
        setOpen(event.currentTarget.open);
      }}
    >
      <summary className="cursor-pointer font-medium">Take members out</summary>
      {open && (
        <Loaded query={members}>
          {({ members: found, more }) => (
            <>
              <ul className="mt-2 divide-y divide-line">
                {found
                  .filter((one) => one.account !== pool.maker)
                  .map((one) => (
                    <Line
                      key={one.account}
                      {...{ account, pool, staking }}
                      who={one.account}
                      member={one.member}
                    />
                  ))}
              </ul>
              {more > 0 && (
                <p className="mt-2 text-soft">{plural(more, "more", "more")}, shown as these leave.</p>
              )}
            </>
          )}
        </Loaded>
      )}
    </details>
  );
}
