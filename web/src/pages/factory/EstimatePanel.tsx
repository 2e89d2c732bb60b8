import type { BaseModel, Account as ChainAccount } from "@/api/types";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Notice } from "@/components/ui/Notice";
import { Amount, NotYet } from "@/components/ui/Values";
import { formatBytes, formatCount, formatDuration, plural } from "@/lib/format";
import type { Estimate } from "@/training/estimate";
import type { Measured } from "./factory.state";

const LEAST_SECONDS = 1;

/** Steps, time, memory and money, while one decides. */
export function EstimatePanel({
  estimate,
  model,
  measured,
  ceiling,
  cheapest,
  workers,
  offer,
  deposit,
  account,
  problems,
  busy,
  onLaunch,
}: {
  /** Missing while no data is chosen; null until it is known how much there is. */
  estimate: Estimate | null | undefined;
  model: BaseModel | undefined;
  measured: Measured | null | undefined;
  ceiling: number | null;
  /** What the cheapest worker takes for the ceiling. */
  cheapest: bigint | null;
  /** How many would take it. */
  workers: number | undefined;
  /** What the job pays a token, and for the whole ceiling. */
  offer: { price: bigint; budget: bigint } | null;
  /** Held beside it, until the job's record is gone. */
  deposit: bigint | undefined;
  /** Null where none is chosen. */
  account: ChainAccount | null | undefined;
  /** What is in the way of a launch. */
  problems: readonly string[];
  busy: boolean;
  onLaunch: () => void;
}) {
  const seconds =
    measured && estimate ? Math.max(LEAST_SECONDS, estimate.trained / measured.tokensPerSecond) : null;
  const balance = account ? BigInt(account.balance) : null;
  const held = offer && deposit !== undefined ? offer.budget + deposit : null;
  const short = balance !== null && held !== null && held > balance;
  const without = estimate === null ? <NotYet /> : "–";
  const line = "flex items-baseline justify-between gap-4";
  const few = ceiling !== null && estimate && estimate.trained > ceiling;
  return (
    <Card title="Estimate" about="By a look at a few files; the worker's tokenizer decides.">
      <div className="grid gap-5">
        <dl className="grid gap-2.5 text-sm">
          <div className={line}>
            <dt className="text-soft">Examples</dt>
            <dd className="tabular text-right">
              {estimate ? (
                <>
                  {formatCount(estimate.examples - estimate.heldOut)}
                  <span className="text-soft"> + {formatCount(estimate.heldOut)} held out</span>
                </>
              ) : (
                without
              )}
            </dd>
          </div>
          <div className={line}>
            <dt className="text-soft">Steps</dt>
            <dd className="tabular font-semibold">{estimate ? formatCount(estimate.steps) : without}</dd>
          </div>
          <div className={line}>
            <dt className="text-soft">Tokens</dt>
            <dd className="tabular font-semibold">{estimate ? formatCount(estimate.trained) : without}</dd>
          </div>
          <div className={line}>
            <dt className="text-soft">Time</dt>
            <dd className="tabular text-right font-semibold">
              {!estimate ? (
                without
              ) : model && measured === undefined ? (
                <NotYet />
              ) : seconds === null || estimate.trained === 0 ? (
                <span className="font-normal text-soft">not known</span>
              ) : (
                `about ${formatDuration(seconds * 1000)}`
              )}
            </dd>
          </div>
          <div className={line}>
            <dt className="text-soft">Memory</dt>
            <dd className="tabular text-right font-semibold">
              {measured?.memory ? (
                `about ${formatBytes(measured.memory)}`
              ) : model ? (
                `above ${formatBytes(model.weightsSize)}`
              ) : (
                <span className="font-normal text-soft">not known</span>
              )}
            </dd>
          </div>
        </dl>
        <p className="-mt-2 text-xs text-soft">
          {measured
            ? `Time and memory as run ${measured.job} of this model and method had them, reported by its worker (examples of up to ${formatCount(measured.maxSeqLength)} tokens).`
            : model
              ? measured === null
                ? "No worker has reported a run of this model and method yet; memory is at least the weights."
                : "Whether a worker has reported a run of this model and method is not known yet."
              : "Choose a base model."}
        </p>
        <dl className="grid gap-2.5 border-t border-line pt-4 text-sm">
          <div className={line}>
            <dt className="text-soft">Cheapest worker</dt>
            <dd>
              {cheapest !== null ? (
                <Amount plancks={cheapest} />
              ) : workers === undefined || (workers > 0 && ceiling === null) ? (
                <NotYet />
              ) : (
                <span className="text-soft">none</span>
              )}
            </dd>
          </div>
          <div className={line}>
            <dt className="text-soft">You pay for a million tokens</dt>
            <dd>{offer === null ? "–" : <Amount plancks={offer.price * 1_000_000n} />}</dd>
          </div>
          <div className={line}>
            <dt className="text-soft">For the ceiling</dt>
            <dd className="font-semibold">{offer === null ? "–" : <Amount plancks={offer.budget} />}</dd>
          </div>
          <div className={line}>
            <dt className="text-soft">Deposit, comes back</dt>
            <dd>{deposit === undefined ? <NotYet /> : <Amount plancks={deposit} />}</dd>
          </div>
          <div className={line}>
            <dt className="text-soft">Held now</dt>
            <dd className="font-semibold">
              {held !== null ? <Amount plancks={held} /> : deposit === undefined ? <NotYet /> : "–"}
            </dd>
          </div>
          <div className={line}>
            <dt className="text-soft">Balance</dt>
            <dd>
              {balance !== null ? (
                <Amount plancks={balance} />
              ) : account === null ? (
                <span className="text-soft">no account</span>
              ) : (
                <NotYet />
              )}
            </dd>
          </div>
        </dl>
        {model && workers === 0 && (
          <Notice tone="warn" title="No worker offers this now">
            The job waits until one comes, or until its deadline. What you offer is held meanwhile.
          </Notice>
        )}
        {cheapest !== null && offer !== null && cheapest > offer.budget && (
          <Notice tone="warn" title="The offer is below the cheapest worker's floor">
            The job waits until one comes that takes it.
          </Notice>
        )}
        {estimate?.unseen && (
          <Notice tone="warn" title="Some of the data could not be looked at">
            It is taken for short questions and answers, which need the most tokens.
          </Notice>
        )}
        {few && (
          <Notice tone="warn" title="The token ceiling is below the estimate">
            The worker stops before it: some of the passes will be missing.
          </Notice>
        )}
        {short && (
          <Notice tone="bad" title="The balance does not cover offer and deposit">
            Lower the token ceiling or the offer, or get OPEN.
          </Notice>
        )}
        {problems.length > 0 && (
          <ul
            className="grid gap-1 text-sm text-soft"
            aria-label={`Before it can be launched: ${plural(problems.length, "thing")}`}
          >
            {problems.map((problem) => (
              <li key={problem}>· {problem}</li>
            ))}
          </ul>
        )}
        <Button look="primary" busy={busy} disabled={problems.length > 0 || short} onClick={onLaunch}>
          Launch
        </Button>
      </div>
    </Card>
  );
}
