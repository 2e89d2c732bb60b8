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
import {
  type ChainPool,
  chainTerms,
  type FundingText,
  readAmount,
  readTerms,
  type Terms,
  useChainPool,
  usePoolRules,
} from "./fund.state";

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
    <div className="grid gap-4 sm:grid-cols-2 lg:grid-cols-1">
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

function FundForm({
  datanet,
  pool,
  terms,
  rules,
}: {
  datanet: Datanet;
  pool: ChainPool;
  terms: Terms;
  rules: { minimum: bigint };
}) {
  const account = useAccount();
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState<string | undefined>();
  const { next_terms: next } = pool.rules;
  const fund = async () => {
    const { amount, problem } = readAmount(text, rules.minimum);
    setWrong(problem ?? undefined);
    if (!account || amount === null) return;
    const result = await transact(account, {
      title: "Pay into the pool",
      words: (
        <>
          Pays into the pool of “{datanet.name}”, for whoever earns points there. You get shares of it, which
          you can take out while funders may leave. <TermsWords terms={terms} />
          {next && (
            <>
              {" "}
              Other terms wait. <TermsWords terms={next} />
            </>
          )}
        </>
      ),
      // The rules on screen go along: the chain refuses if terms or curators changed meanwhile.
      build: (api) => api.tx.Leaderboard.fund({ datanet: datanet.id, amount, rules: pool.rules }),
      spent: amount,
    });
    if (result) setText("");
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
        value={text}
        error={wrong}
        help={`At least ${formatOpen(rules.minimum)} OPEN. What points earn does not come back.`}
        onChange={(event) => setText(event.target.value)}
      />
      <p className="text-sm text-soft">
        <TermsWords terms={terms} />
      </p>
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

function TermsForm({ datanet, current }: { datanet: Datanet; current: Terms | null }) {
  const account = useAccount();
  const [text, setText] = useState<FundingText>({
    amount: "",
    perPeriod: current ? formatOpen(current.per_period) : "",
    maxPerPoint: current ? formatOpen(current.max_per_point) : "",
  });
  const [problems, setProblems] = useState<Partial<Record<keyof FundingText, string>>>({});
  return (
    <form
      noValidate
      className="mt-4 grid gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        const { terms, problems } = readTerms(text);
        setProblems(problems);
        if (!account || !terms) return;
        void transact(account, {
          title: current ? "Change the pool’s terms" : "Set the pool’s terms",
          words: (
            <>
              {current &&
                "Once money is in the pool they wait for the notice and a full reward period, and funders may leave if they pay out faster. Points keep the terms of their period. "}
              <TermsWords terms={terms} />
            </>
          ),
          build: (api) => api.tx.Leaderboard.set_terms({ datanet: datanet.id, terms }),
        });
      }}
    >
      <TermsFields text={text} problems={problems} onChange={setText} />
      <Button type="submit" look={current ? "secondary" : "primary"} className="justify-self-start">
        {current ? "Change" : "Set the terms"}
      </Button>
    </form>
  );
}

/** Pays into a Datanet's pool; its owner says how fast it pays out. */
export function FundCard({ datanet }: { datanet: Datanet }) {
  const account = useAccount();
  const rules = usePoolRules();
  const pool = useChainPool(datanet.id, account?.address);
  const isOwner = account?.address === datanet.owner;
  return (
    <Card title="Fund it" about="Anybody may pay into the pool, for shares of it.">
      <Loaded query={rules}>
        {(known) => (
          <Loaded query={pool}>
            {({ pool }) => {
              const terms = chainTerms(pool);
              if (!pool || !terms) {
                return isOwner ? (
                  <>
                    <p className="text-sm text-soft">
                      Say how fast the pool pays out; then anybody may pay in. A reward period is{" "}
                      {formatCount(known.period)} blocks.
                    </p>
                    <TermsForm datanet={datanet} current={null} />
                  </>
                ) : (
                  <p className="text-sm text-soft">
                    The Datanet’s owner has not said yet how fast the pool pays out.
                  </p>
                );
              }
              return (
                <div className="grid gap-4">
                  <FundForm datanet={datanet} pool={pool} terms={terms} rules={known} />
                  {isOwner && (
                    <details className="border-t border-line pt-4">
                      <summary className="cursor-pointer text-sm font-medium">Change the terms</summary>
                      <TermsForm
                        key={`${terms.per_period}-${terms.max_per_point}`}
                        datanet={datanet}
                        current={terms}
                      />
                    </details>
                  )}
                </div>
              );
            }}
          </Loaded>
        )}
      </Loaded>
    </Card>
  );
}
