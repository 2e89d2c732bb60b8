import { Link, useSearchParams } from "wouter";
import { decodeAddress } from "@/accounts/address";
import { BackupNotice } from "@/accounts/BackupNotice";
import { type Account, useAccount } from "@/accounts/state";
import { queryClient } from "@/api/queryClient";
import { useLive } from "@/api/stream";
import type { Reward } from "@/api/types";
import { toast } from "@/app/toasts";
import { transact } from "@/chain/transactions";
import { Button, ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Notice } from "@/components/ui/Notice";
import { Page } from "@/components/ui/Page";
import { EmptyState, Loaded } from "@/components/ui/States";
import { Table } from "@/components/ui/Table";
import { AccountName, Amount, Copyable, Stat } from "@/components/ui/Values";
import { sayAcceptance } from "@/lib/acceptance";
import { formatCount, plural, shorten } from "@/lib/format";
import { History } from "./History";
import { PayoutCard } from "./PayoutCard";
import { readPayout } from "./payout.state";
import { claimableOf, MOST_CLAIMS, sayClaimed, usePeriod, useRewards } from "./rewards.state";

/** Pays an account what Datanets owe it; anybody may sign that. */
async function claim(signer: Account, account: string, rewards: readonly Reward[]): Promise<void> {
  const { datanets, total, more } = claimableOf(rewards, MOST_CLAIMS);
  const [only] = datanets;
  if (only === undefined) return;
  const own = signer.address === account;
  const payout = await readPayout(account);
  const to = payout?.to ?? account;
  const result = await transact(signer, {
    title: datanets.length === 1 ? "Claim a reward" : `Claim from ${datanets.length} Datanets`,
    words: (
      <>
        Pays everything that {datanets.length === 1 ? "the Datanet owes" : "these Datanets owe"}{" "}
        {own ? "you" : <AccountName account={account} />}
        {to !== account && (
          <>
            , to the account that is named for it: <AccountName account={to} />
          </>
        )}
        .{datanets.length > 1 && " One signature and one payment for all of them."}
        {more > 0 && ` ${plural(more, "more Datanet")} can be claimed from after that.`}
      </>
    ),
    build: (api) =>
      datanets.length === 1
        ? api.tx.Leaderboard.claim({ datanet: only, account })
        : api.tx.Leaderboard.claim_many({ datanets, account }),
    gained: total,
  });
  if (!result) return;
  const { text, failed } = sayClaimed(result, datanets.length);
  toast(text, failed ? "info" : "good");
  void queryClient.invalidateQueries({ queryKey: ["rewards"] });
}

function Claimable({
  account,
  rewards,
  signer,
  more,
}: {
  account: string;
  rewards: readonly Reward[];
  signer: Account | null;
  more: boolean;
}) {
  const { datanets, total } = claimableOf(rewards);
  const network = usePeriod();
  const own = signer?.address === account;
  const claimed = rewards.reduce((sum, reward) => sum + BigInt(reward.claimed), 0n);
  return (
    <Card>
      <div className="grid gap-5">
        <div className="flex flex-wrap items-end justify-between gap-5">
          <dl className="grid flex-1 gap-5 sm:grid-cols-2">
            <Stat label="Can be claimed now" note={more ? "in the Datanets shown below" : undefined}>
              <Amount plancks={total} most={6} />
            </Stat>
            <Stat label="Claimed so far" note={more ? "in the Datanets shown below" : undefined}>
              <Amount plancks={claimed} most={6} />
            </Stat>
          </dl>
          {signer ? (
            <Button
              look="primary"
              disabled={datanets.length === 0}
              onClick={() => void claim(signer, account, rewards)}
            >
              {datanets.length > 1 ? `Claim all, from ${datanets.length} Datanets` : "Claim all"}
            </Button>
          ) : (
            <ButtonLink href="/accounts">Choose an account to claim</ButtonLink>
          )}
        </div>
        <p className="text-sm text-soft">
          {datanets.length === 0 && "There is nothing to claim now. "}
          Points are paid once the reward period they were earned in has ended
          {network.data &&
            `: the current one, ${formatCount(network.data.period)}, ends at block ${formatCount(network.data.nextPeriodAt)}, and block ${formatCount(network.data.best)} is the newest`}
          . What is owed waits until it is claimed, however long that takes.
        </p>
        {own && total > 0n && (
          <details className="text-sm">
            <summary className="cursor-pointer font-medium">You have no OPEN for the fee?</summary>
            <p className="mt-2 text-soft">
              Whoever has OPEN may claim for you; what is owed goes to your account all the same. Send them:{" "}
              <Copyable text={`${window.location.origin}/rewards?account=${account}`} what="link" whole />
            </p>
          </details>
        )}
      </div>
    </Card>
  );
}

