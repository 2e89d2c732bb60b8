import { useState } from "react";
import type { Account } from "@/accounts/state";
import { transact } from "@/chain/transactions";
import { Button } from "@/components/ui/Button";
import { Field } from "@/components/ui/Field";
import { formatOpen } from "@/lib/format";
import { readMake, readName, type Terms } from "./pools";
import { followNextPool } from "./pools.state";

/** Makes a pool of the account's own, with a name, by one signature. */
export function MakePool({
  account,
  terms,
  deposit,
  free,
}: {
  account: Account;
  terms: Terms;
  deposit: bigint;
  free: bigint;
}) {
  const [text, setText] = useState("");
  const [title, setTitle] = useState("");
  const [problems, setProblems] = useState<{ amount?: string | undefined; name?: string | undefined }>({});
  const send = async () => {
    const { amount, problem } = readMake(text, { free, deposit, terms });
    const { name, problem: nameless } = readName(title);
    setProblems({ amount: problem, name: nameless });
    if (amount === null || name === null) return;
    const next = await followNextPool();
    const itself = { type: "Id", value: account.address } as const;
    const done = await transact(account, {
      title: "Make a pool",
      words: `Makes a nomination pool${name.length > 0 ? ` called “${title.trim()}”` : ""} of which you have all roles, with ${formatOpen(amount)} OPEN of yours. They stay on your account; ${formatOpen(terms.make)} of them leave the pool last, when it has ended. What is paid keeps its reward account alive and comes back then. It backs nobody before you choose validators.`,
      held: amount,
      heldWords: "Held; free again after you take it out",
      spent: deposit,
      build: (api) => {
        const roles = { root: itself, nominator: itself, bouncer: itself };
        const create = api.tx.NominationPools.create({ amount, ...roles });
        if (name.length === 0) return create;
        // Whoever made another pool meanwhile took this number: then the name is not this account's to give, and nothing is done.
        const call = api.tx.NominationPools.set_metadata({ pool_id: next.number(), metadata: name });
        return api.tx.Utility.batch_all({ calls: [create.decodedCall, call.decodedCall] });
      },
    });
    next.stop();
    if (!done) return;
    setText("");
    setTitle("");
  };
  return (
    <form
      noValidate
      className="grid gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <div className="grid gap-4 sm:grid-cols-2">
        <Field
          label="Begin it with"
          unit="OPEN"
          inputMode="decimal"
          autoComplete="off"
          help={`${formatOpen(terms.make)} OPEN at least; ${formatOpen(free, 4)} OPEN are free.`}
          value={text}
          error={problems.amount}
          onChange={(event) => setText(event.target.value)}
        />
        <Field
          label="Name"
          autoComplete="off"
          help="Shown beside its number; you may change it."
          value={title}
          error={problems.name}
          onChange={(event) => setTitle(event.target.value)}
        />
      </div>
      <Button type="submit" className="justify-self-start">
        Make it
      </Button>
    </form>
  );
}
