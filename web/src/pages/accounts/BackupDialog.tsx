import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { type BrowserKey, saveKey } from "@/accounts/keys";
import { unlock } from "@/accounts/unlock";
import { keepCopy } from "@/accounts/vault";
import { toast } from "@/app/toasts";
import { Button } from "@/components/ui/Button";
import { Dialog } from "@/components/ui/Dialog";
import { CheckField, Field } from "@/components/ui/Field";
import { Icon } from "@/components/ui/Icon";
import { Notice } from "@/components/ui/Notice";
import { ErrorState } from "@/components/ui/States";
import { SHORTEST_PASSWORD, saveFile } from "./keys.state";

/** Shows the words of a key, or saves its file. */
export default function BackupDialog({
  browserKey: key,
  onClose,
}: {
  browserKey: BrowserKey;
  onClose: () => void;
}) {
  const [written, setWritten] = useState(false);
  const [password, setPassword] = useState("");
  const reveal = useMutation({ mutationFn: () => unlock(key.id) });
  const save = useMutation({
    mutationFn: async () => {
      const secret = await unlock(key.id);
      const { writeKeyFile } = await import("@/accounts/keyFile");
      saveFile(`${key.address}.json`, await writeKeyFile(secret, key.name, password), "application/json");
      await saveKey({ ...key, backedUp: true });
    },
    onSuccess: () => {
      setPassword("");
      toast("The key file is saved");
    },
  });
  const copy = useMutation({
    mutationFn: async () => {
      await keepCopy(key);
      await saveKey({ ...key, backedUp: true });
    },
    onSuccess: () => toast("The gateway keeps a sealed copy"),
  });
  const words = reveal.data?.words?.split(" ");
  const finish = async () => {
    if (written) await saveKey({ ...key, backedUp: true });
    onClose();
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Back up ${key.name}`}
      actions={
        <Button look="primary" onClick={finish}>
          Done
        </Button>
      }
    >
      <div className="grid gap-6">
        <Notice tone="warn" title="If it is lost, so is everything the account holds">
          Nobody can bring a lost key back. A browser whose data is cleared forgets it, and a synced passkey
          alone restores nothing. Who has the words has the account: show them to nobody.
        </Notice>
        <section className="grid gap-3">
          <h3 className="font-semibold">On paper</h3>
          {!reveal.data && (
            <Button
              className="justify-self-start"
              icon={<Icon name="key" className="size-4" />}
              busy={reveal.isPending}
              onClick={() => reveal.mutate()}
            >
              Show the 12 words
            </Button>
          )}
          {reveal.error && <ErrorState error={reveal.error} />}
          {words && (
            <>
              <ol
                className="grid grid-cols-2 gap-2 rounded-card bg-sunken p-4 sm:grid-cols-3"
                aria-label="Recovery phrase"
              >
                {words.map((word, n) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: a word may stand twice
                  <li key={n} className="flex gap-2 text-sm">
                    <span className="tabular w-5 text-right text-soft">{n + 1}</span>
                    <span className="font-mono">{word}</span>
                  </li>
                ))}
              </ol>
              <CheckField
                label="I wrote them down, in this order"
                checked={written}
                onChange={(event) => setWritten(event.target.checked)}
              />
            </>
          )}
          {reveal.data && !words && (
            <p className="text-sm text-soft">This key came from a file and has no words; save a file.</p>
          )}
        </section>
        <section className="grid gap-3">
          <h3 className="font-semibold">As a file</h3>
          <p className="text-sm text-soft">
            In the format of polkadot.js: wallets read it, and <code>openledger account import</code>.
          </p>
          <form
            className="flex flex-wrap items-end gap-2"
            onSubmit={(event) => {
              event.preventDefault();
              save.mutate();
            }}
          >
            <div className="min-w-52 flex-1">
              <Field
                label="Password of the file"
                type="password"
                autoComplete="new-password"
                minLength={SHORTEST_PASSWORD}
                required
                value={password}
                onChange={(event) => setPassword(event.target.value)}
              />
            </div>
            <Button type="submit" icon={<Icon name="download" className="size-4" />} busy={save.isPending}>
              Save
            </Button>
          </form>
          {save.error && <ErrorState error={save.error} />}
        </section>
        {key.sealed.by === "passkey" && (
          <section className="grid gap-3">
            <h3 className="font-semibold">At the gateway</h3>
            <p className="text-sm text-soft">
              A sealed copy, which this passkey alone opens. It helps on another device if the passkey is
              synced there, and not if the passkey is lost: keep the words too.
            </p>
            <Button
              className="justify-self-start"
              icon={<Icon name="shield" className="size-4" />}
              busy={copy.isPending}
              onClick={() => copy.mutate()}
            >
              Keep a sealed copy
            </Button>
            {copy.error && <ErrorState error={copy.error} />}
          </section>
        )}
      </div>
    </Dialog>
  );
}
