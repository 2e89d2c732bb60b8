import { useMutation, useQuery } from "@tanstack/react-query";
import type { Account } from "@/accounts/state";
import { useConfig } from "@/api/queries";
import { queryClient } from "@/api/queryClient";
import { request } from "@/api/request";
import type { FaucetAnswer } from "@/api/types";
import { toast } from "@/app/toasts";
import { transact } from "@/chain/transactions";
import { Badge } from "@/components/ui/Badge";
import { Button, ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Icon } from "@/components/ui/Icon";
import { Notice } from "@/components/ui/Notice";
import { ErrorState, Loaded } from "@/components/ui/States";
import { AccountName, Amount, Copyable, Stat } from "@/components/ui/Values";
import { contributorHold, type Holdings, useHoldings } from "./account.state";

/** On development networks money is given to who asks. */
function Faucet({ account }: { account: Account }) {
  const ask = useMutation({
    mutationFn: () =>
      request<FaucetAnswer>("/v1/faucet", {
        method: "POST",
        body: { account: account.address, contributor: true },
      }),
    onSuccess: (given) => {
      toast(given.contributor ? "You have OPEN now, and may contribute" : "You have OPEN now");
      void queryClient.invalidateQueries({ queryKey: ["account"] });
    },
  });
  return (
    <div className="grid gap-3">
      <p className="text-sm text-soft">
        This is a development network: its faucet gives OPEN away and makes you a contributor.
      </p>
      <Button look="primary" className="justify-self-start" busy={ask.isPending} onClick={() => ask.mutate()}>
        {ask.isPending ? "Waiting for a block" : "Get OPEN"}
      </Button>
      {ask.error && <ErrorState error={ask.error} />}
    </div>
  );
}

/** Elsewhere somebody who has money pays for a newcomer's start. */
function AskForSponsor({ account }: { account: Account }) {
  const link = `${window.location.origin}/invite?account=${account.address}`;
  return (
    <Notice title="Ask somebody to sponsor you">
      <p>
        A contributor needs a deposit, which somebody else may pay for you. Send this link to a person who has
        OPEN; you need none yourself.
      </p>
      <p className="mt-2">
        <Copyable text={link} what="link" whole />
      </p>
    </Notice>
  );
}

function Register({ account, holdings, hold }: { account: Account; holdings: Holdings; hold: bigint }) {
  const config = useConfig();
  if (holdings.free > hold) {
    return (
      <div className="grid gap-3">
        <p className="text-sm text-soft">
          Contributors have <Amount plancks={hold} /> held, which comes back when they stop. Submitting files
          then costs no fee.
        </p>
        <Button
          look="primary"
          className="justify-self-start"
          onClick={() =>
            void transact(account, {
              title: "Become a contributor",
              words:
                "Registers this account, so that it may submit files to every Datanet within its daily quota.",
              build: (api) => api.tx.Datanets.register(),
              held: hold,
            })
          }
        >
          Become a contributor
        </Button>
      </div>
    );
  }
  return config.data?.faucet ? <Faucet account={account} /> : <AskForSponsor account={account} />;
}

/** What the account in use has, and what it needs to begin. */
export function StartCard({ account }: { account: Account }) {
  const holdings = useHoldings(account.address);
  const hold = useQuery({
    queryKey: ["contributor-hold"],
    queryFn: contributorHold,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <Card
      title={account.name}
      about={<AccountName account={account.address} />}
      actions={
        holdings.data?.registered ? (
          <ButtonLink href="/contribute" look="primary" icon={<Icon name="upload" className="size-4" />}>
            Contribute files
          </ButtonLink>
        ) : undefined
      }
    >
      <Loaded query={holdings}>
        {(data) => (
          <div className="grid gap-6">
            <dl className="grid gap-5 sm:grid-cols-3">
              <Stat label="Free">
                <Amount plancks={data.free} />
              </Stat>
              <Stat label="Held">
                <Amount plancks={data.held} />
              </Stat>
              <Stat label="Role">
                <Badge tone={data.registered ? "good" : "neutral"}>
                  {data.registered ? "Contributor" : "Not a contributor yet"}
                </Badge>
              </Stat>
            </dl>
            {!data.registered && (
              <Loaded query={hold}>
                {(amount) => <Register account={account} holdings={data} hold={amount} />}
              </Loaded>
            )}
          </div>
        )}
      </Loaded>
    </Card>
  );
}
