import { type ReactNode, useState } from "react";
import { readAddress } from "@/accounts/address";
import type { Account } from "@/accounts/state";
import type { Datanet } from "@/api/types";
import { transact } from "@/chain/transactions";
import { Button } from "@/components/ui/Button";
import { CheckField, Field, SelectField, TextField } from "@/components/ui/Field";
import { AccountName } from "@/components/ui/Values";
import { formatBytes, plural } from "@/lib/format";
import { entryDeposit } from "./create.state";
import {
  type BarReason,
  barReasons,
  type CapsText,
  type DescriptionText,
  type Details,
  MAX_TAGS,
  readCaps,
  readDescription,
  useBar,
} from "./owner.state";

/** One thing that an owner can do; its form opens. */
export function Deed({ title, children }: { title: string; children: ReactNode }) {
  return (
    <details className="border-t border-line pt-4">
      <summary className="cursor-pointer text-sm font-medium">{title}</summary>
      <div className="mt-4">{children}</div>
    </details>
  );
}

interface Owned {
  datanet: Datanet;
  details: Details;
  owner: Account;
}

export function DescribeForm({ datanet, details, owner }: Owned) {
  const [text, setText] = useState<DescriptionText>({
    summary: details.summary,
    description: details.description,
    tags: details.tags.join(", "),
  });
  const [problems, setProblems] = useState<Partial<Record<keyof DescriptionText, string>>>({});
  return (
    <form
      noValidate
      className="grid gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        const { text: made, problems } = readDescription(text);
        setProblems(problems);
        if (!made) return;
        void transact(owner, {
          title: "Describe the Datanet",
          words: `Everybody reads this of “${datanet.name}” from then on. Its name, kind and units stay.`,
          build: (api) => api.tx.Datanets.set_text({ datanet: datanet.id, text: made }),
        });
      }}
    >
      <Field
        label="Summary"
        help="A line."
        autoComplete="off"
        value={text.summary}
        error={problems.summary}
        onChange={(event) => setText({ ...text, summary: event.target.value })}
      />
      <TextField
        label="Description"
        help="What belongs in it, and what does not."
        rows={5}
        value={text.description}
        error={problems.description}
        onChange={(event) => setText({ ...text, description: event.target.value })}
      />
      <Field
        label="Tags"
        help={`Words to find it by, with commas between; at most ${MAX_TAGS}.`}
        autoComplete="off"
        value={text.tags}
        error={problems.tags}
        onChange={(event) => setText({ ...text, tags: event.target.value })}
      />
      <Button type="submit" className="justify-self-start">
        Describe it
      </Button>
    </form>
  );
}

export function CapsForm({ datanet, details, owner }: Owned) {
  const [text, setText] = useState<CapsText>({
    limited: details.caps !== null,
    files: String(details.caps?.files ?? 1000),
    mebibytes: String((details.caps?.bytes ?? 104_857_600n) / 1_048_576n || 1n),
    share: String(details.share),
  });
  const [problems, setProblems] = useState<Partial<Record<keyof CapsText, string>>>({});
  return (
    <form
      noValidate
      className="grid gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        const { caps, problems } = readCaps(text);
        setProblems(problems);
        if (!caps) return;
        const { daily_limit: limit } = caps;
        void transact(owner, {
          title: "Set the daily limits",
          words: limit
            ? `All contributors together may submit ${plural(limit.files, "file")} and ${formatBytes(limit.bytes)} a UTC day to “${datanet.name}”, and one account ${caps.share} % of that. It counts at once.`
            : `“${datanet.name}” has no limit of its own; each account has its daily quota and nothing else.`,
          build: (api) => api.tx.Datanets.set_caps({ datanet: datanet.id, ...caps }),
        });
      }}
    >
      <CheckField
        label="Limit what all contributors together may submit in a UTC day"
        checked={text.limited}
        onChange={(event) => setText({ ...text, limited: event.target.checked })}
      />
      {text.limited && (
        <div className="grid gap-4 sm:grid-cols-3">
          <Field
            label="Files"
            inputMode="numeric"
            autoComplete="off"
            value={text.files}
            error={problems.files}
            onChange={(event) => setText({ ...text, files: event.target.value })}
          />
          <Field
            label="Bytes"
            unit="MiB"
            inputMode="numeric"
            autoComplete="off"
            value={text.mebibytes}
            error={problems.mebibytes}
            onChange={(event) => setText({ ...text, mebibytes: event.target.value })}
          />
          <Field
            label="One account"
            unit="%"
            inputMode="numeric"
            autoComplete="off"
            value={text.share}
            error={problems.share}
            onChange={(event) => setText({ ...text, share: event.target.value })}
          />
        </div>
      )}
      <Button type="submit" className="justify-self-start">
        Set the limits
      </Button>
    </form>
  );
}

