import { Link } from "wouter";
import { type Account as Signer, useAccount } from "@/accounts/state";
import { useGet } from "@/api/queries";
import { useLive } from "@/api/stream";
import type { Account } from "@/api/types";
import { transact } from "@/chain/transactions";
import { BlockWhen } from "@/components/BlockWhen";
import { EventsCard } from "@/components/EventsCard";
import { SubmissionsCard } from "@/components/SubmissionsCard";
import { Badge } from "@/components/ui/Badge";
import { Meter } from "@/components/ui/Bars";
import { Button, ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Page } from "@/components/ui/Page";
import { Loaded } from "@/components/ui/States";
import { AccountName, Amount, Facts, Stat, Time } from "@/components/ui/Values";
import { formatBytes, formatCount, plural, shorten } from "@/lib/format";
import { AccountRewards } from "./AccountRewards";
import { sayHold, useSponsorshipEnded } from "./account.state";
import { SendCard } from "./SendCard";

function Money({ account }: { account: Account }) {
  return (
    <Card title="OPEN">
      <div className="grid gap-5">
        <dl className="grid gap-5 sm:grid-cols-2">
          <Stat label="Can be spent">
            <Amount plancks={account.balance} />
          </Stat>
          <Stat label="Held">
            <Amount plancks={account.held} />
          </Stat>
        </dl>
        {account.holds.length > 0 && (
          <Facts
            facts={account.holds.map(({ reason, amount }) => [
              sayHold(reason),
              <Amount key={reason} plancks={amount} />,
            ])}
          />
        )}
      </div>
    </Card>
  );
}

function QuotaCard({ account }: { account: Account }) {
  const { used, limits, resetsAt } = account.quota;
  return (
    <Card
      title="Today’s quota"
      about={
        <>
          It begins anew <Time ms={resetsAt} />, at 00:00 UTC.
        </>
      }
    >
      <div className="grid gap-4">
        <Meter
          label="Files"
          value={used.files}
          max={limits.files}
          shown={`${formatCount(used.files)} of ${formatCount(limits.files)}`}
        />
        <Meter
          label="Bytes"
          value={used.bytes}
          max={limits.bytes}
          shown={`${formatBytes(used.bytes)} of ${formatBytes(limits.bytes)}`}
        />
      </div>
    </Card>
  );
}

function Datanets({ ids }: { ids: readonly number[] }) {
  if (ids.length === 0) return <>none</>;
  return (
    <span className="flex flex-wrap gap-x-3 gap-y-1">
      {ids.map((id) => (
        <Link key={id} href={`/datanets/${id}`} className="link">
          Datanet {id}
        </Link>
      ))}
    </span>
  );
}

/** Ends a registration: the contributor may, and who paid for it. */
function EndRegistration({ account, signer }: { account: Account; signer: Signer }) {
  const { contributor } = account;
  if (!contributor) return null;
  const own = signer.address === account.account;
  return (
    <details className="mt-5 border-t border-line pt-4 text-sm">
      <summary className="cursor-pointer font-medium">
        {own ? "Stop contributing" : "Stop sponsoring this account"}
      </summary>
      <p className="mt-3 text-soft">
        It can be ended 7 days after the last submission, once all submissions are decided. Then{" "}
        <Amount plancks={contributor.hold} /> come back to{" "}
        {contributor.depositor === signer.address ? "you" : "who paid them"}. Points and rewards stay.
      </p>
      <Button
        className="mt-3"
        onClick={() =>
          void transact(signer, {
            title: own ? "Stop contributing" : "Stop sponsoring",
            words: (
              <>
                Ends the registration of <AccountName account={account.account} /> as a contributor, and
                releases <Amount plancks={contributor.hold} />.
              </>
            ),
            build: (api) => api.tx.Datanets.deregister({ contributor: account.account }),
          })
        }
      >
        End the registration
      </Button>
    </details>
  );
}

