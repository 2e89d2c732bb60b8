import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useSearchParams } from "wouter";
import { useAccount } from "@/accounts/state";
import { transact } from "@/chain/transactions";
import { Button, ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Field } from "@/components/ui/Field";
import { Icon } from "@/components/ui/Icon";
import { Notice } from "@/components/ui/Notice";
import { Page } from "@/components/ui/Page";
import { Loaded } from "@/components/ui/States";
import { AccountName, Amount } from "@/components/ui/Values";
import { contributorHold, useHoldings } from "../accounts/account.state";

function Sponsor({ newcomer }: { newcomer: string }) {
  const account = useAccount();
  const holdings = useHoldings(newcomer);
  const hold = useQuery({
    queryKey: ["contributor-hold"],
    queryFn: contributorHold,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <Card title="The newcomer" about={<AccountName account={newcomer} />}>
      <Loaded query={holdings}>
        {(data) =>
          data.registered ? (
            <Notice tone="good" title="This account is a contributor already">
              Nothing is left to do.
            </Notice>
          ) : !account ? (
            <Notice
              title="Choose the account that pays"
              actions={
                <ButtonLink href="/accounts" size="small">
                  Connect
                </ButtonLink>
              }
            >
              You need an account with OPEN to sponsor somebody.
            </Notice>
          ) : (
            <Loaded query={hold}>
              {(amount) => (
                <div className="grid gap-4">
                  <p className="text-sm text-soft">
                    <Amount plancks={amount} /> of yours are held for as long as the account contributes, and
                    come back to you when it stops.
                  </p>
                  <Button
                    look="primary"
                    className="justify-self-start"
                    onClick={() =>
                      void transact(account, {
                        title: "Sponsor a newcomer",
                        words: (
                          <>
                            Registers <AccountName account={newcomer} /> as a contributor at your expense. It
                            can submit files at once, without OPEN of its own.
                          </>
                        ),
                        build: (api) => api.tx.Datanets.register_for({ contributor: newcomer }),
                        held: amount,
                      })
                    }
                  >
                    Sponsor this account
                  </Button>
                </div>
              )}
            </Loaded>
          )
        }
      </Loaded>
    </Card>
  );
}

/** A person with OPEN pays for somebody who has none. */
export default function InvitePage() {
  const [parameters, setParameters] = useSearchParams();
  const newcomer = parameters.get("account") ?? "";
  const [typed, setTyped] = useState(newcomer);
  const [problem, setProblem] = useState<string | null>(null);
  return (
    <Page
      title="Sponsor a newcomer"
      about="A contributor needs a deposit. Somebody who has OPEN can pay it for somebody who has none."
    >
      <Card>
        <form
          className="flex flex-wrap items-end gap-3"
          onSubmit={async (event) => {
            event.preventDefault();
            const { decodeAddress, encodeAddress } = await import("@/accounts/address");
            const key = decodeAddress(typed);
            setProblem(
              key ? null : "This is no account: it has about 48 letters and digits, and may be mistyped.",
            );
            if (key) setParameters({ account: encodeAddress(key) });
          }}
        >
          <div className="min-w-60 flex-1">
            <Field
              label="Account of the newcomer"
              required
              spellCheck={false}
              autoComplete="off"
              className="font-mono"
              value={typed}
              error={problem}
              onChange={(event) => setTyped(event.target.value)}
            />
          </div>
          <Button type="submit" icon={<Icon name="search" className="size-4" />}>
            Look it up
          </Button>
        </form>
      </Card>
      {newcomer && <Sponsor key={newcomer} newcomer={newcomer} />}
    </Page>
  );
}
