import { useMutation } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { select } from "@/accounts/extensions";
import { accountOf, type BrowserKey, forgetKey, saveKey, useBrowserKeys } from "@/accounts/keys";
import { passkeysPossible } from "@/accounts/passkey";
import { useAccount } from "@/accounts/state";
import { lock } from "@/accounts/unlock";
import { toast } from "@/app/toasts";
import { Badge } from "@/components/ui/Badge";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Dialog } from "@/components/ui/Dialog";
import { Icon } from "@/components/ui/Icon";
import { Notice } from "@/components/ui/Notice";
import { Skeleton } from "@/components/ui/Skeleton";
import { EmptyState, ErrorState } from "@/components/ui/States";
import { AccountChoice } from "./AccountChoice";

const NewKeyDialog = lazy(() => import("./NewKeyDialog"));
const BackupDialog = lazy(() => import("./BackupDialog"));

type Shown = { what: "new" | "words" | "file" } | { what: "backup" | "forget"; key: BrowserKey } | null;

function ForgetDialog({ browserKey: key, onClose }: { browserKey: BrowserKey; onClose: () => void }) {
  const account = useAccount();
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Forget ${key.name}`}
      actions={
        <>
          <Button look="quiet" onClick={onClose}>
            Keep it
          </Button>
          <Button
            look="danger"
            onClick={async () => {
              lock(key.id);
              await forgetKey(key.id);
              if (account?.address === key.address && account.source.kind === "browser") select(null);
              toast(`${key.name} is forgotten`, "info");
              onClose();
            }}
          >
            Forget it
          </Button>
        </>
      }
    >
      <Notice tone={key.backedUp ? "warn" : "bad"} title="This browser will not have the key any more">
        {key.backedUp
          ? "Its words or its file bring it back."
          : "It has no backup: what the account holds would be lost for ever."}
      </Notice>
    </Dialog>
  );
}

/** The keys made in this browser, and the ways to have one. */
export function BrowserKeys() {
  const keys = useBrowserKeys();
  const [shown, setShown] = useState<Shown>(null);
  const close = () => setShown(null);
  const fromGateway = useMutation({
    mutationFn: async () => {
      const { restoreCopy } = await import("@/accounts/vault");
      const key = await restoreCopy();
      await saveKey(key);
      select(accountOf(key));
      return key;
    },
    onSuccess: (key) => toast(`You act as ${key.name} now`),
  });
  const ways = (
    <>
      <Button
        look="primary"
        icon={<Icon name="plus" className="size-4" />}
        onClick={() => setShown({ what: "new" })}
      >
        Make a key
      </Button>
      <Button onClick={() => setShown({ what: "words" })}>Restore from words</Button>
      <Button onClick={() => setShown({ what: "file" })}>Restore from a file</Button>
      {passkeysPossible() && (
        <Button busy={fromGateway.isPending} onClick={() => fromGateway.mutate()}>
          Restore by passkey
        </Button>
      )}
    </>
  );
  return (
    <Card
      title="In this browser"
      about="Nothing to install: a key is made here and sealed by a passkey or a password."
    >
      {keys === null ? (
        <Skeleton lines={2} />
      ) : keys.length === 0 ? (
        <EmptyState icon="key" title="No key is in this browser yet" actions={ways}>
          A key is an account: it holds OPEN and signs what you contribute.
        </EmptyState>
      ) : (
        <div className="grid gap-4">
          <ul className="divide-y divide-line">
            {keys.map((key) => (
              <AccountChoice
                key={key.id}
                account={accountOf(key)}
                badges={
                  <>
                    <Badge>{key.sealed.by === "passkey" ? "passkey" : "password"}</Badge>
                    {!key.backedUp && <Badge tone="warn">no backup</Badge>}
                  </>
                }
                actions={
                  <>
                    <Button size="small" look="quiet" onClick={() => setShown({ what: "backup", key })}>
                      Back up
                    </Button>
                    <Button size="small" look="quiet" onClick={() => setShown({ what: "forget", key })}>
                      Forget
                    </Button>
                  </>
                }
              />
            ))}
          </ul>
          <div className="flex flex-wrap gap-2">{ways}</div>
        </div>
      )}
      {fromGateway.error && <ErrorState error={fromGateway.error} />}
      <Suspense fallback={null}>
        {shown?.what === "backup" && <BackupDialog browserKey={shown.key} onClose={close} />}
        {shown?.what === "forget" && <ForgetDialog browserKey={shown.key} onClose={close} />}
        {(shown?.what === "new" || shown?.what === "words" || shown?.what === "file") && (
          <NewKeyDialog from={shown.what} onDone={close} onClose={close} />
        )}
      </Suspense>
    </Card>
  );
}
