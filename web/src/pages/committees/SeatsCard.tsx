import { useState } from "react";
import { useSearchParams } from "wouter";
import type { Account } from "@/accounts/state";
import type { SeatPool } from "@/api/types";
import { transact } from "@/chain/transactions";
import { Badge } from "@/components/ui/Badge";
import { Button, ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Field, SelectField, TextField } from "@/components/ui/Field";
import { Notice } from "@/components/ui/Notice";
import { EmptyState, Loaded } from "@/components/ui/States";
import { Amount, Facts } from "@/components/ui/Values";
import { classes } from "@/lib/classes";
import { BLOCK_TIME, formatCount, formatDuration, formatOpen, plural } from "@/lib/format";
import { chainPool, poolKey, poolName, useRules } from "@/review/committee";
import {
  GLOBAL_FACTOR,
  MOST_ADDRESSES,
  MOST_SEATS,
  modalityPools,
  type PoolSeats,
  readAddresses,
  readSeats,
  seatFacts,
  useOwnSeatDatanets,
  usePools,
  useReviewer,
} from "./committees.state";

type Rules = NonNullable<ReturnType<typeof useRules>["data"]>;

const seatsOf = (pool: SeatPool) =>
  pool.modality === null ? `seats for Datanet ${pool.datanet}` : `seats for ${pool.modality} files`;

const time = (blocks: number) => formatDuration(blocks * BLOCK_TIME);

/** What a seat is, before somebody bonds one. */
function Terms({ rules }: { rules: Rules }) {
  const { commit, reveal, challenge, enter, leave } = rules.lengths;
  return (
    <Facts
      facts={[
        ["A seat bonds", <Amount key="seat" plancks={rules.seat} />],
        [
          "A file pays",
          <span key="pay">
            <Amount plancks={rules.pay} /> to each member whose word is what the committee finds
          </span>,
        ],
        [
          "Not sealed or revealed",
          <span key="missed">
            costs <Amount plancks={rules.missed} /> a file, and so does showing that one has not the file
          </span>,
        ],
        [
          "Overturned by a challenge",
          <span key="overturned">
            costs <Amount plancks={rules.overturned} /> a file, and so does having accepted one that a
            challenge’s committee cannot fetch
          </span>,
        ],
        [
          "Time",
          `${time(commit)} to fetch, judge and seal, then ${time(reveal)} to reveal; verdicts can be challenged for ${time(challenge)}`,
        ],
        ["In", `Seats can be drawn ${time(enter)} after they were bonded, with the next session`],
        [
          "Out again",
          `Seats that you give up judge no new calls from the next session but one on, and challenges for ${time(leave)} more. Their OPEN comes back when every draw that they judged is over.`,
        ],
      ]}
    />
  );
}

