import { ButtonLink } from "@/components/ui/Button";
import { Notice } from "@/components/ui/Notice";
import { useBrowserKeys } from "./keys";
import { useAccount } from "./state";

/** Asks for a backup of the key in use, where it has none: before a first reward is claimed at the latest. */
export function BackupNotice() {
  const account = useAccount();
  const keys = useBrowserKeys();
  const key = keys?.find(({ id }) => account?.source.kind === "browser" && account.source.id === id);
  if (!key || key.backedUp) return null;
  return (
    <Notice
      tone="warn"
      title={`${key.name} has no backup`}
      actions={
        <ButtonLink href="/accounts" size="small">
          Back it up
        </ButtonLink>
      }
    >
      If this browser loses the key, what the account earned is lost with it.
    </Notice>
  );
}