function Datanets({
  account,
  rewards,
  signer,
}: {
  account: string;
  rewards: readonly Reward[];
  signer: Account | null;
}) {
  return (
    <Table
      caption="Rewards by Datanet"
      rows={rewards}
      rowKey={({ datanet }) => datanet}
      columns={[
        {
          title: "Datanet",
          cell: ({ datanet, datanetName }) => (
            <Link href={`/datanets/${datanet}`} className="link font-medium">
              {datanetName}
            </Link>
          ),
        },
        {
          title: "Can be claimed",
          align: "right",
          cell: ({ claimable }) => <Amount plancks={claimable} most={6} />,
        },
        {
          title: "Claim",
          cell: (reward) =>
            signer && (
              <Button
                size="small"
                disabled={BigInt(reward.claimable) === 0n}
                onClick={() => void claim(signer, account, [reward])}
                aria-label={`Claim from ${reward.datanetName}`}
              >
                Claim
              </Button>
            ),
        },
        {
          title: "Points",
          align: "right",
          cell: ({ datanet, entry }) =>
            entry.points === "0" ? (
              "0"
            ) : (
              <Link href={`/leaderboard/${datanet}/${account}`} className="link">
                {formatCount(entry.points)}
                <span className="sr-only">, and why</span>
              </Link>
            ),
        },
        {
          title: "Rank",
          align: "right",
          cell: ({ datanet, entry }) =>
            entry.rank === 0 ? (
              "–"
            ) : (
              <Link href={`/leaderboard?datanet=${datanet}`} className="link">
                {formatCount(entry.rank)}
              </Link>
            ),
        },
        {
          title: "A point last brought",
          align: "right",
          cell: ({ lastPeriod }) => (lastPeriod ? <Amount plancks={lastPeriod.rate} most={9} /> : "–"),
        },
        {
          title: "Claimed so far",
          align: "right",
          cell: ({ claimed }) => <Amount plancks={claimed} most={6} />,
        },
        {
          title: "Acceptance, for information",
          align: "right",
          cell: ({ entry }) => sayAcceptance(entry.counts) ?? "–",
        },
      ]}
    />
  );
}

function Rewards({ account, signer }: { account: string; signer: Account | null }) {
  const rewards = useRewards(account);
  useLive(`account:${account}`);
  const names = new Map(rewards.data?.map((reward) => [String(reward.datanet), reward.datanetName]));
  return (
    <Loaded
      query={rewards}
      isEmpty={(rows) => rows.length === 0}
      empty={
        <Card>
          <EmptyState
            icon="wallet"
            title="No rewards yet"
            actions={
              <ButtonLink href="/contribute" look="primary">
                Contribute files
              </ButtonLink>
            }
          >
            Accepted files bring points, and points bring OPEN from the Datanet’s pool once the reward period
            has ended.
          </EmptyState>
        </Card>
      }
    >
      {(rows) => (
        <>
          <Claimable account={account} rewards={rows} signer={signer} more={rewards.hasNextPage} />
          <Card title={plural(rows.length, "Datanet")} about="Where this account submitted files." flush>
            <Datanets account={account} rewards={rows} signer={signer} />
            {rewards.hasNextPage && (
              <div className="px-5 py-4 text-center">
                <Button busy={rewards.isFetchingNextPage} onClick={() => void rewards.fetchNextPage()}>
                  More
                </Button>
              </div>
            )}
          </Card>
          <History account={account} nameOf={(datanet) => names.get(datanet) ?? `Datanet ${datanet}`} />
        </>
      )}
    </Loaded>
  );
}

/** What accepted files earned: to claim, claimed, and why. */
export default function RewardsPage() {
  const signer = useAccount();
  const [search] = useSearchParams();
  const named = search.get("account");
  const account = named ?? signer?.address;
  const own = account === signer?.address;
  return (
    <Page
      title={own || !account ? "Rewards" : `Rewards of ${shorten(account)}`}
      about={
        own || !account ? (
          "What your accepted files earned. Anyone can see it; only you are paid."
        ) : (
          <>Anyone may claim for this account: what is owed goes to it, and the signer pays the fee.</>
        )
      }
      actions={
        account && (
          <ButtonLink href={`/accounts/${encodeURIComponent(account)}`}>
            {own ? "Balance and activity" : "The account"}
          </ButtonLink>
        )
      }
    >
      {own && <BackupNotice />}
      {account === undefined ? (
        <Card>
          <EmptyState
            icon="key"
            title="Choose an account first"
            actions={
              <ButtonLink href="/accounts" look="primary">
                Accounts
              </ButtonLink>
            }
          >
            Its rewards stand here, Datanet by Datanet.
          </EmptyState>
        </Card>
      ) : decodeAddress(account) ? (
        <>
          <Rewards key={account} account={account} signer={signer} />
          <PayoutCard key={`payout-${account}`} account={account} signer={signer} />
        </>
      ) : (
        <Notice tone="bad" title="That is no account">
          {account.slice(0, 80)} may be mistyped, or cut off.
        </Notice>
      )}
    </Page>
  );
}
