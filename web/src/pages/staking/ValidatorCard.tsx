import { type ReactNode, useState } from "react";
import { decodeAddress } from "@/accounts/address";
import type { Account } from "@/accounts/state";
import { transact } from "@/chain/transactions";
import { CodeBlock } from "@/components/CodeBlock";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { CheckField, Field, TextField } from "@/components/ui/Field";
import { Icon } from "@/components/ui/Icon";
import { Notice } from "@/components/ui/Notice";
import { Loaded } from "@/components/ui/States";
import { Amount, Copyable } from "@/components/ui/Values";
import { classes } from "@/lib/classes";
import { BLOCK_TIME, formatDuration, plural } from "@/lib/format";
import { commission, type Stake, seatTakes } from "./stakes";
import { type SessionKeys, type Staking, useSessionKeys, useStake } from "./staking.state";
import { askForKeys, readCommission, readKeys } from "./validator";

interface Own {
  account: Account;
  staking: Staking;
}

/** One thing that a validator needs, whether it is there, and how it comes about. */
function Step({
  title,
  done,
  says,
  children,
}: {
  title: string;
  done: boolean;
  says: ReactNode;
  children?: ReactNode;
}) {
  return (
    <li className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-3 gap-y-3 border-t border-line pt-4 first:border-0 first:pt-0">
      <span
        className={classes(
          "grid size-6 place-items-center rounded-full border",
          done ? "border-good/40 bg-good-soft text-good" : "border-line text-soft",
        )}
      >
        <Icon name={done ? "check" : "minus"} className="size-3.5" />
      </span>
      <div className="grid gap-3">
        <div>
          <h3 className="text-sm font-medium">{title}</h3>
          <div className="mt-0.5 text-sm text-soft">{says}</div>
        </div>
        {children}
      </div>
    </li>
  );
}

function KeysForm({ account, keys, staking }: Own & { keys: SessionKeys }) {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string>();
  const send = () => {
    const { keys: read, problem } = readKeys(text);
    setProblem(problem);
    if (!read) return;
    const { babe, grandpa, proof } = read;
    void transact(account, {
      title: keys.set ? "Set other session keys" : "Set the session keys",
      words: `Blocks of yours are signed with these keys from the session after the next on, in about ${formatDuration(2 * staking.sessionLength * BLOCK_TIME)} at most.${keys.set ? " Keep the node with the former ones running until then, and never run two nodes with the same keys." : " Never run two nodes with the same keys: that is an offence."}`,
      ...(keys.deposit > 0n && !keys.set ? { held: keys.deposit } : {}),
      build: (api) =>
        api.tx.Session.set_keys({
          keys: { babe, grandpa },
          proof: Uint8Array.from(proof.slice(2).match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)),
        }),
    }).then((done) => done && setText(""));
  };
  return (
    <form
      noValidate
      className="grid gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <p className="text-sm text-soft">
        The node makes them and keeps them; only their public halves leave it. Where this account’s key is on
        the node’s machine, <code>openledger validator keys</code> makes and sets them in one. Otherwise ask
        the node there, and paste its whole answer here:
      </p>
      <CodeBlock
        label="On the node’s machine"
        text={askForKeys(decodeAddress(account.address) ?? new Uint8Array())}
      />
      <TextField
        label="Answer of the node"
        help="Keys, and the proof that the node has them: another account cannot use it."
        rows={3}
        spellCheck={false}
        autoComplete="off"
        className="font-mono break-all"
        value={text}
        error={problem}
        onChange={(event) => setText(event.target.value)}
      />
      <Button type="submit" className="justify-self-start">
        {keys.set ? "Set other keys" : "Set the keys"}
      </Button>
    </form>
  );
}

function Keys({ account, keys, staking, stake }: Own & { keys: SessionKeys; stake: Stake | null }) {
  if (!keys.set) {
    // Who has bonded too little may want to nominate, and is not bothered with it.
    const begun = (stake?.active ?? 0n) >= staking.leastValidator;
    return (
      <Step title="Session keys" done={false} says="None are set. A validator without them makes no blocks.">
        <details className="text-sm" open={begun}>
          <summary className="cursor-pointer font-medium">How to set them</summary>
          <div className="mt-4">
            <KeysForm account={account} keys={keys} staking={staking} />
          </div>
        </details>
      </Step>
    );
  }
  const { babe, grandpa } = keys.set;
  return (
    <Step
      title="Session keys"
      done
      says={
        <span className="flex flex-wrap gap-x-4 gap-y-1">
          <span>
            Set. BABE <Copyable text={babe} what="BABE key" />
          </span>
          <span>
            GRANDPA <Copyable text={grandpa} what="GRANDPA key" />
          </span>
        </span>
      }
    >
      <details className="text-sm">
        <summary className="cursor-pointer font-medium">Set other keys, or take them off</summary>
        <div className="mt-4 grid gap-4">
          <KeysForm account={account} keys={keys} staking={staking} />
          {stake?.does === "validates" ? (
            <p className="text-soft">Keys are taken off once you do not stand for election any more.</p>
          ) : (
            <Button
              size="small"
              className="justify-self-start"
              onClick={() =>
                void transact(account, {
                  title: "Take the session keys off",
                  words:
                    "The account has no session keys from then on. While it still makes blocks, leave them and the node alone.",
                  build: (api) => api.tx.Session.purge_keys(),
                })
              }
            >
              Take the keys off
            </Button>
          )}
        </div>
      </details>
    </Step>
  );
}

