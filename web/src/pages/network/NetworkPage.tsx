import { useConfig, useGet } from "@/api/queries";
import type { Network } from "@/api/types";
import { EventsCard } from "@/components/EventsCard";
import { ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Icon } from "@/components/ui/Icon";
import { Notice } from "@/components/ui/Notice";
import { Page } from "@/components/ui/Page";
import { Loaded } from "@/components/ui/States";
import { AccountName, Copyable, Facts, Stat } from "@/components/ui/Values";
import { formatCount, formatDuration, formatOpen } from "@/lib/format";
import { explorerAddress, untilBlock } from "./network.state";

function Now() {
  const network = useGet<Network>(["network"], "/v1/network");
  return (
    <Card title="Chain">
      <Loaded query={network}>
        {(data) => (
          <div className="grid gap-6">
            <dl className="grid grid-cols-2 gap-6 sm:grid-cols-3 lg:grid-cols-5">
              <Stat label="Best block">{formatCount(data.best)}</Stat>
              <Stat label="Final block" note={`${formatCount(data.best - data.finalised)} behind the best`}>
                {formatCount(data.finalised)}
              </Stat>
              <Stat label="Peers of the node">{formatCount(data.peers)}</Stat>
              <Stat label="All OPEN" note="Nothing mints more">
                {formatOpen(data.issuance, 0)}
              </Stat>
              <Stat
                label="Reward period"
                note={`the next in ${formatDuration(untilBlock(data.best, data.nextPeriodAt))}`}
              >
                {formatCount(data.period)}
              </Stat>
            </dl>
          </div>
        )}
      </Loaded>
    </Card>
  );
}

function Validators() {
  const network = useGet<Network>(["network"], "/v1/network");
  return (
    <Card
      title="Validators"
      about="They write blocks and make them final, in this session."
      actions={
        <ButtonLink href="/staking" size="small">
          What stands behind them
        </ButtonLink>
      }
    >
      <Loaded query={network}>
        {(data) => (
          <ul className="grid gap-2.5">
            {data.validators.map((account) => (
              <li key={account}>
                <AccountName account={account} />
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Card>
  );
}

function About() {
  const config = useConfig();
  return (
    <Card title="This network">
      <Loaded query={config}>
        {(data) => {
          const explorer = explorerAddress(window.location, data.rpc);
          return (
            <div className="grid gap-5">
              <Facts
                facts={[
                  ["Name", data.chain],
                  ["Genesis", <Copyable key="genesis" text={data.genesisHash} what="genesis hash" />],
                  ["Runtime", `version ${data.specVersion}`],
                  ["Gateway", `version ${data.gatewayVersion}`],
                  ["Node", <Copyable key="node" text={explorer.node} what="address of the node" whole />],
                ]}
              />
              {data.development && (
                <Notice tone="warn" title="A development network">
                  Everybody knows its first keys; its OPEN is worth nothing.
                </Notice>
              )}
              <a
                className="link inline-flex items-center gap-1.5 text-sm"
                href={explorer.link}
                target="_blank"
                rel="noreferrer"
              >
                Open in a general explorer <Icon name="external" className="size-4" />
              </a>
            </div>
          );
        }}
      </Loaded>
    </Card>
  );
}

function Events() {
  return (
    <EventsCard
      title="Events"
      about="What happened on the chain, newest first."
      queryKey={["network", "events"]}
      path="/v1/events"
    />
  );
}

/** The chain itself: who runs it, how far it is, and what happens on it. */
export default function NetworkPage() {
  return (
    <Page title="Network" about="Who writes the blocks, how far they are final, and what is in them.">
      <Now />
      <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-6 lg:grid-cols-2">
        <Events />
        <div className="grid grid-cols-[minmax(0,1fr)] gap-6">
          <Validators />
          <About />
        </div>
      </div>
    </Page>
  );
}
