import { useState } from "react";
import { type Account, useAccount } from "@/accounts/state";
import type { JobDetail } from "@/api/types";
import { transact } from "@/chain/transactions";
import { BlockWhen } from "@/components/BlockWhen";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Field } from "@/components/ui/Field";
import { Amount, Facts } from "@/components/ui/Values";
import { formatOpen } from "@/lib/format";
import { isCancellable, isOver } from "@/training/words";
import { cancelPay, type OwnJob, readMoreTime, readRaise, useOwnJob } from "./owner.state";

interface Owned {
  id: number;
  own: OwnJob;
  owner: Account;
}

/** Offers more while the job waits. */
function RaiseForm({ id, own, owner }: Owned) {
  const { job } = own;
  const offered = job.price_per_token * job.token_ceiling;
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string>();
  return (
    <form
      noValidate
      className="grid content-start gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        const raise = readRaise(text, job);
        setProblem(raise.problem ?? undefined);
        if (raise.price === null) return;
        const { price, budget } = raise;
        void transact(owner, {
          title: `Offer more for run ${id}`,
          words: (
            <>
              Run {id} offers <Amount plancks={budget} /> for all its tokens instead of{" "}
              <Amount plancks={offered} />. It comes before jobs that pay less a token, and fits workers with
              a higher floor. It cannot be lowered again.
            </>
          ),
          held: raise.more,
          heldWords: "Held in addition; the worker is paid from it",
          build: (api) => api.tx.Training.raise_price({ job: BigInt(id), price_per_token: price }),
        }).then((done) => done && setText(""));
      }}
    >
      <Field
        label="Offer for all tokens"
        unit="OPEN"
        inputMode="decimal"
        autoComplete="off"
        value={text}
        error={problem}
        help={`It offers ${formatOpen(offered)} OPEN now.`}
        onChange={(event) => setText(event.target.value)}
      />
      <Button type="submit" className="justify-self-start">
        Offer more
      </Button>
    </form>
  );
}

/** Gives the job more time before there is a result. */
function MoreTimeForm({ id, own, owner }: Owned) {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string>();
  return (
    <form
      noValidate
      className="grid content-start gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        const { deadline, problem } = readMoreTime(text, own);
        setProblem(problem ?? undefined);
        if (deadline === null) return;
        void transact(owner, {
          title: `Give run ${id} more time`,
          words: (
            <>
              Run {id} has until <BlockWhen block={deadline} />. Slower workers may fit it then, and its
              budget is held for so long. It cannot be shortened again.
            </>
          ),
          build: (api) => api.tx.Training.extend_deadline({ job: BigInt(id), deadline }),
        }).then((done) => done && setText(""));
      }}
    >
      <Field
        label="More time"
        unit="hours"
        inputMode="decimal"
        autoComplete="off"
        value={text}
        error={problem}
        help="After the deadline that it has."
        onChange={(event) => setText(event.target.value)}
      />
      <Button type="submit" className="justify-self-start">
        Extend the deadline
      </Button>
    </form>
  );
}

function cancel({ id, own, owner }: Owned): void {
  const { job, windows, best } = own;
  const pay = cancelPay(job, windows, best);
  void transact(owner, {
    title: `Cancel run ${id}`,
    words:
      job.state.type === "Training" ? (
        <>
          The worker is paid for the share of the steps that it has shown, at most that of the time that its
          speed allows, and half of the price at most: about <Amount plancks={pay} /> in the next block. The
          rest of <Amount plancks={job.budget} /> is given back at once.
        </>
      ) : (
        <>
          No worker has begun, so nobody is paid and the whole budget of <Amount plancks={job.budget} /> is
          given back.
        </>
      ),
    // What the worker gets comes out of what is held.
    gained: job.budget - pay,
    gainedWords: "No longer held",
    build: (api) => api.tx.Training.cancel_job({ job: BigInt(id) }),
  });
}

function prune({ id, own, owner }: Owned): void {
  void transact(owner, {
    title: `Clear run ${id} away`,
    words: "The chain forgets it and gives its deposit back. It stays listed here.",
    gained: own.job.deposit,
    gainedWords: "No longer held",
    build: (api) => api.tx.Training.prune_job({ job: BigInt(id) }),
  });
}

/** What its owner can still do with a run. Nothing for anybody else, and where nothing is left to do. */
export function OwnerCard({ job }: { job: JobDetail }) {
  const owner = useAccount();
  const mine = owner !== null && owner.address === job.owner;
  const pruneable = !job.pruned && (job.state === "failed" || job.state === "cancelled");
  const alive = !isOver(job) && job.state !== "submitted";
  const own = useOwnJob(job.id, mine && (alive || pruneable)).data;
  if (!owner || !mine || !own || !(alive || pruneable)) return null;
  const owned = { id: job.id, own, owner };
  const queued = own.job.state.type === "Queued";
  return (
    <Card
      title="It is yours"
      about={
        pruneable
          ? "It came to nothing. You may clear it away at once; a day after its end anybody may, and the deposit is yours all the same."
          : "Until there is a result you can give it more time, and while it waits offer more."
      }
      actions={
        pruneable ? (
          <Button size="small" onClick={() => prune(owned)}>
            Get the deposit back
          </Button>
        ) : isCancellable(job) ? (
          <Button size="small" look="danger" onClick={() => cancel(owned)}>
            Cancel the run
          </Button>
        ) : undefined
      }
    >
      <div className="grid gap-5">
        <Facts
          facts={[
            ...(pruneable
              ? []
              : ([["Held for it", <Amount key="budget" plancks={own.job.budget} />]] as const)),
            ["Deposit", <Amount key="deposit" plancks={own.job.deposit} />],
            ...(own.job.state.type === "Training"
              ? ([
                  [
                    "Cancelling now would pay the worker",
                    <Amount key="pay" plancks={cancelPay(own.job, own.windows, own.best)} />,
                  ],
                ] as const)
              : []),
          ]}
        />
        {alive && (
          <div className="grid gap-5 border-t border-line pt-5 sm:grid-cols-2">
            {queued && <RaiseForm {...owned} />}
            <MoreTimeForm {...owned} />
          </div>
        )}
      </div>
    </Card>
  );
}