/** Where a sponsor stops paying for another account's registration. */
function EndSponsorship({ account, signer }: { account: Account; signer: Signer }) {
  const ended = useSponsorshipEnded(account.account).data;
  if (!account.contributor || ended === undefined) return null;
  if (ended !== null) {
    return (
      <p className="mt-5 border-t border-line pt-4 text-sm text-soft">
        You ended the sponsorship at <BlockWhen block={ended} />. What waits gets its verdict or expires; 7
        days after its last submission you can end the registration.
      </p>
    );
  }
  return (
    <details className="mt-5 border-t border-line pt-4 text-sm">
      <summary className="cursor-pointer font-medium">End the sponsorship</summary>
      <p className="mt-3 text-soft">
        The account submits nothing more, unless it becomes a contributor at its own expense, which returns
        what you paid at once. Otherwise you end the registration 7 days after its last submission.
      </p>
      <Button
        className="mt-3"
        onClick={() =>
          void transact(signer, {
            title: "End the sponsorship",
            words: (
              <>
                <AccountName account={account.account} /> submits nothing more at your expense. Points and
                rewards stay.
              </>
            ),
            build: (api) => api.tx.Datanets.end_sponsorship({ contributor: account.account }),
          })
        }
      >
        End the sponsorship
      </Button>
    </details>
  );
}

function Roles({ account, signer }: { account: Account; signer: Signer | null }) {
  const { contributor, roles } = account;
  return (
    <Card title="Roles">
      <Facts
        facts={[
          [
            "Contributor",
            contributor ? (
              <span key="contributor" className="flex flex-wrap items-center gap-2">
                <Badge tone="good">yes</Badge>
                {contributor.pending > 0 && `${plural(contributor.pending, "submission")} in review`}
              </span>
            ) : (
              "no"
            ),
          ],
          ...(contributor && contributor.depositor !== account.account
            ? ([["Sponsored by", <AccountName key="sponsor" account={contributor.depositor} />]] as const)
            : []),
          ["Curates", <Datanets key="curates" ids={roles.curatorOf} />],
          ["Owns", <Datanets key="owns" ids={roles.ownerOf} />],
          ["Worker", roles.worker?.registered ? `yes, ${plural(roles.worker.completed, "job")} done` : "no"],
        ]}
      />
      {signer && contributor && [account.account, contributor.depositor].includes(signer.address) && (
        <EndRegistration account={account} signer={signer} />
      )}
      {signer &&
        contributor &&
        signer.address === contributor.depositor &&
        signer.address !== account.account && <EndSponsorship account={account} signer={signer} />}
    </Card>
  );
}

function Activity({ account }: { account: string }) {
  return (
    <EventsCard
      title="Activity"
      about="What the chain has of this account, newest first."
      queryKey={["account", account, "activity"]}
      path={`/v1/accounts/${account}/activity`}
    />
  );
}

/** One account: what it has, may do, and did. */
export default function AccountPage({ account: address = "" }: { account?: string }) {
  const own = useAccount();
  const account = useGet<Account>(["account", address], `/v1/accounts/${encodeURIComponent(address)}`);
  useLive(`account:${address}`);
  const isOwn = own?.address === address;
  return (
    <Page
      title={isOwn ? own.name : `Account ${shorten(address)}`}
      about={account.data && <AccountName account={address} whole />}
      actions={isOwn && <ButtonLink href="/accounts">Manage accounts</ButtonLink>}
    >
      <Loaded query={account}>
        {(data) => (
          <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-6 lg:grid-cols-2">
            <div className="grid grid-cols-[minmax(0,1fr)] gap-6">
              <Money account={data} />
              {data.contributor && <QuotaCard account={data} />}
              <Roles account={data} signer={own} />
              {own && <SendCard key={own.address} from={own} to={isOwn ? undefined : data.account} />}
            </div>
            <div className="grid grid-cols-[minmax(0,1fr)] gap-6">
              <AccountRewards account={data.account} own={isOwn} />
              <SubmissionsCard account={data.account} title="Submissions" limit={5} />
              <Activity account={data.account} />
            </div>
          </div>
        )}
      </Loaded>
    </Page>
  );
}
