import { useState } from "react";
import type { Account } from "@/accounts/state";
import { toast } from "@/app/toasts";
import { transact } from "@/chain/transactions";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Field } from "@/components/ui/Field";
import { AccountName } from "@/components/ui/Values";
import { formatOpen } from "@/lib/format";
import { readTransfer, type TransferText } from "./account.state";

/** Sends OPEN: from one's own page to anybody, from another's page to them. */
export function SendCard({ from, to }: { from: Account; to: string | undefined }) {
  const [text, setText] = useState<TransferText>({ to: to ?? "", amount: "" });
  const [problems, setProblems] = useState<Partial<Record<keyof TransferText, string>>>({});
  const send = async () => {
    const { transfer, problems } = readTransfer(text, from.address);
    setProblems(problems);
    if (!transfer) return;
    const result = await transact(from, {
      title: "Send OPEN",
      words: (
        <>
          Sends it to <AccountName account={transfer.to} />. Only its owner can send it back.
        </>
      ),
      build: (api) =>
        api.tx.Balances.transfer_keep_alive({
          dest: { type: "Id", value: transfer.to },
          value: transfer.amount,
        }),
      spent: transfer.amount,
    });
    if (!result) return;
    toast(`${formatOpen(transfer.amount)} OPEN sent`);
    setText({ to: to ?? "", amount: "" });
  };
  return (
    <Card title="Send OPEN" about={to ? `From your account ${from.name}.` : undefined}>
      <form
        noValidate
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        {to === undefined && (
          <Field
            label="To"
            spellCheck={false}
            autoComplete="off"
            className="font-mono"
            value={text.to}
            error={problems.to}
            onChange={(event) => setText({ ...text, to: event.target.value })}
          />
        )}
        <Field
          label="Amount"
          unit="OPEN"
          inputMode="decimal"
          autoComplete="off"
          value={text.amount}
          error={problems.amount ?? (to !== undefined ? problems.to : undefined)}
          onChange={(event) => setText({ ...text, amount: event.target.value })}
        />
        <Button type="submit" className="justify-self-start">
          Send
        </Button>
      </form>
    </Card>
  );
}
