import { useState } from "react";
import type { Account } from "@/accounts/state";
import { transact } from "@/chain/transactions";
import { BlockWhen } from "@/components/BlockWhen";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Field } from "@/components/ui/Field";
import { Notice } from "@/components/ui/Notice";
import { AccountName, Facts } from "@/components/ui/Values";
import { BLOCK_TIME, formatDuration } from "@/lib/format";
import { type Payout, payoutTerms, readTarget, usePayout } from "./payout.state";

/** Has an account's rewards paid elsewhere; signed by the account, or by who gets them now. */
async function name(signer: Account, account: string, to: string, payout: Payout | null): Promise<boolean> {
  const { deposit, notice } = await payoutTerms();
  const payee = payout?.to ?? account;
  // Only the account itself has to wait, and only where another one gets them already.
  const waits = signer.address !== payee && to !== payee;
  const back = to === account && !waits;
  const done = await transact(signer, {
    title: back ? "Have rewards paid to the account itself" : "Have rewards paid to another account",
    words: (
      <>
        What <AccountName account={account} /> earns is paid to <AccountName account={to} />
        {waits
          ? ` from ${formatDuration(notice * BLOCK_TIME)} on, so that a stolen key does not turn it at once. Until then the account that gets them now can call it off.`
          : ", also what is owed already."}{" "}
        Points and rank stay where they are.
      </>
    ),
    held: payout || signer.address !== account ? undefined : deposit,
    gained: back && payout && signer.address === account ? deposit : undefined,
    gainedWords: "No longer held",
    build: (api) => api.tx.Leaderboard.set_payout({ account, to }),
  });
  return done !== null;
}

/** Where an account's rewards go. Somebody else sees it where it is not the account itself. */
export function PayoutCard({ account, signer }: { account: string; signer: Account | null }) {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string>();
  const query = usePayout(account);
  const payout = query.data ?? null;
  const payee = payout?.to ?? account;
  const may = signer !== null && (signer.address === account || signer.address === payee);
  if (query.data === undefined || (!may && !payout)) return null;
  return (
    <Card title="Where they are paid" about="The key that submits need not be the one that holds the money.">
      <div className="grid gap-5">
        <Facts
          facts={[
            [
              "Paid to",
              payee === account ? "the account itself" : <AccountName key="payee" account={payee} />,
            ],
          ]}
        />
        {payout?.next && (
          <Notice tone="warn" title="This is to change">
            From <BlockWhen block={payout.next.from} /> on they are paid to{" "}
            <AccountName account={payout.next.to} />. Naming who gets them now calls it off.
          </Notice>
        )}
        {may && signer && (
          <form
            noValidate
            className="grid gap-3"
            onSubmit={(event) => {
              event.preventDefault();
              const { to, problem } = readTarget(text, payout?.next ? "" : payee);
              setProblem(problem ?? undefined);
              if (to) void name(signer, account, to, payout).then((done) => done && setText(""));
            }}
          >
            <Field
              label="Pay them to"
              spellCheck={false}
              autoComplete="off"
              className="font-mono"
              value={text}
              error={problem}
              help="It can be changed again by either account."
              onChange={(event) => setText(event.target.value)}
            />
            <div className="flex flex-wrap gap-2">
              <Button type="submit">Have them paid there</Button>
              {payee !== account && (
                <Button look="quiet" onClick={() => void name(signer, account, account, payout)}>
                  Back to the account itself
                </Button>
              )}
            </div>
          </form>
        )}
      </div>
    </Card>
  );
}
