import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { extensionAccounts, extensionName, listExtensions } from "@/accounts/extensions";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { EmptyState, ErrorState } from "@/components/ui/States";
import { AccountChoice } from "./AccountChoice";

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
                {open.data.map(({ account, elsewhere }) => (
                  <AccountChoice
                    key={account.address}
                    account={account}
                    unusable={elsewhere ? "The wallet keeps it for another network" : undefined}
                  />
                ))}
              </ul>
            ))}
        </div>
      )}
    </Card>
  );
}
