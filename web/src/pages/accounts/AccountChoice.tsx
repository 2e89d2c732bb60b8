import type { ReactNode } from "react";
import { select } from "@/accounts/extensions";
import { type Account, useAccount } from "@/accounts/state";
import { toast } from "@/app/toasts";
import { Badge } from "@/components/ui/Badge";
import { Button } from "@/components/ui/Button";
import { AccountPicture } from "@/components/ui/Values";
import { shorten } from "@/lib/format";

/** One of several accounts, to be chosen. */
export function AccountChoice({
  account,
  badges,
  actions,
  unusable,
}: {
  account: Account;
  badges?: ReactNode;
  actions?: ReactNode;
  /** Why one cannot act as it. */
  unusable?: string | undefined;
}) {
  const chosen = useAccount();
  const here = chosen?.address === account.address && chosen.source.kind === account.source.kind;
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-2 py-3">
      <AccountPicture account={account.address} large />
      <div className="min-w-40 flex-1">
        <p className="flex flex-wrap items-center gap-2">
          <span className="truncate font-medium">{account.name}</span>
          {badges}
        </p>
        <p className="font-mono text-xs text-soft">{shorten(account.address, 8, 8)}</p>
      </div>
      <div className="flex flex-wrap items-center gap-1.5">
        {actions}
        {here ? (
          <Badge tone="accent">In use</Badge>
        ) : unusable ? (
          <Badge tone="warn">{unusable}</Badge>
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
      </div>
    </li>
  );
}
