import { type ReactNode, useState } from "react";
import { type Account, useAccount } from "@/accounts/state";
import type { Datanet } from "@/api/types";
import { transact } from "@/chain/transactions";
import { BlockWhen } from "@/components/BlockWhen";
import { Button } from "@/components/ui/Button";
import { Notice } from "@/components/ui/Notice";
import { Loaded } from "@/components/ui/States";
import { AccountName, Amount } from "@/components/ui/Values";
import { plural } from "@/lib/format";
import { type Barred, MOST_CLEARED, useEntries, useListing } from "./entries.state";
import { barReasons } from "./owner.state";

interface Owned {
  datanet: Datanet;
  owner: Account;
}

/** Accounts that are shown before somebody asks for more. */
const AT_ONCE = 20;

/** Accounts one below the other, each with a way to take it off the list. */
function List<T extends { account: string }>({
  title,
  items,
  deposit,
  none,
  line,
  action,
  onRemove,
}: {
  title: string;
  items: readonly T[];
  /** Plancks held for each of them. */
  deposit: bigint;
  none: string;
  line?: (item: T) => ReactNode;
  action: string;
  onRemove: (item: T) => void;
}) {
  const [most, setMost] = useState(AT_ONCE);
  if (items.length === 0) return <p className="text-sm text-soft">{none}</p>;
  return (
    <section aria-label={title} className="grid gap-3">
      <p className="text-sm text-soft">
        {plural(items.length, "account")}; <Amount plancks={deposit * BigInt(items.length)} /> held.
      </p>
      <ul className="divide-y divide-line rounded-control border border-line">
        {items.slice(0, most).map((item) => (
          <li key={item.account} className="flex items-center justify-between gap-4 px-3 py-2.5 text-sm">
            <div className="grid min-w-0 gap-0.5">
              <AccountName account={item.account} />
              {line && <p className="text-xs text-soft">{line(item)}</p>}
            </div>
            <Button
              size="small"
              aria-label={`${action}: ${item.account}`}
              onClick={() => {
                onRemove(item);
              }}
            >
              {action}
            </Button>
          </li>
        ))}
      </ul>
      {items.length > most && (
        <Button size="small" className="justify-self-start" onClick={() => setMost(most + AT_ONCE)}>
          Show more
        </Button>
      )}
    </section>
  );
}

/** Whom the owner invited; each invitation can be taken back. */
export function InvitedList({ datanet, owner }: Owned) {
  const entries = useEntries(datanet.id);
  return (
    <Loaded query={entries}>
      {({ invited, deposit }) => (
        <List
          title="Invited accounts"
          items={invited.map((account) => ({ account }))}
          deposit={deposit}
          none="Nobody is invited."
          action="Take back"
          onRemove={({ account }) =>
            void transact(owner, {
              title: "Take an invitation back",
              words: (
                <>
                  “{datanet.name}” takes files of <AccountName account={account} /> only where it would
                  without an invitation. What it submitted stays.
                </>
              ),
              gained: deposit,
              gainedWords: "No longer held",
              build: (api) => api.tx.Datanets.invite({ datanet: datanet.id, account, invited: false }),
            }).then((done) => done && entries.refetch())
          }
        />
      )}
    </Loaded>
  );
}

/** Whom the owner shut out, and why; each can be let in again. */
export function BarredList({ datanet, owner }: Owned) {
  const entries = useEntries(datanet.id);
  return (
    <Loaded query={entries}>
      {({ barred, deposit }) => (
        <List<Barred>
          title="Barred accounts"
          items={barred}
          deposit={deposit}
          none="Nobody is barred."
          line={({ reason, since }) => (
            <>
              Since <BlockWhen block={since} />: {barReasons[reason]}
            </>
          )}
          action="Let in"
          onRemove={({ account }) =>
            void transact(owner, {
              title: "Let an account in again",
              words: (
                <>
                  “{datanet.name}” takes files of <AccountName account={account} /> again.
                </>
              ),
              gained: deposit,
              gainedWords: "No longer held",
              build: (api) => api.tx.Datanets.unbar({ datanet: datanet.id, account }),
            }).then((done) => done && entries.refetch())
          }
        />
      )}
    </Loaded>
  );
}

/** What is still held for invitations and bars of a Datanet that is closed. Nothing where nothing is. */
export function HeldNotice({ datanet }: { datanet: Datanet }) {
  const account = useAccount();
  const listing = useListing(datanet.id, true);
  const { entries, deposit } = listing.data ?? { entries: 0, deposit: 0n };
  if (entries === 0) return null;
  const now = Math.min(entries, MOST_CLEARED);
  return (
    <Notice
      title={`${plural(entries, "invitation or bar of it is", "invitations and bars of it are")} still paid for`}
      actions={
        account && (
          <Button
            size="small"
            onClick={() =>
              void transact(account, {
                title: "Clear invitations and bars",
                words: (
                  <>
                    Takes {plural(now, "invitation or bar", "invitations and bars")} of “{datanet.name}” away,
                    which mean nothing any more. What was held for {now === 1 ? "it" : "them"} comes back to
                    its owner, <AccountName account={datanet.owner} />.
                  </>
                ),
                free: "none, if something is cleared",
                build: (api) => api.tx.Datanets.clear_entries({ datanet: datanet.id }),
              }).then((done) => done && listing.refetch())
            }
          >
            Clear {now < entries ? `${now} of them` : now === 1 ? "it" : "them"}
          </Button>
        )
      }
    >
      <Amount plancks={deposit} /> are held on its owner, and come back when somebody clears them.
    </Notice>
  );
}
