import { useState } from "react";
import { useLocation } from "wouter";
import { type Account, useAccount } from "@/accounts/state";
import { CallView } from "@/calls/CallView";
import { Button, ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Notice } from "@/components/ui/Notice";
import { Page } from "@/components/ui/Page";
import { EmptyState, Loaded } from "@/components/ui/States";
import { Amount, Copyable, Facts } from "@/components/ui/Values";
import { BLOCK_TIME, formatDuration } from "@/lib/format";
import { type Governance, useGovernance } from "./governance.state";
import { ProposalFields } from "./ProposalFields";
import { type Draft, emptyDraft, MOST_INLINE, type Proposed, readProposal, trackOf } from "./propose";
import { type Made, type Proposing, submit, useMade, usePreimageLength, useProposing } from "./propose.state";
import { sayCurve, trackName } from "./referenda";

const time = (blocks: number) => formatDuration(blocks * BLOCK_TIME);

/** What it would do, read from the bytes that are proposed. */
function Preview({ proposed, made }: { proposed: Proposed | null; made: ReturnType<typeof useMade> }) {
  return (
    <Card title="What it would do" about="Read from the bytes that are proposed.">
      {!proposed ? (
        <p className="text-sm text-soft">It stands here once what is typed says it.</p>
      ) : (
        <Loaded query={made}>
          {(found) =>
            found?.call ? (
              <div className="grid gap-4">
                <CallView call={found.call} />
                {found.proposal.type === "Lookup" && (
                  <p className="text-sm text-soft">
                    It has more than {MOST_INLINE} bytes, so it stands on the chain as a preimage:{" "}
                    <Copyable text={found.proposal.value.hash} what="hash of the proposal" />
                  </p>
                )}
              </div>
            ) : (
              <Notice tone="warn" title="Nobody can read it yet">
                The chain has its hash alone. People vote when somebody has noted its bytes, and it is not
                carried out without them.
              </Notice>
            )
          }
        </Loaded>
      )}
    </Card>
  );
}

/** On which track it is decided, and what that takes. */
function Way({ proposed, rules }: { proposed: Proposed | null; rules: Governance }) {
  const track = proposed && trackOf(proposed.origin, rules.tracks);
  return (
    <Card title="How it is decided">
      {track ? (
        <Facts
          facts={[
            ["Track", trackName(track)],
            ["Proposal’s deposit", <Amount key="deposit" plancks={rules.submissionDeposit} />],
            [
              "Decision deposit",
              <span key="decision">
                <Amount plancks={track.decisionDeposit} />, of whoever wants it decided, within{" "}
                {time(rules.timeout)}
              </span>,
            ],
            ["Preparation", time(track.prepare)],
            ["Decision", `${time(track.decide)} at most, confirmed for ${time(track.confirm)}`],
            ["Enactment", `${time(track.enact)} after it has passed`],
            ["Approval it needs", sayCurve(track.approval)],
            ["Support it needs", sayCurve(track.support)],
          ]}
        />
      ) : (
        <p className="text-sm text-soft">The track comes from what is proposed.</p>
      )}
    </Card>
  );
}

function Form({ account, rules, facts }: { account: Account; rules: Governance; facts: Proposing }) {
  const [, navigate] = useLocation();
  const [draft, setDraft] = useState<Draft>(emptyDraft);
  const [tried, setTried] = useState(false);
  const found = usePreimageLength(draft.kind === "preimage" ? draft.preimage : "").data;
  const { proposed, problems } = readProposal(
    typeof found === "number" ? { ...draft, length: String(found) } : draft,
    facts.bounds,
  );
  const made = useMade(proposed);
  const track = proposed && trackOf(proposed.origin, rules.tracks);
  const send = async (one: Proposed, { call, ...how }: Made) => {
    const held = rules.submissionDeposit + how.deposit;
    const index = await submit(
      account,
      one.origin,
      { call, ...how },
      {
        words: (
          <>
            Proposes {call ? <code>{`${call.pallet}.${call.name}`}</code> : "a call that is not shown yet"} as{" "}
            {one.origin}, on the track {trackName(track ?? undefined)}. Nothing happens before somebody places
            its decision deposit and enough OPEN votes for it.
            {how.noted && " Its bytes are noted as a preimage with the same signature."}
          </>
        ),
        held,
        heldWords: how.noted
          ? "Held; comes back if it passes or is cancelled, and that of the preimage when you take it back"
          : "Held; comes back if it passes or is cancelled",
      },
    );
    if (index !== null) navigate(`/governance/${index}`);
  };
  return (
    <form
      noValidate
      className="grid grid-cols-[minmax(0,1fr)] items-start gap-6 lg:grid-cols-2 lg:grid-rows-[auto_1fr]"
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (proposed && made.data) void send(proposed, made.data);
      }}
    >
      <Card title="The proposal">
        <ProposalFields
          draft={draft}
          problems={tried ? problems : {}}
          facts={facts}
          found={found}
          onChange={(change) => {
            if (change.kind) setTried(false);
            setDraft({ ...draft, ...change });
          }}
        />
      </Card>
      {/* On a phone what it would do is read before it is submitted. */}
      <div className="grid grid-cols-[minmax(0,1fr)] gap-6 lg:row-span-2">
        <Preview proposed={proposed} made={made} />
        <Way proposed={proposed} rules={rules} />
      </div>
      <div className="flex flex-wrap items-center gap-4">
        <Button type="submit" look="primary" busy={proposed !== null && made.isFetching && !made.data}>
          Submit the proposal
        </Button>
        <p className="text-sm text-soft">
          <Amount plancks={rules.submissionDeposit + (made.data?.deposit ?? 0n)} /> of yours are held
          {(made.data?.deposit ?? 0n) > 0n && ", its preimage counted"}. If it is refused,{" "}
          <Amount plancks={rules.submissionDeposit} /> stay held.
        </p>
        {tried && !proposed && (
          <p role="alert" className="w-full text-sm font-medium text-bad">
            Nothing was sent: mend what is marked above.
          </p>
        )}
      </div>
    </form>
  );
}

/** A proposal: what is to be called, and how it would be decided. */
export default function ProposePage() {
  const account = useAccount();
  const rules = useGovernance();
  const facts = useProposing();
  return (
    <Page
      title="Make a proposal"
      about="Anybody proposes what the network should do; the OPEN that votes decides."
      actions={<ButtonLink href="/governance">All referenda</ButtonLink>}
    >
      {account ? (
        <Loaded query={rules}>
          {(network) => (
            <Loaded query={facts}>
              {(now) => <Form key={account.address} account={account} rules={network} facts={now} />}
            </Loaded>
          )}
        </Loaded>
      ) : (
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
            A deposit is held on it.
          </EmptyState>
        </Card>
      )}
    </Page>
  );
}
