import { useLocation } from "wouter";
import { ButtonLink } from "@/components/ui/Button";
import { Icon } from "@/components/ui/Icon";
import { Menu, MenuItem, MenuSeparator } from "@/components/ui/Menu";
import { AccountPicture } from "@/components/ui/Values";
import { shorten } from "@/lib/format";
import { select } from "./extensions";
import { useAccount } from "./state";

/** Who one is, and the way to becoming somebody else. */
export function AccountMenu() {
  const account = useAccount();
  const [, go] = useLocation();
  if (!account) {
    return (
      <ButtonLink href="/accounts" look="primary" size="small">
        Connect
      </ButtonLink>
    );
  }
  return (
    <Menu
      label={`Account ${account.name}`}
      className="flex min-h-10 max-w-48 items-center gap-2 rounded-full border border-line bg-surface py-1 pr-3 pl-1.5 text-sm font-medium hover:border-line-strong"
      trigger={
        <>
          <AccountPicture account={account.address} />
          <span className="truncate">{account.name}</span>
          <Icon name="chevronDown" className="size-4 text-soft" />
        </>
      }
    >
      <p className="px-2.5 pt-1 pb-1.5 font-mono text-xs text-soft">{shorten(account.address, 8, 8)}</p>
      <MenuItem onSelect={() => go(`/accounts/${account.address}`)}>
        <Icon name="account" className="size-4" /> Balance and activity
      </MenuItem>
      <MenuItem onSelect={() => go("/accounts")}>
        <Icon name="wallet" className="size-4" /> Change account
      </MenuItem>
      <MenuSeparator />
      <MenuItem onSelect={() => select(null)}>
        <Icon name="close" className="size-4" /> Disconnect
      </MenuItem>
    </Menu>
  );
}
