import { type Account, useAccount } from "@/accounts/state";
import type { Datanet } from "@/api/types";
import { transact } from "@/chain/transactions";
import { Badge } from "@/components/ui/Badge";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Notice } from "@/components/ui/Notice";
import { AccountName, Amount } from "@/components/ui/Values";
import { plural } from "@/lib/format";
import { AdmissionForm, InviteForm } from "./AdmissionForms";
import { datanetDeposit } from "./create.state";
import { BarredList, HeldNotice, InvitedList } from "./EntryLists";
import { entriesDeposit } from "./entries.state";
import { BarForm, CapsForm, Deed, DescribeForm, OfferForm } from "./OwnerForms";
import type { Details } from "./owner.state";

interface Owned {
  datanet: Datanet;
  details: Details;
  owner: Account;
}

function Close({ datanet, details, owner }: Owned) {
  const { pending } = datanet.counts;
  return (
    <div className="grid gap-3 text-sm">
      <p className="text-soft">
        It takes no files any more, for ever. What was accepted stays and can be trained on, points are paid
        as ever, and funders of its pool may leave. Your deposit of <Amount plancks={details.deposit} /> comes
        back.
        {pending > 0 &&
          ` ${plural(pending, "submission")} ${pending === 1 ? "waits" : "wait"} for verdicts; pause it, and close it when they have them.`}
      </p>
      <Button
        look="danger"
        className="justify-self-start"
        onClick={() =>
          void transact(owner, {
            title: "Close the Datanet",
            words: (
              <>
                Closes “{datanet.name}” for ever and releases its deposit of{" "}
                <Amount plancks={details.deposit} />. Nobody can open it again.
              </>
            ),
            gained: details.deposit,
            gainedWords: "No longer held",
            build: (api) => api.tx.Datanets.close({ datanet: datanet.id }),
          })
        }
      >
        Close it for ever
      </Button>
    </div>
  );
}

function pause({ datanet, details, owner }: Owned): void {
  const paused = details.status === "Paused";
  void transact(owner, {
    title: paused ? "Let files in again" : "Pause the Datanet",
    words: paused
      ? `“${datanet.name}” takes files again.`
      : `“${datanet.name}” takes no files for now. Those that wait get their verdicts, and points are paid.`,
    build: (api) =>
      paused
        ? api.tx.Datanets.resume({ datanet: datanet.id })
        : api.tx.Datanets.pause({ datanet: datanet.id }),
  });
}

/** What its owner does with a Datanet. Nothing for anybody else. */
export function OwnerCard({ datanet, details }: { datanet: Datanet; details: Details }) {
  const owner = useAccount();
  if (owner?.address !== datanet.owner || details.status === "Closed") return null;
  const owned = { datanet, details, owner };
  return (
    <Card
      title="It is yours"
      about="Terms and curators are changed beside them."
      actions={
        <Button size="small" onClick={() => pause(owned)}>
          {details.status === "Paused" ? "Let files in again" : "Pause"}
        </Button>
      }
    >
      <div className="grid gap-4">
        <Deed title="Describe it">
          <DescribeForm key={`${details.summary}-${details.tags.join()}`} {...owned} />
        </Deed>
        <Deed title="Whose files it takes">
          <AdmissionForm
            key={`${datanet.admission}-${datanet.leastPoints}`}
            datanet={datanet}
            owner={owner}
          />
        </Deed>
        <Deed title="Invite accounts">
          <div className="grid gap-5">
            <InviteForm datanet={datanet} owner={owner} />
            <InvitedList datanet={datanet} owner={owner} />
          </div>
        </Deed>
        <Deed title="Daily limits">
          <CapsForm key={`${details.caps?.files}-${details.share}`} {...owned} />
        </Deed>
        <Deed title="Bar an account">
          <div className="grid gap-5">
            <BarForm datanet={datanet} owner={owner} />
            <BarredList datanet={datanet} owner={owner} />
          </div>
        </Deed>
        <Deed title="Hand it over">
          <OfferForm {...owned} />
        </Deed>
        <Deed title="Close it">
          <Close {...owned} />
        </Deed>
      </div>
    </Card>
  );
}

/** That a Datanet takes no files, or is offered to who looks at it. */
export function StandingNotice({ datanet, details }: { datanet: Datanet; details: Details }) {
  const account = useAccount();
  const offered = account !== null && details.offeredTo === account.address;
  const accept = async () => {
    if (!account) return;
    const held = (await datanetDeposit()) + (await entriesDeposit(datanet.id));
    await transact(account, {
      title: "Accept the Datanet",
      words: (
        <>
          “{datanet.name}” is yours from then on: you name its curators and the terms of its pool. Its deposit
          is held on you, with what its invitations and bars take, and <AccountName account={datanet.owner} />{" "}
          gets the former one back.
        </>
      ),
      held,
      build: (api) => api.tx.Datanets.accept_ownership({ datanet: datanet.id }),
    });
  };
  return (
    <>
      {offered && (
        <Notice
          title={`“${datanet.name}” is offered to you`}
          actions={
            <Button look="primary" onClick={() => void accept()}>
              Accept it
            </Button>
          }
        >
          Its owner hands it over. Nothing changes until you accept.
        </Notice>
      )}
      {details.status === "Paused" && (
        <Notice tone="warn" title="It takes no files for now">
          Its owner paused it. What waits gets its verdict, and points are paid.
        </Notice>
      )}
      {details.status === "Closed" && (
        <Notice tone="warn" title="It is closed">
          It takes no files any more. What was accepted stays, and funders of its pool may leave.
        </Notice>
      )}
      {details.status === "Closed" && <HeldNotice datanet={datanet} />}
    </>
  );
}

/** What a Datanet is about, in its owner's words. Nothing where there are none. */
export function AboutCard({ details }: { details: Details }) {
  const { summary, description, tags } = details;
  if (!summary && !description && tags.length === 0) return null;
  return (
    <Card title="What it is about" about="In its owner’s words.">
      <div className="grid gap-4">
        {summary && <p className="font-medium">{summary}</p>}
        {description && <p className="text-sm break-words whitespace-pre-wrap">{description}</p>}
        {tags.length > 0 && (
          <p className="flex flex-wrap gap-2">
            {tags.map((tag) => (
              <Badge key={tag}>{tag}</Badge>
            ))}
          </p>
        )}
      </div>
    </Card>
  );
}
