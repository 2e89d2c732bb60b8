import { useState } from "react";
import { type Account, useAccount } from "@/accounts/state";
import { toast } from "@/app/toasts";
import { CallView } from "@/calls/CallView";
import { type TransactionResult, transact } from "@/chain/transactions";
import { Button, ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Notice } from "@/components/ui/Notice";
import { Page } from "@/components/ui/Page";
import { Spinner } from "@/components/ui/Spinner";
import { Loaded } from "@/components/ui/States";
import { AccountName, Amount, Copyable, Facts } from "@/components/ui/Values";
import { formatCount } from "@/lib/format";
import { describeProblem } from "@/lib/problem";
import type { SignLink } from "./link";
import { type Signable, transactionOf, useFee, useLink, useSignable } from "./sign.state";

function Costs({ signable, link, account }: { signable: Signable; link: SignLink; account: Account | null }) {
  const { cost } = signable;
  const fee = useFee(link, account, cost.free !== undefined);
  return (
    <Card title="What it costs">
      <Facts
        facts={[
          ["Paid", <Amount key="spent" plancks={cost.spent} most={18} />],
          [
            "Held",
            <span key="held">
              {(cost.held > 0n || !cost.heldToo) && <Amount plancks={cost.held} most={18} />}
              {cost.held > 0n && cost.heldToo && ", and "}
              {cost.heldToo}
            </span>,
          ],
          [
            "Fee",
            cost.free ??
              (!account ? (
                "Known once an account is chosen"
              ) : fee.data !== undefined ? (
                <Amount key="fee" plancks={fee.data} most={6} />
              ) : fee.error ? (
                "The chain did not say"
              ) : (
                <Spinner />
              )),
          ],
        ]}
      />
      {cost.notes.length > 0 && (
        <ul className="mt-4 grid gap-1 text-sm text-soft">
          {cost.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function Signing({
  signable,
  link,
  account,
}: {
  signable: Signable;
  link: SignLink;
  account: Account | null;
}) {
  const [busy, setBusy] = useState(false);
  const [done, setDone] = useState<TransactionResult | null>(null);
  const { call, cost } = signable;
  const sign = async () => {
    if (!account) return;
    setBusy(true);
    try {
      const made = await transactionOf(link);
      const result = await transact(account, {
        title: `Sign ${call.pallet}.${call.name}`,
        words: "You sign what the page shows, every argument of it.",
        // biome-ignore lint/suspicious/noExplicitAny: the call was read by its metadata, not by its type
        build: () => made as any,
        ...(cost.spent > 0n ? { spent: cost.spent } : {}),
        ...(cost.held > 0n ? { held: cost.held } : {}),
        free: cost.free,
      });
      if (result) setDone(result);
    } catch (error) {
      toast(describeProblem(error).title, "bad");
    } finally {
      setBusy(false);
    }
  };
  if (done) {
    return (
      <Notice tone="good" title={`It is in block ${formatCount(done.block.number)}`}>
        Transaction <Copyable text={done.hash.replace(/^0x/, "")} what="transaction hash" />. The same link
        signs it once more.
      </Notice>
    );
  }
  return account ? (
    <Card title="Who signs">
      <div className="flex flex-wrap items-center justify-between gap-4">
        <AccountName account={account.address} name={account.name} />
        <Button look="primary" onClick={() => void sign()} disabled={busy}>
          Go on to sign
        </Button>
      </div>
    </Card>
  ) : (
    <Notice
      title="Choose the account that signs"
      actions={
        <ButtonLink href="/accounts" size="small">
          Connect
        </ButtonLink>
      }
    >
      Then come back to this page with the link, or by the browser's button.
    </Notice>
  );
}

/** A transaction that something else prepared: read here, and signed by whoever owns the account. */
export default function SignPage() {
  const asked = useLink();
  const link = "link" in asked ? asked.link : undefined;
  const signable = useSignable(link);
  const account = useAccount();
  return (
    <Page
      title="Sign a transaction"
      about="An agent or a program prepared it. This page reads the call itself: what stands here is what is signed, whatever you were told."
    >
      {"problem" in asked ? (
        <Notice tone="bad" alert title={asked.problem.title}>
          {asked.problem.next}
        </Notice>
      ) : (
        <Loaded query={signable}>
          {(data) => (
            <div className="grid grid-cols-[minmax(0,1fr)] gap-6">
              {link?.more && (
                <Notice tone="warn" title="The link says more than the call">
                  Whoever made it wrote that; it is not shown, and not signed.
                </Notice>
              )}
              <Card title="The call">
                <CallView call={data.call} />
              </Card>
              {link && <Costs signable={data} link={link} account={account} />}
              <Card title="Where it goes">
                <Facts
                  facts={[
                    ["Chain", data.here.chain],
                    [
                      "First block",
                      <Copyable
                        key="genesis"
                        text={data.here.genesis}
                        what="hash of the first block"
                        whole
                      />,
                    ],
                    ["Version", formatCount(data.here.spec)],
                    ["Size of the call", `${formatCount(link?.call.length ?? 0)} bytes`],
                  ]}
                />
              </Card>
              {link && <Signing key={window.location.hash} signable={data} link={link} account={account} />}
            </div>
          )}
        </Loaded>
      )}
    </Page>
  );
}
