import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { getSigner } from "@/accounts/signing";
import { queryClient } from "@/api/queryClient";
import { announce } from "@/app/announce";
import { toast } from "@/app/toasts";
import { Button } from "@/components/ui/Button";
import { Dialog } from "@/components/ui/Dialog";
import { Icon } from "@/components/ui/Icon";
import { Notice } from "@/components/ui/Notice";
import { Spinner } from "@/components/ui/Spinner";
import { AccountName, Amount, Copyable } from "@/components/ui/Values";
import { classes } from "@/lib/classes";
import { formatCount } from "@/lib/format";
import { getChain } from "./client";
import { describeFailure } from "./errors";
import { follow, type Stage, type Watchable } from "./follow";
import { type Pending, pending } from "./transactions";

interface Estimate {
  fee: bigint;
  free: bigint;
}

type Made = Watchable & { getEstimatedFees(from: string): Promise<bigint> };

/** What it costs, and what the account has. */
function useEstimate({ request, account }: Pending) {
  return useQuery<Estimate>({
    queryKey: ["transaction", account.address, request.title],
    gcTime: 0,
    staleTime: 0,
    retry: 1,
    queryFn: async () => {
      const { api } = getChain();
      const call = request.build(api) as unknown as Made;
      const [fee, holdings] = await Promise.all([
        request.free ? 0n : call.getEstimatedFees(account.address),
        api.query.System.Account.getValue(account.address, { at: "best" }),
      ]);
      return { fee, free: holdings.data.free };
    },
  });
}

/** What no transaction changes: the gateway's settings, and what was estimated for this one. */
const kept: readonly unknown[] = ["config", "transaction"];

const steps = [
  ["signing", "Signed"],
  ["sent", "Sent"],
  ["inBlock", "In a block"],
  ["finalised", "Final"],
] as const;
const doing: Record<string, string> = {
  signing: "Waiting for your signature",
  sent: "Waiting for a block, about 3 seconds",
  inBlock: "In a block; final in some seconds",
  finalised: "Done, and final",
};

function Steps({ stage }: { stage: Stage }) {
  const reached = steps.findIndex(([at]) => at === stage.at);
  return (
    <ol className="grid gap-3" aria-label="Progress of the transaction">
      {steps.map(([at, title], n) => {
        const done = n < reached || stage.at === "finalised" || (at === "inBlock" && stage.at === "inBlock");
        const now = n === reached && !done;
        return (
          <li key={at} className={classes("flex items-center gap-3 text-sm", !done && !now && "text-soft")}>
            <span
              className={classes(
                "grid size-6 shrink-0 place-items-center rounded-full border",
                done ? "border-good/40 bg-good-soft text-good" : "border-line text-accent",
              )}
            >
              {done ? (
                <Icon name="check" className="size-3.5" />
              ) : now ? (
                <Spinner className="size-3.5" />
              ) : null}
            </span>
            <span className={classes(now && "font-medium")}>{title}</span>
            {at === "inBlock" && "result" in stage && (
              <span className="tabular text-soft">{formatCount(stage.result.block.number)}</span>
            )}
          </li>
        );
      })}
    </ol>
  );
}

function Row({ name, children, strong }: { name: string; children: ReactNode; strong?: boolean }) {
  return (
    <div className={classes("flex items-center justify-between gap-4 text-sm", strong && "font-medium")}>
      <dt className={classes(!strong && "text-soft")}>{name}</dt>
      <dd className="text-right">{children}</dd>
    </div>
  );
}

