import { Page } from "@/components/ui/Page";
import { ExtensionList } from "./ExtensionList";

/** Who one acts as. */
export default function AccountsPage() {
  return (
    <Page
      title="Accounts"
      about="An account holds OPEN and signs what you do. Its key stays with you: in a wallet, or in this browser."
    >
      <ExtensionList />
    </Page>
  );
}
