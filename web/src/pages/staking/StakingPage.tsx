import { useState } from "react";
import { useAccount } from "@/accounts/state";
import { Badge } from "@/components/ui/Badge";
import { ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Notice } from "@/components/ui/Notice";
import { Page } from "@/components/ui/Page";
import { Loaded } from "@/components/ui/States";
import { Table } from "@/components/ui/Table";
import { AccountName, Amount, Stat } from "@/components/ui/Values";
import { BLOCK_TIME, formatCount, formatDuration, formatOpen, plural } from "@/lib/format";
import { PoolsCard } from "./PoolsCard";
import { rolesIn } from "./pools";
import { useMember, usePools } from "./pools.state";
import { RunPoolCard } from "./RunPoolCard";
import { StakeCard } from "./StakeCard";
import { commission, inOrder, MOST_BACKED, seatTakes, type Validator } from "./stakes";
import { type Staking, useStake, useStaking } from "./staking.state";
import { ValidatorCard } from "./ValidatorCard";

function Now({ staking }: { staking: Staking }) {
  const { era, left, sessionLength, length, total, paid, validators, wanted, nominators } = staking;
  const elected = validators.filter((one) => one.elected).length;
  return (
    <Card title="This era">
      <dl className="grid grid-cols-2 gap-6 sm:grid-cols-3 lg:grid-cols-5">
        <Stat
          label="Era"
          note={
            left === null
              ? undefined
              : `of ${formatDuration(length * BLOCK_TIME)}; ends within ${formatDuration(left * sessionLength * BLOCK_TIME)}`
          }
        >
          {formatCount(era)}
        </Stat>
        <Stat
          label="Elected"
          note={`of ${plural(wanted, "place")}; a seat takes ${formatOpen(seatTakes(validators), 0)} OPEN`}
        >
          {formatCount(elected)}
        </Stat>
        <Stat label="Nominators">{formatCount(nominators)}</Stat>
        <Stat label="Staked">
          <Amount plancks={total} most={0} />
        </Stat>
        <Stat label="The last era pays" note="60 % of its fees; nothing is minted">
          {paid === null ? "nothing" : <Amount plancks={paid} />}
        </Stat>
      </dl>
    </Card>
  );
}

function standing({ now, elected, stands }: Validator) {
  if (now) return <Badge tone="good">makes blocks</Badge>;
  if (elected) return <Badge tone="info">elected</Badge>;
  return stands ? <Badge>stands for election</Badge> : <Badge tone="warn">leaves</Badge>;
}

function Validators({
  staking,
  chosen,
  onChosen,
}: {
  staking: Staking;
  /** Accounts that the visitor would back; null where nobody can choose. */
  chosen: readonly string[] | null;
  onChosen: (chosen: readonly string[]) => void;
}) {
  const rows = inOrder(staking.validators);
  const most = staking.validators.reduce((all, { points }) => all + points, 0);
  return (
    <Card
      title="Validators"
      about="Who makes and finalises blocks, and who stands for the next election. Blocks earn points, and points earn a share of the era’s payout."
      flush
    >
      <Table
        caption="Validators"
        rows={rows}
        rowKey={({ account }) => account}
        columns={[
          ...(chosen
            ? [
                {
                  title: "Back",
                  cell: ({ account, stands, blocked }: Validator) => (
                    <input
                      type="checkbox"
                      aria-label={`Back ${account}`}
                      className="size-4 accent-accent"
                      disabled={
                        !stands || blocked || (!chosen.includes(account) && chosen.length >= MOST_BACKED)
                      }
                      checked={chosen.includes(account)}
                      onChange={(event) =>
                        onChosen(
                          event.target.checked
                            ? [...chosen, account]
                            : chosen.filter((one) => one !== account),
                        )
                      }
                    />
                  ),
                },
              ]
            : []),
          { title: "Account", cell: ({ account }) => <AccountName account={account} /> },
          { title: "Now", cell: standing },
          {
            title: "Stake",
            align: "right",
            cell: ({ elected }) => (elected ? <Amount plancks={elected.total} most={0} /> : "–"),
          },
          {
            title: "Its own",
            align: "right",
            cell: ({ elected }) => (elected ? <Amount plancks={elected.own} most={0} /> : "–"),
          },
          {
            title: "Nominators",
            align: "right",
            cell: ({ elected }) => (elected ? formatCount(elected.nominators) : "–"),
          },
          { title: "Commission", align: "right", cell: (one) => commission(one.commission) },
          {
            title: "Points of this era",
            align: "right",
            cell: ({ points }) => (
              <span className="whitespace-nowrap">
                {formatCount(points)}
                {most > 0 && <span className="text-soft"> ({Math.round((points / most) * 100)} %)</span>}
              </span>
            ),
          },
        ]}
      />
    </Card>
  );
}

/** Who makes blocks, what stands behind them, and one's own stake. */
export default function StakingPage() {
  const account = useAccount();
  const staking = useStaking();
  const own = useStake(account?.address ?? null).data?.stake ?? null;
  const pools = usePools();
  const runs = account ? (pools.data?.pools ?? []).filter((pool) => rolesIn(pool, account.address).any) : [];
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const member = useMember(account?.address ?? "").data;
  // Who was in a pool that lost everything has nothing there, and stakes by itself.
  const pool = member && (member.bonded > 0n || member.unbonding.length > 0) ? member.pool : null;
  // Validators are marked for the account's own stake, or for a pool.
  const marks =
    (own && own.does !== "validates") ||
    (account && runs.some((pool) => rolesIn(pool, account.address).backs));
  return (
    <Page
      title="Staking"
      about="Validators are elected by the OPEN that they and others bond behind them, and paid from fees. Who cheats loses a part of it."
    >
      <Loaded query={staking}>
        {(found) => (
          <>
            <Now staking={found} />
            {account ? (
              <StakeCard
                key={account.address}
                account={account}
                staking={found}
                pool={pool}
                chosen={chosen}
                onChosen={setChosen}
              />
            ) : (
              <Notice
                title="Choose an account to stake"
                actions={
                  <ButtonLink href="/accounts" size="small">
                    Accounts
                  </ButtonLink>
                }
              >
                With {<Amount plancks={found.leastNominator} />} or more anybody backs validators, and with{" "}
                {<Amount plancks={found.leastValidator} />}, a node and its keys becomes one.
              </Notice>
            )}
            <Validators staking={found} chosen={marks ? chosen : null} onChosen={setChosen} />
            <PoolsCard account={account} staking={found} all={pools} />
            {account &&
              pools.data &&
              runs.map((pool) => (
                <RunPoolCard
                  key={`${account.address} ${pool.id}`}
                  account={account}
                  pool={pool}
                  terms={pools.data.terms}
                  staking={found}
                  chosen={chosen}
                  onChosen={setChosen}
                />
              ))}
            {account && pool === null && (
              <ValidatorCard key={account.address} account={account} staking={found} />
            )}
          </>
        )}
      </Loaded>
    </Page>
  );
}