/** One transaction, from what it costs to its block being final. */
export default function TransactionDialog({ pending: shown }: { pending: Pending }) {
  const { request, account } = shown;
  const [stage, setStage] = useState<Stage | null>(null);
  const following = useRef<{ unsubscribe(): void } | null>(null);
  const closed = useRef(false);
  const begun = useRef<Pending | null>(null);
  const estimate = useEstimate(shown);

  const cost = (estimate.data?.fee ?? 0n) + (request.held ?? 0n) + (request.spent ?? 0n);
  const short = estimate.data !== undefined && cost > estimate.data.free;
  const running = stage !== null && stage.at !== "failed" && stage.at !== "finalised";

  const close = () => {
    closed.current = true;
    if (stage === null || stage.at === "failed" || stage.at === "signing") {
      following.current?.unsubscribe();
      shown.settle(null);
    }
    pending.set((now) => (now === shown ? null : now));
  };

  const tell = (next: Stage) => {
    setStage(next);
    if (next.at === "failed") {
      if (closed.current) {
        toast(`${request.title}: ${next.problem.title}`, "bad");
        shown.settle(null);
      } else {
        announce(next.problem.title);
      }
      return;
    }
    if (!closed.current) announce(doing[next.at] ?? "");
    if (next.at === "inBlock" || next.at === "finalised") {
      if (request.followed && !closed.current) {
        // The next one follows its own transaction; of this one the dialog wants to hear no more.
        following.current?.unsubscribe();
        shown.makesWay = true;
      }
      shown.settle(next.result);
      // What is read from the newest block has it now; the gateway's answers, once it is final.
      void queryClient.invalidateQueries({ predicate: ({ queryKey: [about] }) => !kept.includes(about) });
    }
    if (next.at === "finalised" && closed.current) toast(`${request.title}: done, and final`);
  };

  const send = async () => {
    following.current?.unsubscribe();
    tell({ at: "signing" });
    try {
      const signer = await getSigner(account);
      if (closed.current) return;
      const made = request.build(getChain().api) as unknown as Made;
      following.current = follow(made, signer, tell);
    } catch (error) {
      tell({ at: "failed", problem: describeFailure(error) });
    }
  };

  // A dialog of another request starts from the beginning.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the request is what it waits for
  useEffect(() => {
    setStage(null);
    closed.current = false;
    if (request.agreed && begun.current !== shown) {
      begun.current = shown;
      void send();
    }
  }, [shown]);

  return (
    <Dialog
      open
      onClose={close}
      title={request.title}
      locked={running}
      actions={
        stage === null ? (
          <>
            <Button look="quiet" onClick={close}>
              Cancel
            </Button>
            <Button look="primary" onClick={send} disabled={estimate.isPending || short}>
              Sign and send
            </Button>
          </>
        ) : stage.at === "failed" ? (
          <>
            <Button look="quiet" onClick={close}>
              Close
            </Button>
            <Button look="primary" onClick={send}>
              Try again
            </Button>
          </>
        ) : (
          <Button look={running ? "secondary" : "primary"} onClick={close}>
            {stage.at === "signing" ? "Cancel" : running ? "Close, it goes on" : "Done"}
          </Button>
        )
      }
    >
      <div className="grid gap-5">
        <div className="text-[0.95rem]">{request.words}</div>
        {stage === null ? (
          <dl className="grid gap-2 rounded-card bg-sunken p-4">
            <Row name="Signed by">
              <AccountName account={account.address} name={account.name} />
            </Row>
            {request.spent !== undefined && (
              <Row name="Paid">
                <Amount plancks={request.spent} />
              </Row>
            )}
            {request.gained !== undefined && (
              <Row name={request.gainedWords ?? "Paid out"}>
                <Amount plancks={request.gained} most={6} />
              </Row>
            )}
            {request.held !== undefined && (
              <Row name={request.heldWords ?? "Held, and comes back"}>
                <Amount plancks={request.held} />
              </Row>
            )}
            <Row name="Fee">
              {request.free ? (
                request.free
              ) : estimate.data ? (
                <Amount plancks={estimate.data.fee} most={6} />
              ) : estimate.error ? (
                "not known"
              ) : (
                <Spinner />
              )}
            </Row>
            <div className="my-1 h-px bg-line" />
            <Row name="Free in the account">
              {estimate.data ? (
                <Amount plancks={estimate.data.free} />
              ) : estimate.error ? (
                "not known"
              ) : (
                <Spinner />
              )}
            </Row>
          </dl>
        ) : (
          <Steps stage={stage} />
        )}
        {stage === null && estimate.error && (
          <Notice tone="warn" alert title={describeFailure(estimate.error).title}>
            What it costs could not be asked of the chain.
          </Notice>
        )}
        {stage === null && short && (
          <Notice tone="bad" alert title="The account has too little free OPEN for this">
            It needs <Amount plancks={cost} />.
          </Notice>
        )}
        {stage?.at === "failed" && (
          <Notice tone="bad" alert title={stage.problem.title}>
            {stage.problem.next} {request.meanwhile}
          </Notice>
        )}
        {stage && "result" in stage && request.outcome?.(stage.result)}
        {stage && "result" in stage && (
          <p className="flex flex-wrap items-center gap-2 text-sm text-soft">
            Transaction <Copyable text={stage.result.hash.replace(/^0x/, "")} what="transaction hash" />
          </p>
        )}
      </div>
    </Dialog>
  );
}