function Bond({ account, pools, rules }: { account: Account; pools: readonly PoolSeats[]; rules: Rules }) {
  const [search] = useSearchParams();
  const wanted = search.get("pool");
  const [chosen, setChosen] = useState(wanted ?? "text");
  const [text, setText] = useState("1");
  const [problem, setProblem] = useState<string>();
  const found = pools.find(({ pool }) => poolKey(pool) === chosen) ?? pools[0];
  if (!found) return null;
  const { pool, size, own } = found;
  const lost = own ? seatFacts(own, rules.seat).lost : 0n;
  const seats = readSeats(text);
  const least = rules.size * GLOBAL_FACTOR;
  return (
    <Card
      title={own ? "Take more seats" : "Become a reviewer"}
      about="Seats for a kind of files judge every Datanet of it that wants no seats of its own."
    >
      <form
        noValidate
        className="grid gap-5"
        onSubmit={(event) => {
          event.preventDefault();
          setProblem(seats === null ? `A whole number from 1 to ${MOST_SEATS}.` : undefined);
          if (seats === null) return;
          void transact(account, {
            title: `Bond ${plural(seats, "seat")}`,
            words: (
              <>
                {plural(seats, "seat")}, {seatsOf(pool)}. They can be drawn {time(rules.lengths.enter)} from
                now, with the next session. Whoever is drawn has to seal and reveal in time, or loses a part
                of them.
              </>
            ),
            held: rules.seat * BigInt(seats) + lost,
            heldWords: "Held; what you do not lose comes back",
            build: (api) => api.tx.Review.bond_seats({ pool: chainPool(pool), seats }),
          });
        }}
      >
        <div className="grid gap-4 sm:grid-cols-2">
          <SelectField
            label="Seats for"
            value={poolKey(pool)}
            onChange={(event) => setChosen(event.target.value)}
            options={pools.map(({ pool: one }) => ({
              value: poolKey(one),
              label: one.modality === null ? `Datanet ${one.datanet} alone` : poolName(one),
            }))}
            help={`${plural(size.seats, "seat")} of ${plural(size.accounts, "account")} now.`}
          />
          <Field
            label="How many"
            unit={`1 to ${MOST_SEATS}`}
            inputMode="numeric"
            autoComplete="off"
            value={text}
            error={problem}
            help={seats === null ? undefined : `${formatOpen(rules.seat * BigInt(seats))} OPEN are held.`}
            onChange={(event) => setText(event.target.value)}
          />
        </div>
        {pool.modality === null ? (
          <p className="text-sm text-soft">
            Verdicts of a Datanet’s own seats count on that Datanet’s board alone.
          </p>
        ) : (
          <p className="text-sm text-soft">
            Verdicts count over all Datanets while the pool is large enough and has been for a while: {least}{" "}
            accounts and more, and seats enough that nobody has most of them cheaply. Now{" "}
            {plural(size.accounts, "account has", "accounts have")} {plural(size.seats, "seat")}; {rules.size}{" "}
            make a committee.
          </p>
        )}
        <Terms rules={rules} />
        <Button type="submit" look="primary" className="justify-self-start">
          Bond seats
        </Button>
      </form>
    </Card>
  );
}

/** Where others fetch what an account accepts: it answers for that being there until its challenge is over. */
function Served({ account, pool, served }: { account: Account; pool: SeatPool; served: readonly string[] }) {
  const [text, setText] = useState<string>();
  const [problem, setProblem] = useState<string>();
  if (text === undefined) {
    return (
      <div className="grid gap-3 border-t border-line pt-4">
        {served.length === 0 ? (
          <Notice tone="warn" title="Nobody is told where to fetch what you accept">
            A file that you accept and that somebody hides from a challenge’s committee costs a part of a
            seat. Name an IPFS node that has what you judge, or leave{" "}
            <code>openledger review run --listen</code> running, which names itself.
          </Notice>
        ) : (
          <Facts
            facts={[
              [
                "What you accept is served at",
                <span key="served" className="grid gap-1">
                  {served.map((one) => (
                    <code key={one} className="break-all">
                      {one}
                    </code>
                  ))}
                </span>,
              ],
            ]}
          />
        )}
        <Button
          size="small"
          className="justify-self-start"
          onClick={() => {
            setProblem(undefined);
            setText(served.join("\n"));
          }}
        >
          {served.length === 0 ? "Name a node" : "Change"}
        </Button>
      </div>
    );
  }
  return (
    <form
      noValidate
      className="grid gap-3 border-t border-line pt-4"
      onSubmit={(event) => {
        event.preventDefault();
        const addresses = readAddresses(text);
        setProblem(
          addresses === null
            ? `Up to ${MOST_ADDRESSES} addresses like /ip4/203.0.113.7/tcp/4001/p2p/12D3…, one a line.`
            : undefined,
        );
        if (addresses === null) return;
        const utf8 = new TextEncoder();
        setText(undefined);
        void transact(account, {
          title: addresses.length === 0 ? "Name no node" : "Say where you serve files",
          words:
            addresses.length === 0
              ? `Nobody is told any more where to fetch what you accept with your ${seatsOf(pool)}.`
              : `Whoever judges a file again that you accepted with your ${seatsOf(pool)} asks ${addresses.join(", ")} for it.`,
          build: (api) =>
            api.tx.Review.serve_at({
              pool: chainPool(pool),
              addresses: addresses.map((one) => utf8.encode(one)),
            }),
        });
      }}
    >
      <TextField
        label="Addresses of an IPFS node that has what you accept"
        unit="one a line"
        autoComplete="off"
        spellCheck={false}
        value={text}
        error={problem}
        help="As the node prints them, with a number that others reach: /ip4/…/tcp/…/p2p/…"
        onChange={(event) => setText(event.target.value)}
      />
      <div className="flex flex-wrap gap-2">
        <Button type="submit" look="primary">
          Say so
        </Button>
        <Button look="quiet" onClick={() => setText(undefined)}>
          Cancel
        </Button>
      </div>
    </form>
  );
}