function Election({ account, staking, stake, keys }: Own & { stake: Stake | null; keys: SessionKeys }) {
  const own = staking.validators.find((one) => one.account === account.address);
  const stands = stake?.does === "validates";
  const seat = seatTakes(staking.validators, own?.now);
  const [text, setText] = useState(stands && own ? commission(own.commission).replace(/\s%$/, "") : "5");
  const [blocked, setBlocked] = useState(stands ? (own?.blocked ?? false) : false);
  const [problem, setProblem] = useState<string>();
  const send = () => {
    const { parts, problem } = readCommission(text, staking.leastCommission);
    const short = (stake?.active ?? 0n) < staking.leastValidator;
    setProblem(problem ?? (short ? "Bond more first: see above." : undefined));
    if (parts === null || short) return;
    void transact(account, {
      title: stands ? "Change how you validate" : "Stand for election",
      words: `From the next election on you stand as a validator that keeps ${commission(parts)} of its stakers’ payouts before they are shared${blocked ? ", and that nobody else may back" : ""}. Who is elected has to run a node: of a stake whose node signs twice a part is lost.${stake?.does === "nominates" ? " You back nobody any more." : ""}`,
      build: (api) => api.tx.Staking.validate({ prefs: { commission: parts, blocked } }),
    });
  };
  return (
    <Step
      title="Stand for election"
      done={stands}
      says={
        stands
          ? `You stand, for a commission of ${commission(own?.commission ?? 0)}${own?.blocked ? "; nobody else may back you" : ""}.`
          : "Who has the most stake behind it is elected when an era ends."
      }
    >
      {stands && (stake?.active ?? 0n) < seat && !own?.elected && (
        <Notice title="It takes more to be elected">
          A seat takes <Amount plancks={seat} most={0} /> or more behind you, half of what those have who make
          blocks now, by the median. Bond more, or find nominators.
        </Notice>
      )}
      {stands && !keys.set && (
        <Notice tone="warn" title="Your session keys are not set">
          Who stands without them is taken out at the election: nobody would make its blocks.
        </Notice>
      )}
      <form
        noValidate
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <div className="max-w-60">
          <Field
            label="Commission"
            unit="%"
            inputMode="decimal"
            autoComplete="off"
            help="What you keep before payouts are shared by stake."
            value={text}
            error={problem}
            onChange={(event) => setText(event.target.value)}
          />
        </div>
        <CheckField
          label="Nobody else may back me"
          checked={blocked}
          onChange={(event) => setBlocked(event.target.checked)}
        />
        <div className="flex flex-wrap gap-2">
          <Button type="submit" look={stands ? "secondary" : "primary"}>
            {stands ? "Change it" : "Stand for election"}
          </Button>
          {stands && (
            <Button
              look="quiet"
              onClick={() =>
                void transact(account, {
                  title: "Stand back",
                  words:
                    "You validate no longer from the next election on. Keep the node running until you make no blocks any more. What is bonded stays bonded until you unbond it.",
                  build: (api) => api.tx.Staking.chill(),
                })
              }
            >
              Stand back
            </Button>
          )}
        </div>
      </form>
    </Step>
  );
}

/** Whether the account was elected, and whether it makes blocks now. */
function Elected({ account, staking, stake }: Own & { stake: Stake | null }) {
  const own = staking.validators.find((one) => one.account === account.address);
  const ends =
    staking.left === null
      ? ""
      : `, within ${formatDuration(staking.left * staking.sessionLength * BLOCK_TIME)}`;
  return (
    <Step
      title="Elected"
      done={Boolean(own?.elected || own?.now)}
      says={
        own?.elected ? (
          <>
            Yes, for this era, with <Amount plancks={own.elected.total} /> behind you
            {own.elected.nominators > 0 && `, of ${plural(own.elected.nominators, "nominator")} too`}.{" "}
            {own.now ? "You make blocks now." : "You make no blocks yet."}
          </>
        ) : own?.now ? (
          "Not for this era; you make blocks until the next session."
        ) : stake?.does === "validates" ? (
          `Not yet. Elections are at the end of an era${ends}; ${plural(staking.wanted, "place")}.`
        ) : (
          "No: you do not stand for election."
        )
      }
    />
  );
}

/** What it takes to be a validator, and how far an account is. */
export function ValidatorCard({ account, staking }: Own) {
  const own = useStake(account.address);
  const keys = useSessionKeys(account.address);
  return (
    <Card
      title="Validating"
      about="A validator bonds, runs a node that is always on, and stands for election with the keys of that node."
    >
      <Loaded query={own}>
        {({ stake }) => (
          <Loaded query={keys}>
            {(set) => {
              const active = stake?.active ?? 0n;
              const missing = staking.leastValidator > active ? staking.leastValidator - active : 0n;
              return (
                <ol className="grid gap-4">
                  <Step
                    title="Bond"
                    done={missing === 0n}
                    says={
                      missing === 0n ? (
                        <>
                          <Amount plancks={active} /> are bonded; it takes{" "}
                          <Amount plancks={staking.leastValidator} />. For a seat{" "}
                          <Amount plancks={seatTakes(staking.validators)} most={0} /> or more have to stand
                          behind you, your own and nominators’ together.
                        </>
                      ) : (
                        <>
                          It takes <Amount plancks={staking.leastValidator} />: bond{" "}
                          <Amount plancks={missing} /> {active > 0n ? "more " : ""}above.
                        </>
                      )
                    }
                  />
                  <Keys account={account} keys={set} staking={staking} stake={stake} />
                  <Election
                    key={stake?.does === "validates" ? "stands" : "new"}
                    account={account}
                    staking={staking}
                    stake={stake}
                    keys={set}
                  />
                  <Elected account={account} staking={staking} stake={stake} />
                </ol>
              );
            }}
          </Loaded>
        )}
      </Loaded>
    </Card>
  );
}
