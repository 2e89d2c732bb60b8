import { type Account, useAccount } from "@/accounts/state";
import type { Dispute, JobDetail } from "@/api/types";
import { transact } from "@/chain/transactions";
import { BlockWhen } from "@/components/BlockWhen";
import { Badge } from "@/components/ui/Badge";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { AccountName, Amount, Facts } from "@/components/ui/Values";
import { shown, standing, until, useDispute, useDisputeRules, wasDisputed } from "@/training/dispute";

function dispute(account: Account, job: number, bond: bigint): void {
  void transact(account, {
    title: `Dispute the result of run ${job}`,
    words: (
      <>
        Three workers that are drawn measure the adapter again. If two find it wrong, its worker is not paid
        and your <Amount plancks={bond} /> come back. If two find that it holds, those who found so are paid
        out of them and you lose them. If no two agree, you get back what those drawn are not paid.
      </>
    ),
    held: bond,
    heldWords: "Held until the dispute ends; lost if the result holds",
    build: (api) => api.tx.Training.dispute({ job: BigInt(job) }),
  });
}

/** Whether a result may still be disputed, and its dispute from the opening to the end. */
export function DisputeCard({ job }: { job: JobDetail }) {
  const disputed = wasDisputed(job);
  const found = useDispute(job).data;
  if (disputed) return found ? <Shown dispute={found} /> : null;
  return job.state === "submitted" ? <Open job={job} /> : null;
}

function Open({ job }: { job: JobDetail }) {
  const account = useAccount();
  const rules = useDisputeRules(true).data;
  const own = account !== null && account.address === job.worker;
  return (
    <Card
      title="Is it what was paid for?"
      about={
        <>
          Until the worker is paid anybody may dispute the result
          {rules && (
            <>
              {" "}
              with <Amount plancks={rules.bond} />
            </>
          )}
          . <code>trainer-worker verify {job.id}</code> says beforehand what would be found.
        </>
      }
      actions={
        account && rules && !own ? (
          <Button size="small" look="danger" onClick={() => dispute(account, job.id, rules.bond)}>
            Dispute the result
          </Button>
        ) : undefined
      }
    >
      <Facts
        facts={[
          [
            "The worker is paid in",
            job.due === null ? "some blocks" : <BlockWhen key="due" block={job.due} />,
          ],
          ...(account ? [] : [["To dispute it", "choose an account first"] as const]),
        ]}
      />
    </Card>
  );
}

function Shown({ dispute }: { dispute: Dispute }) {
  const over = dispute.outcome !== null;
  const rules = useDisputeRules(!over).data;
  const { label, tone, means } = standing(dispute);
  const last = until(dispute, rules);
  return (
    <Card title="Dispute" about={means} actions={<Badge tone={tone}>{label}</Badge>}>
      <Facts
        facts={[
          ["Disputed by", <AccountName key="disputer" account={dispute.disputer} />],
          ["At stake", <Amount key="bond" plancks={dispute.bond} />],
          ...(last === null ? [] : [["Until", <BlockWhen key="until" block={last} />] as const]),
          ...dispute.verifiers.map(
            (verifier) =>
              [
                "Judged by",
                <span key={verifier.worker}>
                  <AccountName account={verifier.worker} /> {shown(verifier)}
                  {verifier.paid && (
                    <>
                      , paid <Amount plancks={verifier.paid} />
                    </>
                  )}
                </span>,
              ] as const,
          ),
          ...(dispute.penalty
            ? [["The worker lost", <Amount key="penalty" plancks={dispute.penalty} />] as const]
            : []),
          ...(dispute.returned
            ? [["Back to who disputed", <Amount key="returned" plancks={dispute.returned} />] as const]
            : []),
        ]}
      />
    </Card>
  );
}
