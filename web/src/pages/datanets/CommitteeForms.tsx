import { useState } from "react";
import type { Account } from "@/accounts/state";
import type { Datanet } from "@/api/types";
import { transact } from "@/chain/transactions";
import { Button } from "@/components/ui/Button";
import { Field, SelectField } from "@/components/ui/Field";
import { formatOpen, parseOpen, plural } from "@/lib/format";
import { TermsFields } from "./JudgesFields";
import { readTerms } from "./judges.state";

interface Owned {
  datanet: Datanet;
  owner: Account;
}

/** Where the owner has committees judge, or changes the seats that they are drawn from. */
export function CommitteeForm({ datanet, owner }: Owned) {
  const [own, setOwn] = useState(datanet.committee === "datanet" ? "own" : "modality");
  return (
    <details className="border-t border-line pt-4">
      <summary className="cursor-pointer text-sm font-medium">
        {datanet.committee === null ? "Have committees judge" : "Draw them from other seats"}
      </summary>
      <form
        noValidate
        className="mt-4 grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          void transact(owner, {
            title: "Have committees judge",
            words: `Committees drawn from ${own === "own" ? "seats for this Datanet alone" : `the seats for ${datanet.modality} files`} judge “${datanet.name}”: from now on, or, where money is in the pool, after the notice and a full reward period. They are paid from its review budget, which you pay into.`,
            build: (api) =>
              api.tx.Review.set_policy({
                datanet: datanet.id,
                policy: { type: "Committee", value: { own_seats: own === "own" } },
              }),
          });
        }}
      >
        <SelectField
          label="Drawn from"
          value={own}
          onChange={(event) => setOwn(event.target.value)}
          options={[
            { value: "modality", label: `the seats for ${datanet.modality} files` },
            { value: "own", label: "seats for this Datanet alone" },
          ]}
          help="Only what committees of a kind’s many reviewers accept counts over all Datanets."
        />
        <Button type="submit" className="justify-self-start">
          Change
        </Button>
      </form>
    </details>
  );
}

/** Where the owner pays into the review budget, or takes back what no draw needs. */
export function BudgetForm({ datanet, owner, available }: Owned & { available: bigint }) {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string>();
  const send = (back: boolean) => {
    const amount = parseOpen(text);
    if (amount === null || amount === 0n) return setProblem("Write an amount of OPEN, such as 25 or 0.5.");
    if (back && amount > available) return setProblem(`${formatOpen(available)} OPEN can be taken back.`);
    setProblem(undefined);
    void transact(owner, {
      title: back ? "Take back from the review budget" : "Pay into the review budget",
      words: back
        ? "What no draw needs comes back to you."
        : `It pays the committees that judge “${datanet.name}”. What no draw needs can be taken back.`,
      ...(back ? { gained: amount } : { spent: amount }),
      build: (api) =>
        back
          ? api.tx.Review.take_back({ datanet: datanet.id, amount })
          : api.tx.Review.fund_budget({ datanet: datanet.id, amount }),
    }).then((done) => done && setText(""));
  };
  return (
    <form
      noValidate
      className="grid gap-3 border-t border-line pt-4"
      onSubmit={(event) => {
        event.preventDefault();
        send(false);
      }}
    >
      <Field
        label="Review budget"
        unit="OPEN"
        inputMode="decimal"
        autoComplete="off"
        value={text}
        error={problem}
        onChange={(event) => setText(event.target.value)}
      />
      <div className="flex flex-wrap gap-2">
        <Button type="submit">Pay in</Button>
        <Button look="quiet" onClick={() => send(true)}>
          Take back
        </Button>
      </div>
    </form>
  );
}

/** Where the owner says how many files a day the review budget pays for. */
export function TermsForm({
  datanet,
  owner,
  terms,
}: Owned & { terms: { files_a_day: number; share: number } }) {
  const [text, setText] = useState({ filesADay: String(terms.files_a_day), share: String(terms.share) });
  const [problems, setProblems] = useState<{ filesADay?: string; share?: string }>({});
  return (
    <details className="border-t border-line pt-4">
      <summary className="cursor-pointer text-sm font-medium">Limit files before committees</summary>
      <form
        noValidate
        className="mt-4 grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          const { terms: read, problems } = readTerms(text);
          setProblems(problems);
          if (!read) return;
          void transact(owner, {
            title: "Limit files before committees",
            words: `Committees are drawn for ${plural(read.files_a_day, "file")} of “${datanet.name}” a UTC day, of one account ${read.share} % of them, rounded up. It counts at once.`,
            build: (api) => api.tx.Review.set_budget_terms({ datanet: datanet.id, terms: read }),
          });
        }}
      >
        <TermsFields {...text} problems={problems} onChange={(change) => setText({ ...text, ...change })} />
        <Button type="submit" className="justify-self-start">
          Set the limit
        </Button>
      </form>
    </details>
  );
}