/** Shuts an account out, with a reason, or lets it in again. */
export function BarForm({ datanet, owner }: Omit<Owned, "details">) {
  const [typed, setTyped] = useState("");
  const [reason, setReason] = useState<BarReason>("Unserved");
  const [problem, setProblem] = useState<string>();
  const account = readAddress(typed);
  const bar = useBar(datanet.id, account ?? undefined);
  const standing = bar.data;
  return (
    <form
      noValidate
      className="grid gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        setProblem(
          account
            ? undefined
            : typed.trim()
              ? "This is no account; it may be mistyped."
              : "Write an account.",
        );
        if (!account) return;
        void (standing ? Promise.resolve(0n) : entryDeposit())
          .then((held) =>
            transact(
              owner,
              standing
                ? {
                    title: "Let an account in again",
                    words: (
                      <>
                        “{datanet.name}” takes files of <AccountName account={account} /> again.
                      </>
                    ),
                    build: (api) => api.tx.Datanets.unbar({ datanet: datanet.id, account }),
                  }
                : {
                    title: "Bar an account",
                    held,
                    words: (
                      <>
                        “{datanet.name}” takes no more files of <AccountName account={account} />:{" "}
                        {barReasons[reason]}. Everybody can read the reason. What it submitted before stays,
                        and its points too. What is held comes back when you let it in again.
                      </>
                    ),
                    build: (api) =>
                      api.tx.Datanets.bar({
                        datanet: datanet.id,
                        account,
                        reason: { type: reason, value: undefined },
                      }),
                  },
            ),
          )
          .then((done) => done && bar.refetch());
      }}
    >
      <Field
        label="Account"
        spellCheck={false}
        autoComplete="off"
        className="font-mono"
        value={typed}
        error={problem}
        help={standing ? `It is barred: ${barReasons[standing.reason]}.` : undefined}
        onChange={(event) => setTyped(event.target.value)}
      />
      {!standing && (
        <SelectField
          label="Reason"
          help="Everybody can read it."
          value={reason}
          onChange={(event) => setReason(event.target.value as BarReason)}
          options={Object.entries(barReasons).map(([value, words]) => ({
            value,
            label: words.charAt(0).toUpperCase() + words.slice(1),
          }))}
        />
      )}
      <Button type="submit" look={standing ? "secondary" : "danger"} className="justify-self-start">
        {standing ? "Let it in again" : "Bar it"}
      </Button>
    </form>
  );
}

/** Hands a Datanet over: the other side accepts. */
export function OfferForm({ datanet, details, owner }: Owned) {
  const [typed, setTyped] = useState("");
  const [problem, setProblem] = useState<string>();
  if (details.offeredTo) {
    return (
      <div className="grid gap-3 text-sm">
        <p className="text-soft">It is offered, and is yours until it is accepted. To:</p>
        <AccountName account={details.offeredTo} />
        <Button
          className="justify-self-start"
          onClick={() =>
            void transact(owner, {
              title: "Take the offer back",
              words: `“${datanet.name}” stays yours, and is offered to nobody any more.`,
              build: (api) => api.tx.Datanets.offer_ownership({ datanet: datanet.id, to: undefined }),
            })
          }
        >
          Take the offer back
        </Button>
      </div>
    );
  }
  return (
    <form
      noValidate
      className="grid gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        const to = readAddress(typed);
        const wrong = !to
          ? typed.trim()
            ? "This is no account; it may be mistyped."
            : "Write an account."
          : to === owner.address
            ? "It is yours already."
            : undefined;
        setProblem(wrong);
        if (!to || wrong) return;
        void transact(owner, {
          title: "Offer the Datanet",
          words: (
            <>
              Offers “{datanet.name}” to <AccountName account={to} />, who accepts it on this page. From then
              on that account names curators and terms, and has the deposit held in your place.
            </>
          ),
          build: (api) => api.tx.Datanets.offer_ownership({ datanet: datanet.id, to }),
        });
      }}
    >
      <Field
        label="To"
        help="It is yours until the other account accepts it."
        spellCheck={false}
        autoComplete="off"
        className="font-mono"
        value={typed}
        error={problem}
        onChange={(event) => setTyped(event.target.value)}
      />
      <Button type="submit" className="justify-self-start">
        Offer it
      </Button>
    </form>
  );
}
