import { useAccount } from "@/accounts/state";
import type { Datanet } from "@/api/types";
import { transact } from "@/chain/transactions";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { AccountName, Amount, Facts } from "@/components/ui/Values";
import { formatCount } from "@/lib/format";
import { type ChainShare, useChainPool, waysOut } from "./fund.state";

function Own({ datanet, share, open }: { datanet: Datanet; share: ChainShare; open: boolean }) {
  const account = useAccount();
  if (!account) return null;
  return (
    <div className="grid gap-3 border-t border-line pt-4">
      <Facts
        facts={[
          ["Your shares are worth", <Amount key="worth" plancks={share.worth} />],
          ...(share.leaving > 0n
            ? ([["Leaving", "when the reward period has ended and paid"]] as const)
            : []),
          ...(share.due > 0n ? ([["To withdraw", <Amount key="due" plancks={share.due} />]] as const) : []),
        ]}
      />
      <div className="flex flex-wrap gap-2">
        {open && share.shares > 0n && (
          <Button
            onClick={() =>
              void transact(account, {
                title: "Leave the pool",
                words:
                  "Takes all your shares out when the running reward period has ended and paid its points. Withdraw then what they brought.",
                build: (api) => api.tx.Leaderboard.leave({ datanet: datanet.id, shares: share.shares }),
              })
            }
          >
            Leave
          </Button>
        )}
        {share.due > 0n && (
          <Button
            look="primary"
            onClick={() =>
              void transact(account, {
                title: "Withdraw",
                words: "Pays you what your shares brought that have left.",
                build: (api) =>
                  api.tx.Leaderboard.withdraw({ datanet: datanet.id, account: account.address }),
              })
            }
          >
            Withdraw
          </Button>
        )}
      </div>
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
        <Facts
          facts={[
            ["Back with funders", <Amount key="back" plancks={pool.returned} />],
            ...(waiting
              ? ([
                  [
                    "Terms that wait",
                    <span key="waiting">
                      <Amount plancks={waiting.terms.per_period} most={18} /> for a period,{" "}
                      <Amount plancks={waiting.terms.max_per_point} most={18} /> for a point, from block{" "}
                      {formatCount(waiting.block)} on
                    </span>,
                  ],
                ] as const)
              : []),
          ]}
        />
        {data.policy && (
          <div className="border-t border-line pt-4 text-sm">
            <p className="text-soft">
              From block {formatCount(data.policy.block)} on {formatCount(data.policy.policy.value.threshold)}{" "}
              of these decide:
            </p>
            <ul className="mt-2 grid gap-2">
              {data.policy.policy.value.members.map((curator) => (
                <li key={curator}>
                  <AccountName account={curator} />
                </li>
              ))}
            </ul>
          </div>
        )}
        {data.share && <Own datanet={datanet} share={data.share} open={Boolean(way)} />}
      </div>
    </Card>
  );
}
