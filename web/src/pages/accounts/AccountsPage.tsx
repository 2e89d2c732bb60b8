import { BackupNotice } from "@/accounts/BackupNotice";
import { useAccount } from "@/accounts/state";
import { Page } from "@/components/ui/Page";
import { BrowserKeys } from "./BrowserKeys";
import { ExtensionList } from "./ExtensionList";
import { StartCard } from "./StartCard";

/** Who one acts as. */
export default function AccountsPage() {
  const account = useAccount();
  return (
    <Page
      title="Accounts"
      about="An account holds OPEN and signs what you do. Its key stays with you: in a wallet, or in this browser."
    >
      <BackupNotice />
      {account && <StartCard account={account} />}
      <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-6 lg:grid-cols-2">
        <BrowserKeys />
        <ExtensionList />
      </div>
    </Page>
  );
}
