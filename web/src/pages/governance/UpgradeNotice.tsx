import { useRef, useState } from "react";
import type { Account } from "@/accounts/state";
import type { TransactionResult } from "@/chain/transactions";
import { transact } from "@/chain/transactions";
import { Button } from "@/components/ui/Button";
import { Notice } from "@/components/ui/Notice";
import { Copyable } from "@/components/ui/Values";
import { blobProblem } from "./propose";
import { useAuthorized } from "./propose.state";

const refused = ({ events }: TransactionResult) =>
  events.some(({ type, value }) => type === "System" && value.type === "RejectedInvalidAuthorizedUpgrade");

/** A runtime that was decided on, and where anybody sends its blob. Nothing where there is none. */
export function UpgradeNotice({ account }: { account: Account | null }) {
  const hash = useAuthorized().data;
  const chosen = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState<string>();
  if (!hash) return null;
  const send = async (by: Account, file: File) => {
    const code = new Uint8Array(await file.arrayBuffer());
    const wrong = blobProblem(code, hash);
    setProblem(wrong);
    if (wrong) return;
    await transact(by, {
      title: "Upgrade the runtime",
      words: `Sends ${file.name}, whose hash is the one that was decided on. The chain takes it if its name is the chain’s and its version higher.`,
      free: "comes back, for the right blob",
      outcome: (result) =>
        refused(result) ? (
          <Notice tone="bad" alert title="The chain refused the blob">
            It is no runtime of this chain, or of no higher version. Nothing was changed.
          </Notice>
        ) : (
          <Notice tone="good" title="The chain has its new runtime">
            It runs from the next block on.
          </Notice>
        ),
      build: (api) => api.tx.System.apply_authorized_upgrade({ code }),
    });
  };
  return (
    <Notice
      title="An upgrade was decided on, and its blob is to be sent"
      actions={
        account && (
          <>
            <Button size="small" onClick={() => chosen.current?.click()}>
              Send the blob
            </Button>
            <input
              ref={chosen}
              type="file"
              accept=".wasm"
              aria-label="Blob of the new runtime"
              className="sr-only"
              tabIndex={-1}
              onChange={(event) => {
                const file = event.target.files?.[0];
                if (file) void send(account, file);
                event.target.value = "";
              }}
            />
          </>
        )
      }
    >
      Anybody may send it: no other blob is taken than that of the hash{" "}
      <Copyable text={hash} what="hash of the runtime" />
      {problem && (
        <span role="alert" className="mt-1 block text-xs font-medium text-bad">
          {problem}
        </span>
      )}
    </Notice>
  );
}
