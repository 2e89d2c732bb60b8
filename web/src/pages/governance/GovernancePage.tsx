import { useState } from "react";
import { Link } from "wouter";
import { useAccount } from "@/accounts/state";
import { useStatus } from "@/api/queries";
import { BlockWhen } from "@/components/BlockWhen";
import { Badge } from "@/components/ui/Badge";
import { Button, ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Page } from "@/components/ui/Page";
import { EmptyState, Loaded } from "@/components/ui/States";
import { Table } from "@/components/ui/Table";
import { Amount } from "@/components/ui/Values";
import { BLOCK_TIME, formatDuration } from "@/lib/format";
import { type Governance, useBefore, useGovernance, useProposal, useReferenda } from "./governance.state";
import { PreimagesCard } from "./PreimagesCard";
import { type Referendum, sayCurve, sayReferendum, trackName } from "./referenda";
import { TallyBars } from "./Tally";
import { TreasuryCard } from "./TreasuryCard";
import { UpgradeNotice } from "./UpgradeNotice";
import { VotesCard } from "./VotesCard";

/** Referenda that are shown before somebody asks for older ones. */
const AT_ONCE = 20;

function Line({ referendum, rules, active }: { referendum: Referendum; rules: Governance; active: bigint }) {
  const { id, ongoing, over } = referendum;
  const before = useBefore(referendum).data;
  const proposal = useProposal((ongoing ?? before)?.proposal).data;
  const best = useStatus().data?.best ?? null;
  const number = (ongoing ?? before)?.track;
  const track = rules.tracks.find((one) => one.id === number);
  const { label, tone, means, until } = sayReferendum(referendum, track, rules.timeout);
  return (
    <li className="grid gap-3 p-5">
      <div className="flex flex-wrap items-start justify-between gap-x-4 gap-y-2">
        <div className="min-w-0">
          <Link href={`/governance/${id}`} className="font-semibold hover:text-accent hover:underline">
            Referendum {id}
          </Link>
          <p className="mt-0.5 text-sm text-soft">
            {proposal && (
              <span className="font-mono text-[0.9em] text-ink">
                {proposal.pallet}.{proposal.name}
              </span>
            )}
            {proposal === null && ongoing && "Its bytes are not on the chain"}
            {(proposal || (proposal === null && ongoing)) && track && ", "}
            {track && `track ${trackName(track)}`}
          </p>
        </div>
        <Badge tone={tone}>{label}</Badge>
      </div>
      {ongoing && track && <TallyBars ongoing={ongoing} track={track} active={active} block={best} />}
      <p className="text-sm text-soft">
        {means}{" "}
        {until !== null && (
          <>
            Until <BlockWhen block={until} />.
          </>
        )}
        {over && (
          <>
            Over since <BlockWhen block={over.block} />.
          </>
        )}
      </p>
    </li>
  );
}

function Referenda({ rules }: { rules: Governance }) {
  const [most, setMost] = useState(AT_ONCE);
  const referenda = useReferenda(most);
  return (
    <Card title="Referenda" about="Newest first. Anybody with OPEN votes in all of them." flush>
      <Loaded
        query={referenda}
        isEmpty={({ count }) => count === 0}
        empty={
          <EmptyState icon="vote" title="Nothing has been proposed yet">
            Anybody makes the first proposal.
          </EmptyState>
        }
      >
        {({ count, active, referenda: found }) => (
          <>
            <ul className="divide-y divide-line border-t border-line">
              {found.map((referendum) => (
                <Line key={referendum.id} referendum={referendum} rules={rules} active={active} />
              ))}
            </ul>
            {count > found.length && (
              <div className="border-t border-line p-5">
                <Button onClick={() => setMost(most + AT_ONCE)}>Older ones</Button>
              </div>
            )}
          </>
        )}
      </Loaded>
    </Card>
  );
}

/** What each track is for: what its origin may do, as runtime/src/governance/ says. */
const purposes: Readonly<Record<string, string>> = {
  root: "everything: the runtime, rules, any amount of the treasury",
  general_admin: "undoing referenda, spends and slashes",
  big_spender: "spends of up to 1,000,000 OPEN of the treasury",
  small_spender: "spends of up to 10,000 OPEN of the treasury",
};

function Tracks({ rules }: { rules: Governance }) {
  const time = (blocks: number) => formatDuration(blocks * BLOCK_TIME);
  return (
    <Card
      title="Tracks"
      about="How long each kind of referendum takes, and how many must agree: of those who vote (approval), and of all OPEN (support)."
      flush
    >
      <Table
        caption="Tracks of referenda"
        rows={rules.tracks}
        rowKey={({ id }) => id}
        columns={[
          {
            title: "Track",
            cell: (track) => (
              <div className="min-w-40">
                {trackName(track)}
                <span className="block text-xs text-soft">{purposes[track.name]}</span>
              </div>
            ),
          },
          { title: "Deposit", align: "right", cell: (track) => <Amount plancks={track.decisionDeposit} /> },
          { title: "Preparation", align: "right", cell: (track) => time(track.prepare) },
          { title: "Decision", align: "right", cell: (track) => time(track.decide) },
          { title: "Confirmation", align: "right", cell: (track) => time(track.confirm) },
          { title: "Enactment", align: "right", cell: (track) => time(track.enact) },
          {
            title: "Approval",
            align: "right",
            cell: (track) => <span className="whitespace-nowrap">{sayCurve(track.approval)}</span>,
          },
          {
            title: "Support",
            align: "right",
            cell: (track) => <span className="whitespace-nowrap">{sayCurve(track.support)}</span>,
          },
        ]}
      />
    </Card>
  );
}

/** How the network decides: referenda, what one has voted, and the tracks. */
export default function GovernancePage() {
  const account = useAccount();
  const rules = useGovernance();
  return (
    <Page
      title="Governance"
      about="How the network decides on its runtime, its rules and its treasury: by referenda in which OPEN votes."
      actions={
        <ButtonLink href="/governance/new" look="primary">
          Make a proposal
        </ButtonLink>
      }
    >
      <Loaded query={rules}>
        {(found) => (
          <>
            <UpgradeNotice account={account} />
            {account && <VotesCard account={account} rules={found} />}
            {account && <PreimagesCard account={account} />}
            <Referenda rules={found} />
            <TreasuryCard account={account} rules={found} />
            <Tracks rules={found} />
          </>
        )}
      </Loaded>
    </Page>
  );
}
