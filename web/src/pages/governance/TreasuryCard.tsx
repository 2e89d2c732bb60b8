import type { Account } from "@/accounts/state";
import { useStatus } from "@/api/queries";
import { transact } from "@/chain/transactions";
import { BlockWhen } from "@/components/BlockWhen";
import { Badge } from "@/components/ui/Badge";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Loaded } from "@/components/ui/States";
import { AccountName, Amount, Stat } from "@/components/ui/Values";
import { type Governance, useTreasury } from "./governance.state";
import { periodLimit } from "./propose";
import { periodOf, type Spend, saySpend } from "./treasury";

function Line({
  spend,
  account,
  block,
  left,
  next,
  treasury,
}: {
  spend: Spend;
  account: Account | null;
  block: number;
  left: bigint;
  next: number;
  treasury: bigint;
}) {
  const at = saySpend(spend, block, { left, treasury });
  const pay = (by: Account) =>
    transact(by, {
      title: `Have spend ${spend.id} paid`,
      words: (
        <>
          The treasury pays <Amount plancks={spend.amount} most={6} /> to <AccountName account={spend.to} />,
          whoever asks for it.
        </>
      ),
      ...(by.address === spend.to ? { gained: spend.amount } : {}),
      build: (api) => api.tx.Treasury.payout({ index: spend.id }),
    });
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 p-5 text-sm">
      <div className="grid min-w-0 gap-1">
        <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
          Spend {spend.id}: <Amount plancks={spend.amount} /> to <AccountName account={spend.to} />
        </p>
        <p className="text-xs text-soft">
          {at === "due" && (
            <>
              Approved. Anybody has it paid until <BlockWhen block={spend.until} />.
            </>
          )}
          {at === "not yet" && (
            <>
              Paid from <BlockWhen block={spend.from} /> on.
            </>
          )}
          {at === "next period" && (
            <>
              More than what is left of this period; the next one begins at <BlockWhen block={next} />.
            </>
          )}
          {at === "too little" && "The treasury does not have so much now."}
          {at === "ran out" && "Nobody had it paid in time."}
          {at === "paid" && "It was paid."}
        </p>
      </div>
      {at === "due" && account ? (
        <Button size="small" onClick={() => void pay(account)}>
          Have it paid
        </Button>
      ) : (
        <Badge tone={at === "paid" ? "good" : at === "ran out" ? "neutral" : "warn"}>
          {at === "paid" ? "paid" : at === "ran out" ? "ran out" : "waits"}
        </Badge>
      )}
    </li>
  );
}

/** What the treasury has, and spends that were approved. */
export function TreasuryCard({ account, rules }: { account: Account | null; rules: Governance }) {
  const found = useTreasury();
  const block = useStatus().data?.best ?? null;
  return (
    <Card
      title="Treasury"
      about="Spends that a referendum has approved are paid when somebody asks for it. All of 28 days of governance together are paid 5 % of the OPEN that may vote, at most."
      flush
    >
      <Loaded query={found}>
        {({ treasury, active, paid, spends }) => {
          const period = block === null ? null : periodOf(block, rules.lockingPeriod, active, paid);
          return (
            <>
              <dl className="grid grid-cols-2 gap-5 px-5 pb-5 sm:max-w-lg">
                <Stat label="It holds">
                  <Amount plancks={treasury} most={0} />
                </Stat>
                <Stat
                  label="May still pay"
                  note={
                    period && (
                      <>
                        of <Amount plancks={periodLimit(active)} most={0} /> until{" "}
                        <BlockWhen block={period.next} />
                      </>
                    )
                  }
                >
                  {period ? <Amount plancks={period.left} most={0} /> : "–"}
                </Stat>
              </dl>
              {spends.length > 0 && period && block !== null && (
                <ul className="divide-y divide-line border-t border-line">
                  {spends.map((spend) => (
                    <Line
                      key={spend.id}
                      spend={spend}
                      account={account}
                      block={block}
                      treasury={treasury}
                      {...period}
                    />
                  ))}
                </ul>
              )}
            </>
          );
        }}
      </Loaded>
    </Card>
  );
}
