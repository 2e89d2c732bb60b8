import { type ReactNode, useState } from "react";
import { Link } from "wouter";
import { announce } from "@/app/announce";
import { classes } from "@/lib/classes";
import { formatOpen, formatRelative, shorten } from "@/lib/format";
import { useNow } from "@/lib/now";
import { Icon } from "./Icon";

/** An amount of OPEN. Shortened, the whole amount stands in its title. */
export function Amount({ plancks, most = 4 }: { plancks: bigint | string; most?: number }) {
  return (
    <span className="tabular" title={`${formatOpen(plancks)} OPEN`}>
      <span className="whitespace-nowrap">{formatOpen(plancks, most)}</span>{" "}
      <span className="text-[max(0.65em,0.75rem)] font-medium text-soft">OPEN</span>
    </span>
  );
}

/** Stands in the place of what has not been answered yet: a number there would be invented. */
export function NotYet() {
  return <span className="text-[0.875rem] font-normal tracking-normal text-soft">not known yet</span>;
}

/** A moment, as how long ago; the exact time stands in its title. */
export function Time({ ms }: { ms: number }) {
  const now = useNow();
  const date = new Date(ms);
  return (
    <time dateTime={date.toISOString()} title={date.toLocaleString()} className="whitespace-nowrap">
      {formatRelative(ms, now)}
    </time>
  );
}

/** A long id that can be copied: an account, hash or content id. `href` leads to its page. */
export function Copyable({
  text,
  what,
  href,
  whole = false,
  shown,
}: {
  text: string;
  /** What it is, for the button's name: "account", "hash". */
  what: string;
  href?: string;
  whole?: boolean;
  /** Shown in place of the id, such as a name. */
  shown?: ReactNode;
}) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      announce(`The ${what} is copied.`);
      setTimeout(() => setCopied(false), 1500);
    } catch {
      announce(`The browser did not let the ${what} be copied.`);
    }
  };
  const label = shown ?? (whole ? text : shorten(text));
  const look = classes(shown ? "" : "font-mono text-[0.85em]", whole ? "break-all" : "whitespace-nowrap");
  return (
    <span className="inline-flex max-w-full min-w-0 items-center gap-1">
      {href ? (
        <Link href={href} title={text} className={classes("link", look)}>
          {label}
        </Link>
      ) : (
        <span title={text} className={look}>
          {label}
        </span>
      )}
      <button
        type="button"
        onClick={copy}
        aria-label={`Copy ${what} ${shorten(text)}`}
        className="grid size-6 shrink-0 place-items-center rounded text-soft hover:bg-sunken hover:text-ink"
      >
        <Icon name={copied ? "check" : "copy"} className="size-3.5" />
      </button>
    </span>
  );
}

/** An account, with a picture of its own by which it is told from others. */
export function AccountName({
  account,
  name,
  whole,
}: {
  account: string;
  name?: string | undefined;
  whole?: boolean;
}) {
  return (
    <span className="inline-flex max-w-full min-w-0 items-center gap-2 align-middle">
      <AccountPicture account={account} />
      <Copyable
        text={account}
        what="account"
        href={`/accounts/${account}`}
        whole={whole ?? false}
        shown={name}
      />
    </span>
  );
}

/** Two colours and a turn drawn from the account's text. */
export function AccountPicture({ account, large = false }: { account: string; large?: boolean }) {
  let seed = 7;
  for (const character of account) seed = (seed * 31 + character.charCodeAt(0)) >>> 0;
  const first = seed % 360;
  const second = (first + 60 + ((seed >>> 9) % 180)) % 360;
  const turn = (seed >>> 17) % 360;
  return (
    <svg
      viewBox="0 0 20 20"
      aria-hidden="true"
      className={classes("shrink-0 rounded-full", large ? "size-9" : "size-5")}
    >
      <g transform={`rotate(${turn} 10 10)`}>
        <rect width="20" height="20" fill={`hsl(${first} 52% 46%)`} />
        <circle cx="14" cy="14" r="9" fill={`hsl(${second} 58% 62%)`} />
        <circle cx="6" cy="6" r="3" fill="hsl(0 0% 100% / 65%)" />
      </g>
    </svg>
  );
}

/** A number that matters, with what it counts. */
export function Stat({ label, children, note }: { label: ReactNode; children: ReactNode; note?: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-sm text-soft">{label}</dt>
      <dd className="tabular mt-0.5 text-xl font-semibold tracking-tight sm:text-2xl">{children}</dd>
      {note && <dd className="mt-0.5 text-xs text-soft">{note}</dd>}
    </div>
  );
}

/** Names and values in two columns. */
export function Facts({ facts }: { facts: readonly (readonly [ReactNode, ReactNode])[] }) {
  return (
    <dl className="grid grid-cols-[minmax(0,1fr)] gap-x-6 gap-y-3 text-sm sm:grid-cols-[minmax(8rem,max-content)_minmax(0,1fr)]">
      {facts.map(([name, value], n) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: facts are never reordered
        <div key={n} className="contents">
          <dt className="text-soft max-sm:-mb-2.5">{name}</dt>
          <dd className="min-w-0 break-words">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
