import { Link } from "wouter";
import { useAccount } from "@/accounts/state";
import { useGet, useStatus } from "@/api/queries";
import type { Datanet, List, Network } from "@/api/types";
import { routes } from "@/app/routes";
import { EventLine } from "@/components/EventLine";
import { ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Icon, type IconName } from "@/components/ui/Icon";
import { Page } from "@/components/ui/Page";
import { Skeleton } from "@/components/ui/Skeleton";
import { EmptyState, Loaded } from "@/components/ui/States";
import { Amount, Stat } from "@/components/ui/Values";
import { foldSteps } from "@/lib/events";
import { formatCount, plural } from "@/lib/format";

interface Way {
  icon: IconName;
  title: string;
  text: string;
  href: string;
  action: string;
  /** Where the way goes on. */
  next?: readonly { href: string; action: string }[];
}

const ways: readonly Way[] = [
  {
    icon: "contribute",
    title: "I have data",
    text: "Give files to a Datanet. You see why one is refused; what is accepted earns points, and points earn OPEN.",
    href: "/contribute",
    action: "Contribute files",
    next: [
      { href: "/leaderboard", action: "Leaderboard" },
      { href: "/rewards", action: "Rewards" },
    ],
  },
  {
    icon: "factory",
    title: "I want a model",
    text: "Choose a base model and Datanets, set how it trains, watch its loss, talk to it, and refine it.",
    href: "/factory",
    action: "Train a model",
  },
  {
    icon: "review",
    title: "I judge quality",
    text: "Curators read each file beside the text that is paid for, and accept it with a score or say why not.",
    href: "/review",
    action: "Review files",
  },
  {
    icon: "operators",
    title: "I have a computer",
    text: "Workers train what others pay for, and serve the result. Earnings and queue are there for all to see.",
    href: "/operators",
    action: "Run a worker",
  },
];

/** Whether the page that a way leads to is in this build: a link never leads to "not found". */
function isThere({ href }: Way): boolean {
  return routes.some(({ path }) => path === href);
}

function Numbers() {
  const status = useStatus();
  const network = useGet<Network>(["network"], "/v1/network");
  const datanets = useGet<List<Datanet>>(["datanet", "all"], "/v1/datanets", { limit: 100 });
  const sum = (list: List<Datanet>, count: (datanet: Datanet) => number) =>
    list.items.reduce((total, datanet) => total + count(datanet), 0);
  const more = datanets.data?.next ? "+" : "";
  return (
    <Card title="Now" about="Read from the chain as its blocks become final.">
      <Loaded query={datanets} skeleton={<Skeleton lines={3} />}>
        {(list) => (
          <dl className="grid grid-cols-2 gap-x-6 gap-y-6 sm:grid-cols-3 lg:grid-cols-5">
            <Stat label="Datanets">
              {formatCount(list.items.length)}
              {more}
            </Stat>
            <Stat
              label="Accepted files"
              note={`${formatCount(sum(list, ({ counts }) => counts.pending))} in review`}
            >
              {formatCount(sum(list, ({ counts }) => counts.accepted))}
              {more}
            </Stat>
            <Stat label="Waiting in pools">
              <Amount
                plancks={list.items.reduce((total, { pool }) => total + BigInt(pool?.available ?? 0), 0n)}
                most={2}
              />
            </Stat>
            <Stat label="Validators">{network.data ? formatCount(network.data.validators.length) : "–"}</Stat>
            <Stat label="Final block">{status.data ? formatCount(status.data.finalised) : "–"}</Stat>
          </dl>
        )}
      </Loaded>
    </Card>
  );
}

function Recent() {
  const network = useGet<Network>(["network"], "/v1/network");
  return (
    <Card
      title="Lately"
      actions={
        <Link href="/network" className="link text-sm">
          The network
        </Link>
      }
    >
      <Loaded
        query={network}
        isEmpty={(data) => data.recent.length === 0}
        empty={<EmptyState icon="info" title="Nothing has happened yet" />}
      >
        {(data) => (
          <ul className="grid gap-3">
            {foldSteps(data.recent)
              .slice(0, 8)
              .map(({ event, more }) => (
                <EventLine key={event.id} event={event} more={more} />
              ))}
          </ul>
        )}
      </Loaded>
    </Card>
  );
}

function Largest() {
  const datanets = useGet<List<Datanet>>(["datanet", "all"], "/v1/datanets", { limit: 100 });
  return (
    <Card
      title="Datanets"
      actions={
        <Link href="/datanets" className="link text-sm">
          All of them
        </Link>
      }
    >
      <Loaded
        query={datanets}
        isEmpty={(list) => list.items.length === 0}
        empty={
          <EmptyState icon="datanets" title="No Datanet is there yet">
            Anyone can create one: a topic, a kind of file, and curators.
          </EmptyState>
        }
      >
        {(list) => (
          <ul className="divide-y divide-line">
            {[...list.items]
              .sort((one, other) => other.counts.accepted - one.counts.accepted)
              .slice(0, 6)
              .map((datanet) => (
                <li key={datanet.id} className="flex items-center justify-between gap-4 py-2.5">
                  <Link
                    href={`/datanets/${datanet.id}`}
                    className="min-w-0 truncate font-medium hover:text-accent"
                  >
                    {datanet.name}
                  </Link>
                  <span className="shrink-0 text-sm text-soft">
                    {datanet.modality}, {plural(datanet.counts.accepted, "file")}
                  </span>
                </li>
              ))}
          </ul>
        )}
      </Loaded>
    </Card>
  );
}

/** What this is, live numbers, and where each kind of user begins. */
export default function HomePage() {
  const account = useAccount();
  return (
    <Page
      title="OpenLedger"
      about="People contribute files to Datanets, curators or committees of strangers accept or refuse each one, and only what is accepted earns OPEN. Anyone can train a model on it, and who made its data stays readable, file by file."
      actions={
        !account && (
          <ButtonLink href="/accounts" look="primary">
            Begin
          </ButtonLink>
        )
      }
    >
      <Numbers />
      <ul className="grid gap-4 sm:grid-cols-2 xl:grid-cols-4">
        {ways.filter(isThere).map((way) => (
          <li
            key={way.href}
            className="flex flex-col gap-3 rounded-card border border-line bg-surface p-5 shadow-card"
          >
            <span className="grid size-10 place-items-center rounded-control bg-accent-soft text-accent-strong">
              <Icon name={way.icon} />
            </span>
            <h2 className="font-semibold">{way.title}</h2>
            <p className="flex-1 text-sm text-soft">{way.text}</p>
            <p className="flex flex-wrap items-center gap-x-4 gap-y-1 text-sm font-medium">
              <Link href={way.href} className="link inline-flex items-center gap-1.5">
                {way.action} <Icon name="arrowRight" className="size-4" />
              </Link>
              {way.next?.map(({ href, action }) => (
                <Link key={href} href={href} className="link">
                  {action}
                </Link>
              ))}
            </p>
          </li>
        ))}
      </ul>
      <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-6 lg:grid-cols-2">
        <Largest />
        <Recent />
      </div>
    </Page>
  );
}
