import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { extensionAccounts, extensionName, listExtensions, select } from "@/accounts/extensions";
import { type Account, useAccount } from "@/accounts/state";
import { toast } from "@/app/toasts";
import { Badge } from "@/components/ui/Badge";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { EmptyState, ErrorState } from "@/components/ui/States";
import { AccountPicture } from "@/components/ui/Values";
import { shorten } from "@/lib/format";

/** One of several accounts, to be chosen. */
export function AccountChoice({ account }: { account: Account }) {
  const chosen = useAccount();
  const here = chosen?.address === account.address && chosen.source.kind === account.source.kind;
  return (
    <li className="flex items-center gap-3 py-2.5">
      <AccountPicture account={account.address} large />
      <div className="min-w-0 flex-1">
        <p className="truncate font-medium">{account.name}</p>
        <p className="font-mono text-xs text-soft">{shorten(account.address, 8, 8)}</p>
      </div>
      {here ? (
        <Badge tone="accent">In use</Badge>
      ) : (
        <Button
          size="small"
          aria-label={`Use ${account.name}`}
          onClick={() => {
            select(account);
            toast(`You act as ${account.name} now`);
          }}
        >
          Use
        </Button>
      )}
    </li>
  );
}

/** The wallets of this browser, and the accounts that they share. */
export function ExtensionList() {
  const [extensions] = useState(listExtensions);
  const open = useMutation({ mutationFn: extensionAccounts });
  return (
    <Card
      title="From a wallet"
      about="polkadot{.js}, Talisman, SubWallet and others; a Ledger works through them."
    >
      {extensions.length === 0 ? (
        <EmptyState icon="wallet" title="No wallet extension is in this browser">
          You need none: make a key in this browser instead.
        </EmptyState>
      ) : (
        <div className="grid gap-4">
          <div className="flex flex-wrap gap-2">
            {extensions.map((extension) => (
              <Button
                key={extension}
                busy={open.isPending && open.variables === extension}
                onClick={() => open.mutate(extension)}
              >
                {extensionName(extension)}
              </Button>
            ))}
          </div>
          {open.error && <ErrorState error={open.error} />}
          {open.data &&
            (open.data.length === 0 ? (
              <p className="text-sm text-soft">The wallet shares no account with this page.</p>
            ) : (
              <ul className="divide-y divide-line">
                {open.data.map((account) => (
                  <AccountChoice key={account.address} account={account} />
                ))}
              </ul>
            ))}
        </div>
      )}
    </Card>
  );
}
