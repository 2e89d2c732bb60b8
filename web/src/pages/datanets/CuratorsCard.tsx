import { useState } from "react";
import { type Account, useAccount } from "@/accounts/state";
import type { Datanet } from "@/api/types";
import { transact } from "@/chain/transactions";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Field, TextField } from "@/components/ui/Field";
import { AccountName } from "@/components/ui/Values";
import { MAX_CURATORS, readPolicy } from "./create.state";
import { sayThreshold } from "./datanet.state";

/** Where the owner names other curators. */
function PolicyForm({ datanet, owner }: { datanet: Datanet; owner: Account }) {
  const [text, setText] = useState({
    curators: datanet.curators.join("\n"),
    threshold: String(datanet.threshold),
  });
  const [problems, setProblems] = useState<{ curators?: string; threshold?: string }>({});
  return (
    <details className="border-t border-line pt-4">
      <summary className="cursor-pointer text-sm font-medium">Name other curators</summary>
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
        <TextField
          label="Curators"
          help={`An account a line, at most ${MAX_CURATORS}.`}
          rows={4}
          spellCheck={false}
          autoComplete="off"
          className="font-mono"
          value={text.curators}
          error={problems.curators}
          onChange={(event) => setText({ ...text, curators: event.target.value })}
        />
        <Field
          label="How many must agree"
          inputMode="numeric"
          autoComplete="off"
          value={text.threshold}
          error={problems.threshold}
          onChange={(event) => setText({ ...text, threshold: event.target.value })}
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

/** Who judges a Datanet's submissions, and who names them. */
export function CuratorsCard({ datanet }: { datanet: Datanet }) {
  const account = useAccount();
  const { curators, threshold, owner } = datanet;
  return (
    <Card title="Who decides" about={`${sayThreshold(threshold, curators.length)}.`}>
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
            The owner names the curators. Others wait where money is in the pool, so that funders can leave.
            To become one, ask the owner:
          </p>
          <div className="mt-2">
            <AccountName account={owner} />
          </div>
        </div>
        {account && curators.includes(account.address) && <Resign datanet={datanet} curator={account} />}
        {account?.address === owner && (
          <PolicyForm key={`${curators.join()}-${threshold}`} datanet={datanet} owner={account} />
        )}
      </div>
    </Card>
  );
}