function OwnSeats({ account, entry, rules }: { account: Account; entry: PoolSeats; rules: Rules }) {
  const { pool, own, size, served } = entry;
  const [text, setText] = useState("1");
  const [problem, setProblem] = useState<string>();
  if (!own) return null;
  const facts = seatFacts(own, rules.seat);
  const { reviewer } = own;
  const giveUp = (seats: number) =>
    void transact(account, {
      title: `Give ${plural(seats, "seat")} up`,
      words: (
        <>
          {plural(seats, "seat")}, {seatsOf(pool)}, leave in {time(rules.lengths.leave)}. Until then they can
          be drawn for challenges, and what is held for them comes back when all that they judged is final.
        </>
      ),
      build: (api) => api.tx.Review.unbond_seats({ pool: chainPool(pool), seats }),
    });
  const withdraw = () =>
    void transact(account, {
      title: "Get the OPEN of seats back",
      words: `The ${seatsOf(pool)} that you gave up are free of all that was judged with them.`,
      gained:
        reviewer.held > rules.seat * BigInt(reviewer.seats)
          ? reviewer.held - rules.seat * BigInt(reviewer.seats)
          : 0n,
      gainedWords: "No longer held",
      build: (api) => api.tx.Review.withdraw_seats({ pool: chainPool(pool) }),
    });
  const topUp = () =>
    void transact(account, {
      title: "Top seats up",
      words:
        "Bonds anew what your seats have lost. A seat with less than three quarters of its price is not drawn.",
      held: facts.lost,
      build: (api) => api.tx.Review.top_up({ pool: chainPool(pool) }),
    });
  return (
    <Card
      title={poolName(pool)}
      about={`${plural(reviewer.seats, "seat")} of ${formatCount(size.seats)} in the pool.`}
      actions={
        <>
          {facts.lost > 0n && (
            <Button size="small" onClick={topUp}>
              Top up
            </Button>
          )}
          {facts.leaving > 0 && (
            <Button size="small" look="primary" disabled={!facts.canWithdraw} onClick={withdraw}>
              Get the OPEN back
            </Button>
          )}
        </>
      }
    >
      <div className="grid gap-4">
        <Facts
          facts={[
            [
              "Can be drawn",
              <span key="drawable" className="inline-flex flex-wrap items-center gap-2">
                {formatCount(facts.drawable)}
                {facts.entering > 0 && (
                  <Badge tone="info">
                    {facts.entering} enter within {time(rules.lengths.enter)} and a session
                  </Badge>
                )}
                {facts.uncovered > 0 && <Badge tone="warn">{facts.uncovered} wait to be topped up</Badge>}
              </span>,
            ],
            ["Held for them", <Amount key="held" plancks={reviewer.held} />],
            ...(facts.lost > 0n
              ? [["Lost so far", <Amount key="lost" plancks={facts.lost} />] as const]
              : []),
            ["Draws they judge now", formatCount(reviewer.open + reviewer.open_before)],
            ...(facts.leaving > 0
              ? [
                  [
                    "Given up",
                    reviewer.left
                      ? facts.judging > 0
                        ? `${plural(facts.leaving, "seat")}, bound until ${plural(facts.judging, "draw")} that they judged ${facts.judging === 1 ? "is" : "are"} over`
                        : `${plural(facts.leaving, "seat")}, free: get the OPEN back`
                      : `${plural(facts.leaving, "seat")}, leaving the pool within ${time(rules.lengths.leave)} and a session; drawn for challenges until then`,
                  ] as const,
                ]
              : []),
          ]}
        />
        <Served account={account} pool={pool} served={served} />
        {facts.canGiveUp && (
          <form
            noValidate
            className="flex flex-wrap items-end gap-3 border-t border-line pt-4"
            onSubmit={(event) => {
              event.preventDefault();
              const seats = readSeats(text, Math.min(MOST_SEATS, reviewer.seats));
              setProblem(seats === null ? `From 1 to ${Math.min(MOST_SEATS, reviewer.seats)}.` : undefined);
              if (seats !== null) giveUp(seats);
            }}
          >
            <div className="w-40">
              <Field
                label="Give seats up"
                inputMode="numeric"
                autoComplete="off"
                value={text}
                error={problem}
                onChange={(event) => setText(event.target.value)}
              />
            </div>
            <Button type="submit" look="danger">
              Give up
            </Button>
          </form>
        )}
        {facts.leaving > 0 && reviewer.seats > 0 && (
          <p className="text-sm text-soft">More can be given up when these are paid back.</p>
        )}
      </div>
    </Card>
  );
}

