import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import type { BrowserKey } from "@/accounts/keys";
import { passkeysPossible } from "@/accounts/passkey";
import { toast } from "@/app/toasts";
import { Button } from "@/components/ui/Button";
import { Dialog } from "@/components/ui/Dialog";
import { Field, TextField } from "@/components/ui/Field";
import { ErrorState } from "@/components/ui/States";
import { keep, NoPrfError, type Sealing } from "./keys.state";
import { SealingFields } from "./SealingFields";

type From = "new" | "words" | "file";

const titles: Record<From, string> = {
  new: "Make a key in this browser",
  words: "Restore a key from its words",
  file: "Restore a key from its file",
};

/** Makes or restores a key, and keeps it sealed in this browser. */
export default function NewKeyDialog({
  from,
  onDone,
  onClose,
}: {
  from: From;
  onDone: (key: BrowserKey) => void;
  onClose: () => void;
}) {
  const [name, setName] = useState("");
  const [words, setWords] = useState("");
  const [file, setFile] = useState<File | null>(null);
  const [filePassword, setFilePassword] = useState("");
  const [sealing, setSealing] = useState<Sealing>(() =>
    passkeysPossible() ? { by: "passkey" } : { by: "password", password: "" },
  );
  const make = useMutation({
    mutationFn: async () => {
      const { fromWords, generate } = await import("@/accounts/secret");
      if (from === "new") return keep(await generate(), name.trim(), sealing, false);
      if (from === "words") return keep(await fromWords(words), name.trim(), sealing, true);
      const { readKeyFile } = await import("@/accounts/keyFile");
      const read = await readKeyFile((await file?.text()) ?? "", filePassword);
      return keep(read, name.trim() || read.name || "Restored", sealing, true);
    },
    onSuccess: (key) => {
      toast(`You act as ${key.name} now`);
      onDone(key);
    },
    onError: (error) => {
      if (error instanceof NoPrfError) setSealing({ by: "password", password: "" });
    },
  });
  return (
    <Dialog
      open
      onClose={onClose}
      title={titles[from]}
      about={
        from === "new"
          ? "A random key is made here, and sealed before it is kept. It never leaves this browser unsealed."
          : "Only this browser reads it; it is sealed before it is kept."
      }
      actions={
        <>
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button look="primary" type="submit" form="new-key" busy={make.isPending}>
            {from === "new" ? "Make the key" : "Restore"}
          </Button>
        </>
      }
    >
      <form
        id="new-key"
        className="grid gap-5"
        onSubmit={(event) => {
          event.preventDefault();
          make.mutate();
        }}
      >
        {from === "words" && (
          <TextField
            label="Recovery phrase"
            required
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            help="12 to 24 words in their order, with spaces between."
            value={words}
            onChange={(event) => setWords(event.target.value)}
          />
        )}
        {from === "file" && (
          <>
            <Field
              label="Key file"
              type="file"
              accept=".json,application/json"
              required
              help="The .json file that this app or a wallet saved."
              onChange={(event) => setFile(event.target.files?.[0] ?? null)}
            />
            <Field
              label="Password of the file"
              type="password"
              autoComplete="off"
              value={filePassword}
              onChange={(event) => setFilePassword(event.target.value)}
            />
          </>
        )}
        <Field
          label="Name"
          required={from !== "file"}
          maxLength={40}
          placeholder="Ada"
          autoComplete="off"
          help="How it is called in this browser; nobody else sees it."
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <SealingFields sealing={sealing} onChange={setSealing} />
        {make.error && <ErrorState error={make.error} />}
      </form>
    </Dialog>
  );
}
