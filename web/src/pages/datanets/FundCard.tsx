import { useState } from "react";
import { useAccount } from "@/accounts/state";
import type { Datanet } from "@/api/types";
import { transact } from "@/chain/transactions";
import { Button, ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Field } from "@/components/ui/Field";
import { Loaded } from "@/components/ui/States";
import { Amount } from "@/components/ui/Values";
import { formatCount, formatOpen } from "@/lib/format";
import { type FundingText, readAmount, readTerms, type Terms, termsOf, usePoolRules } from "./fund.state";

function TermsFields({
  text,
  problems,
  onChange,
}: {
  text: FundingText;
  problems: Partial<Record<keyof FundingText, string>>;
  onChange: (text: FundingText) => void;
}) {
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <Field
        label="Most for a reward period"
        unit="OPEN"
        inputMode="decimal"
        autoComplete="off"
        value={text.perPeriod}
        error={problems.perPeriod}
        onChange={(event) => onChange({ ...text, perPeriod: event.target.value })}
      />
      <Field
        label="Most for one point"
        unit="OPEN"
        inputMode="decimal"
        autoComplete="off"
        value={text.maxPerPoint}
        error={problems.maxPerPoint}
        onChange={(event) => onChange({ ...text, maxPerPoint: event.target.value })}
      />
    </div>
  );
}

function TermsWords({ terms }: { terms: Terms }) {
  return (
    <>
      It pays at most <Amount plancks={terms.per_period} most={18} /> for a reward period, and at most{" "}
      <Amount plancks={terms.max_per_point} most={18} /> for one point.
    </>
  );
}

function FundForm({ datanet, rules }: { datanet: Datanet; rules: { minimum: bigint; period: number } }) {
  const account = useAccount();
  const current = termsOf(datanet.pool);
  const [text, setText] = useState<FundingText>({ amount: "", perPeriod: "", maxPerPoint: "" });
  const [problems, setProblems] = useState<Partial<Record<keyof FundingText, string>>>({});
  const fund = async () => {
    if (!account) return;
    const { amount, problem } = readAmount(text.amount, rules.minimum);
    const typed = current ? { terms: current, problems: {} } : readTerms(text);
    setProblems({ ...typed.problems, ...(problem ? { amount: problem } : {}) });
    const { terms } = typed;
    if (amount === null || !terms) return;
    const result = await transact(account, {
      title: "Pay into the pool",
      words: (
        <>
          Pays into the pool of “{datanet.name}”, for whoever earns points there. What is paid in does not
          come back. <TermsWords terms={terms} />
        </>
      ),
      // The terms on screen go along: the chain refuses if the owner changed them meanwhile.
      build: (api) => api.tx.Leaderboard.fund({ datanet: datanet.id, amount, terms }),
      spent: amount,
    });
    if (result) setText({ amount: "", perPeriod: "", maxPerPoint: "" });
  };
  return (
    <form
      noValidate
      className="grid gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        void fund();
      }}
    >
      <Field
        label="Amount"
        unit="OPEN"
        inputMode="decimal"
        autoComplete="off"
        value={text.amount}
        error={problems.amount}
        help={`At least ${formatOpen(rules.minimum)} OPEN. It does not come back.`}
        onChange={(event) => setText({ ...text, amount: event.target.value })}
      />
      {current ? (
        <p className="text-sm text-soft">
          <TermsWords terms={current} />
        </p>
      ) : (
        <>
          <p className="text-sm text-soft">
            The first payment says how fast the pool pays out. A reward period is {formatCount(rules.period)}{" "}
            blocks. Later only the Datanet’s owner may change it.
          </p>
          <TermsFields text={text} problems={problems} onChange={setText} />
        </>
      )}
      {account ? (
        <Button type="submit" look="primary" className="justify-self-start">
          Fund the pool
        </Button>
      ) : (
        <ButtonLink href="/accounts" className="justify-self-start">
          Choose an account to fund it
        </ButtonLink>
      )}
    </form>
  );
}

function TermsForm({ datanet, current }: { datanet: Datanet; current: Terms }) {
  const account = useAccount();
  const [text, setText] = useState<FundingText>({
    amount: "",
    perPeriod: formatOpen(current.per_period),
    maxPerPoint: formatOpen(current.max_per_point),
  });
  const [problems, setProblems] = useState<Partial<Record<keyof FundingText, string>>>({});
  return (
    <details className="border-t border-line pt-4">
      <summary className="cursor-pointer text-sm font-medium">Change the terms</summary>
      <form
        noValidate
        className="mt-4 grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          const { terms, problems } = readTerms(text);
          setProblems(problems);
          if (!account || !terms) return;
          void transact(account, {
            title: "Change the pool’s terms",
            words: (
              <>
                From the current reward period on. Periods that have ended keep the old terms.{" "}
                <TermsWords terms={terms} />
              </>
            ),
            build: (api) => api.tx.Leaderboard.set_terms({ datanet: datanet.id, terms }),
          });
        }}
      >
        <TermsFields text={text} problems={problems} onChange={setText} />
        <Button type="submit" className="justify-self-start">
          Change
        </Button>
      </form>
    </details>
  );
}

/** Pays into a Datanet's pool; its owner may also say how fast it pays out. */
export function FundCard({ datanet }: { datanet: Datanet }) {
  const account = useAccount();
  const rules = usePoolRules();
  const current = termsOf(datanet.pool);
  return (
    <Card title="Fund it" about="Anybody may pay into the pool.">
      <Loaded query={rules}>
        {(known) => (
          <div className="grid gap-4">
            <FundForm datanet={datanet} rules={known} />
            {current && account?.address === datanet.owner && (
              <TermsForm
                key={`${current.per_period}-${current.max_per_point}`}
                datanet={datanet}
                current={current}
              />
            )}
          </div>
        )}
      </Loaded>
    </Card>
  );
}
