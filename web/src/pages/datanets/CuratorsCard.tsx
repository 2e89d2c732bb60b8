import { useState } from "react";
import { type Account, useAccount } from "@/accounts/state";
import type { Datanet } from "@/api/types";
import { transact } from "@/chain/transactions";
import { Button, ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Notice } from "@/components/ui/Notice";
import { AccountName, Amount, Facts } from "@/components/ui/Values";
import { formatCount, plural } from "@/lib/format";
import { useRules } from "@/review/committee";
import { BudgetForm, CommitteeForm, TermsForm } from "./CommitteeForms";

import { sayThreshold, useBudget } from "./datanet.state";
import { CuratorsFields } from "./JudgesFields";
import { filePrice, filesAtATime, readPolicy } from "./judges.state";

/** Where the owner names other curators. */
function PolicyForm({ datanet, owner }: { datanet: Datanet; owner: Account }) {
  const [text, setText] = useState({
    curators: datanet.curators.join("\n") || owner.address,
    threshold: String(Math.max(1, datanet.threshold)),
  });
  const [problems, setProblems] = useState<{ curators?: string; threshold?: string }>({});
  return (
    <details className="border-t border-line pt-4">
      <summary className="cursor-pointer text-sm font-medium">
        {datanet.committee === null ? "Name other curators" : "Name curators instead"}
      </summary>
      <form
        noValidate
        className="mt-4 grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          const { policy, problems } = readPolicy(text);
          setProblems(problems);
          if (!policy) return;
          void transact(owner, {
            title: "Name other curators",
            words: (
              <>
                {sayThreshold(policy.threshold, policy.curators.length)} on “{datanet.name}”: from now on, or,
                where money is in the pool, after the notice and a full reward period, in which its funders
                may leave. What was decided stays decided. Votes of whom you leave out no longer count.
              </>
            ),
            build: (api) =>
              api.tx.Review.set_policy({
                datanet: datanet.id,
                policy: {
                  type: "Curators",
                  value: { members: policy.curators, threshold: policy.threshold },
                },
              }),
          });
        }}
      >
        <CuratorsFields
          {...text}
          problems={problems}
          onChange={(change) => setText({ ...text, ...change })}
        />
        <Button type="submit" className="justify-self-start">
          Change
        </Button>
      </form>
    </details>
  );
}

/** Where a curator leaves. */
function Resign({ datanet, curator }: { datanet: Datanet; curator: Account }) {
  const left = datanet.curators.length - 1;
  if (left === 0) {
    return (
      <p className="border-t border-line pt-4 text-sm text-soft">
        You are the last curator, and leave when the owner has named another one.
      </p>
    );
  }
  return (
    <div className="border-t border-line pt-4">
      <Button
        size="small"
        onClick={() =>
          void transact(curator, {
            title: "Resign as a curator",
            words: `You decide on “${datanet.name}” no longer, at once; only its owner can name you again. ${sayThreshold(Math.min(datanet.threshold, left), left)} from then on. Your votes on what still waits no longer count.`,
            build: (api) => api.tx.Review.resign({ datanet: datanet.id }),
          })
        }
      >
        Resign
      </Button>
    </div>
  );
}

/** That committees of strangers judge, and where one becomes a reviewer. */
function CommitteeCard({ datanet }: { datanet: Datanet }) {
  const account = useAccount();
  const own = datanet.committee === "datanet";
  const budget = useBudget(datanet.id).data;
  const rules = useRules().data;
  return (
    <Card
      title="Who decides"
      about="Committees drawn by chance from reviewers’ bonded seats. Nobody names them, and nobody sees a vote before all are cast."
      actions={
        <ButtonLink href={`/committees?tab=all&datanet=${datanet.id}`} size="small">
          Its draws
        </ButtonLink>
      }
    >
      <div className="grid gap-4">
        <Facts
          facts={[
            ["Drawn from", own ? "seats for this Datanet alone" : `seats for ${datanet.modality} files`],
            [
              "Acceptances count",
              own
                ? "on this board alone: its reviewers are its own"
                : "on this board, and over all Datanets once enough accounts have seats",
            ],
            ...(budget && rules
              ? ([
                  [
                    "Review budget",
                    <span key="budget">
                      <Amount plancks={budget.budget.available} /> pay for{" "}
                      {plural(budget.budget.available / filePrice(rules), "file")}
                    </span>,
                  ],
                  [
                    "Files before committees",
                    `${formatCount(budget.terms.files_a_day)} a day, of one account ${budget.terms.share} % of them, and ${plural(filesAtATime(budget, rules), "file")} at a time`,
                  ],
                ] as const)
              : []),
          ]}
        />
        {budget && rules && budget.budget.available < filePrice(rules) && (
          <Notice tone="warn" title="The review budget pays for no file">
            It takes no files until its owner pays in.
          </Notice>
        )}
        <div className="border-t border-line pt-4 text-sm">
          <p className="text-soft">Anybody may become a reviewer by bonding a seat.</p>
          <ButtonLink
            href={`/committees?tab=seats&pool=${own ? datanet.id : datanet.modality}`}
            size="small"
            className="mt-2"
          >
            Become a reviewer
          </ButtonLink>
        </div>
        {account?.address === datanet.owner && (
          <>
            {budget && <BudgetForm datanet={datanet} owner={account} available={budget.budget.available} />}
            {budget && (
              <TermsForm
                key={`${budget.terms.files_a_day}-${budget.terms.share}`}
                datanet={datanet}
                owner={account}
                terms={budget.terms}
              />
            )}
            <CommitteeForm key={datanet.committee} datanet={datanet} owner={account} />
            <PolicyForm datanet={datanet} owner={account} />
          </>
        )}
      </div>
    </Card>
  );
}

/** Who judges a Datanet's submissions, and who names them. */
export function CuratorsCard({ datanet }: { datanet: Datanet }) {
  return datanet.committee === null ? <NamedCard datanet={datanet} /> : <CommitteeCard datanet={datanet} />;
}

/** Curators whom the owner named. */
function NamedCard({ datanet }: { datanet: Datanet }) {
  const account = useAccount();
  const { curators, threshold, owner } = datanet;
  return (
    <Card
      title="Who decides"
      about={`Curators whom the owner named. ${sayThreshold(threshold, curators.length)}.`}
    >
      <div className="grid gap-4">
        <ul className="grid gap-2">
          {curators.map((curator) => (
            <li key={curator}>
              <AccountName account={curator} />
            </li>
          ))}
        </ul>
        <div className="border-t border-line pt-4 text-sm">
          <p className="text-soft">
            The owner named them, so what they accept counts on this Datanet’s board alone, and not over all
            Datanets. Others wait where money is in the pool, so that funders can leave. To become one, ask
            the owner:
          </p>
          <div className="mt-2">
            <AccountName account={owner} />
          </div>
        </div>
        {account && curators.includes(account.address) && <Resign datanet={datanet} curator={account} />}
        {account?.address === owner && (
          <>
            <PolicyForm key={`${curators.join()}-${threshold}`} datanet={datanet} owner={account} />
            <CommitteeForm datanet={datanet} owner={account} />
          </>
        )}
      </div>
    </Card>
  );
}