/** One's seats with what they wait for, and how to get more. */
export function SeatsCard({ account }: { account: Account | null }) {
  const rules = useRules();
  const known = useReviewer(account?.address ?? "", account !== null);
  const datanets = useOwnSeatDatanets();
  const [search] = useSearchParams();
  const named = search.get("pool");
  const ids = new Set([
    ...datanets.map(({ id }) => id),
    ...(known.data?.seats.flatMap(({ pool }) => (pool.datanet === null ? [] : [pool.datanet])) ?? []),
    ...(named !== null && /^\d{1,9}$/.test(named) ? [Number(named)] : []),
  ]);
  const pools = usePools(
    [
      ...modalityPools,
      ...[...ids].sort((one, other) => one - other).map((datanet) => ({ modality: null, datanet })),
    ],
    account?.address ?? null,
  );
  return (
    <Loaded query={rules}>
      {(found) => (
        <Loaded query={pools}>
          {(list) => (
            <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-6 lg:grid-cols-2">
              <div className="grid grid-cols-[minmax(0,1fr)] gap-6">
                {account ? (
                  <Bond account={account} pools={list} rules={found} />
                ) : (
                  <Card title="What a seat is">
                    <div className="grid gap-5">
                      <Terms rules={found} />
                      <ButtonLink href="/accounts" look="primary" className="justify-self-start">
                        Choose an account to become a reviewer
                      </ButtonLink>
                    </div>
                  </Card>
                )}
                <Notice title="Members have to be there in time">
                  Judge here while this app is open, or leave <code>openledger review run</code> running on a
                  machine of yours: it fetches, judges, seals and reveals by itself, and serves what it
                  accepts. Until nobody can challenge it any more others must be able to fetch that, from you
                  or from somebody else.
                </Notice>
              </div>
              {/* On a phone what one has comes before what one could have. */}
              <div
                className={classes(
                  "grid grid-cols-[minmax(0,1fr)] gap-6",
                  list.some(({ own }) => own !== null) && "max-lg:order-first",
                )}
              >
                {account && list.every(({ own }) => own === null) && (
                  <Card>
                    <EmptyState icon="shield" title="You have no seats">
                      With a seat you may be drawn for a committee, and are paid for each file that you judge
                      as the others do.
                    </EmptyState>
                  </Card>
                )}
                {account &&
                  list.map((entry) => (
                    <OwnSeats key={poolKey(entry.pool)} account={account} entry={entry} rules={found} />
                  ))}
              </div>
            </div>
          )}
        </Loaded>
      )}
    </Loaded>
  );
}
