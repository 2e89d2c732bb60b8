import { useState } from "react";
import { Link, useSearch } from "wouter";
import { useAccount } from "@/accounts/state";
import { toast } from "@/app/toasts";
import { CodeBlock } from "@/components/CodeBlock";
import { AdapterRevoked } from "@/components/Revoked";
import { Button, ButtonLink } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { CheckField, Field, SelectField, TextField } from "@/components/ui/Field";
import { Icon } from "@/components/ui/Icon";
import { Notice } from "@/components/ui/Notice";
import { Page } from "@/components/ui/Page";
import { EmptyState, Loaded } from "@/components/ui/States";
import { Tabs } from "@/components/ui/Tabs";
import { formatCount, formatRelative } from "@/lib/format";
import { useNow } from "@/lib/now";
import { describeProblem } from "@/lib/problem";
import { getToken, useHasSession } from "@/uploads/session";
import { AnswerCard } from "./AnswerCard";
import type { Budget } from "./answers";
import {
  type Column,
  type Exchange,
  type Parameters,
  questionOf,
  readParameters,
  type Server,
  useConversation,
  useServers,
  usualParameters,
} from "./chat.state";
import { PairsCard } from "./PairsCard";
import { type Pair, pairProblem } from "./pairs";
import { curl, javascript, python } from "./snippets";

/** Before a server's name: its base model is asked alone. */
const ALONE = "alone:";

/** The server and adapter that are chosen: by the address, else the newest of the first server that has one. */
function chosenAt(servers: readonly Server[], wanted: string): { server: Server; adapter: string } | null {
  const able = servers.filter(({ models }) => models.length > 0);
  const alone = able.find(({ server }) => wanted === ALONE + server);
  if (alone) return { server: alone, adapter: "" };
  const has = able.find(({ adapters }) => adapters.some(({ id }) => String(id) === wanted));
  const server = has ?? able.find(({ adapters }) => adapters.length > 0) ?? able[0];
  if (!server) return null;
  return { server, adapter: has ? wanted : String(server.adapters[0]?.id ?? "") };
}

/** What answers: the base model, and the adapter beside it, which asks documentation first where that is wished. */
function columnsOf(server: Server, adapter: string, agent: boolean | undefined): Column[] {
  const base = server.models[0];
  if (!base) return [];
  const found = server.adapters.find(({ id }) => String(id) === adapter);
  const asks = agent === undefined ? {} : { agent };
  const alone: Column = { server: server.server, model: base.id, title: "Base model", expected: null };
  if (!found) return [{ ...alone, ...asks }];
  const title = `With adapter ${found.id}`;
  return [alone, { server: server.server, model: found.model, title, expected: found.sha256, ...asks }];
}

/** A base model and an adapter of it, asked the same at the same time. */
export default function ChatPage() {
  const account = useAccount();
  const servers = useServers(account?.address);
  const named = new URLSearchParams(useSearch()).get("adapter");
  const [wanted, setWanted] = useState(named ?? "");
  const [typed, setTyped] = useState<Parameters>(usualParameters);
  const [question, setQuestion] = useState("");
  const [agent, setAgent] = useState<boolean>();
  const [pairs, setPairs] = useState<readonly Pair[]>([]);
  const [pairIds, setPairIds] = useState(1);
  const chat = useConversation(account?.address);
  const { read, errors } = readParameters(typed);

  const mark = (exchange: Exchange, column: number, chosen: string, rejected: string, written: boolean) => {
    const problem = pairProblem(chosen, rejected);
    if (problem) return toast(problem, "bad");
    if (pairs.some((other) => other.chosen === chosen && other.rejected === rejected))
      return toast("This pair is marked already", "info");
    const pair: Pair = { id: pairIds, prompt: exchange.prompts[column] ?? [], chosen, rejected, written };
    setPairIds(pairIds + 1);
    setPairs((all) => [...all, pair]);
    toast("Marked; the pair stands below");
  };

  return (
    <Page
      title="Chat"
      about="The same question, parameters and seed to the base model and to an adapter of it. What differs is what the data taught."
    >
      <Loaded
        query={servers}
        isEmpty={(data) => data.items.length === 0}
        empty={
          <Card>
            <EmptyState icon="chat" title="This gateway has no server of answers">
              Its operator names one with <code>openledger-gateway --chat-server</code>.
            </EmptyState>
          </Card>
        }
      >
        {(data) => {
          const chosen = chosenAt(data.items, wanted);
          const columns = chosen ? columnsOf(chosen.server, chosen.adapter, agent) : [];
          const answering = chosen?.server.adapters.find(({ id }) => String(id) === chosen.adapter);
          const instructed = answering?.instructions;
          const can = columns.length > 0 && question.trim() !== "" && Object.keys(errors).length === 0;
          const send = () => {
            if (!can || chat.busy) return;
            void chat.ask(question.trim(), columns, typed.system, read);
            setQuestion("");
          };
          const missing =
            named !== null &&
            !data.items.some(({ adapters }) => adapters.some(({ id }) => String(id) === named));
          const broken = data.items.filter(({ error }) => error !== null);
          return (
            <>
              {broken.map(({ server, error }) => (
                <Notice key={server} tone="warn" title={`The server “${server}” cannot be asked now`}>
                  {error}
                </Notice>
              ))}
              {answering?.holdsRevoked && <AdapterRevoked adapter={answering.id} />}
              {missing && broken.length === 0 && (
                <Notice tone="warn" title={`No server here has adapter ${named}`}>
                  A server answers for adapters of its own base model only.
                </Notice>
              )}
              <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-6 lg:grid-cols-[minmax(0,1fr)_18rem]">
                <div className="grid min-w-0 grid-cols-[minmax(0,1fr)] gap-5">
                  <Card>
                    {chosen && (
                      <SelectField
                        label="Compare the base model with"
                        value={chosen.adapter || ALONE + chosen.server.server}
                        onChange={(event) => {
                          setWanted(event.target.value);
                          setAgent(undefined);
                          chat.clear();
                        }}
                        options={[
                          ...data.items.flatMap(({ adapters, server }) =>
                            adapters.map(({ id, parent }) => ({
                              value: String(id),
                              label: `Adapter ${id}${parent === null ? "" : ` (from ${parent})`}${data.items.length > 1 ? ` on ${server}` : ""}`,
                            })),
                          ),
                          ...data.items
                            .filter(({ models }) => models.length > 0)
                            .map(({ server }) => ({
                              value: ALONE + server,
                              label: `Nothing: the base model ${data.items.length > 1 ? `on ${server} ` : ""}alone`,
                            })),
                        ]}
                      />
                    )}
                    {chosen && (
                      <div className="mt-4 flex flex-wrap items-start justify-between gap-3">
                        <CheckField
                          label="Ask the documentation first"
                          help={
                            instructed
                              ? "As its owner instructed it. The question is sent to the sources that the instructions name."
                              : "This gateway’s own documentation; the question goes nowhere else."
                          }
                          checked={agent ?? Boolean(instructed)}
                          onChange={(event) => setAgent(event.target.checked)}
                        />
                        {chosen.adapter && (
                          <Link href={`/agents/${chosen.adapter}`} className="link text-sm">
                            {instructed ? `Instructions, version ${instructed}` : "No instructions yet"}
                          </Link>
                        )}
                      </div>
                    )}
                  </Card>
                  <Conversation exchanges={chat.exchanges} onMark={mark} />
                  <Card>
                    <form
                      className="grid gap-3"
                      onSubmit={(event) => {
                        event.preventDefault();
                        send();
                      }}
                    >
                      <TextField
                        label="Question"
                        help="Enter sends it, Shift and Enter begin a line."
                        rows={3}
                        value={question}
                        onChange={(event) => setQuestion(event.target.value)}
                        onKeyDown={(event) => {
                          if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing)
                            return;
                          event.preventDefault();
                          send();
                        }}
                      />
                      <div className="flex flex-wrap gap-2">
                        {chat.busy ? (
                          <Button look="danger" onClick={chat.stop}>
                            Stop
                          </Button>
                        ) : (
                          <Button
                            type="submit"
                            look="primary"
                            disabled={!can}
                            icon={<Icon name="arrowRight" />}
                          >
                            Ask
                          </Button>
                        )}
                        {chat.exchanges.length > 0 && (
                          <Button look="quiet" onClick={chat.clear}>
                            Begin anew
                          </Button>
                        )}
                      </div>
                    </form>
                  </Card>
                </div>
                <div className="grid gap-5">
                  <BudgetCard budget={chat.budget ?? data.budget} />
                  <ParametersCard typed={typed} errors={errors} onChange={setTyped} />
                </div>
              </div>
              <PairsCard
                pairs={pairs}
                onRemove={(id) => setPairs((all) => all.filter((pair) => pair.id !== id))}
                onSubmitted={(ids) => setPairs((all) => all.filter(({ id }) => !ids.includes(id)))}
              />
              <Snippets columns={columns} question={chat.exchanges.at(-1)} typed={typed} />
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}

function Conversation({
  exchanges,
  onMark,
}: {
  exchanges: readonly Exchange[];
  onMark: (exchange: Exchange, column: number, chosen: string, rejected: string, written: boolean) => void;
}) {
  return (
    <>
      {exchanges.map((exchange) => (
        <section key={exchange.id} aria-label={exchange.question.slice(0, 80)} className="grid gap-3">
          <p className="max-w-2xl justify-self-end rounded-card bg-accent-soft px-4 py-2.5 break-words whitespace-pre-wrap">
            {exchange.question}
          </p>
          <div className={exchange.columns.length > 1 ? "grid gap-4 sm:grid-cols-2" : "grid"}>
            {exchange.columns.map((column, n) => {
              const answer = exchange.answers[n];
              if (!answer) return null;
              const other = exchange.answers[1 - n];
              const settled = exchange.answers.every(
                ({ state }) => state !== "waiting" && state !== "coming",
              );
              return (
                <AnswerCard
                  key={column.model}
                  column={column}
                  answer={answer}
                  onBetter={
                    other?.text && settled
                      ? () => onMark(exchange, n, answer.text, other.text, false)
                      : undefined
                  }
                  onWritten={(better) => onMark(exchange, n, better.trim(), answer.text, true)}
                />
              );
            })}
          </div>
        </section>
      ))}
    </>
  );
}

function BudgetCard({ budget }: { budget: Budget }) {
  const account = useAccount();
  const hasSession = useHasSession(account?.address);
  const now = useNow();
  const [busy, setBusy] = useState(false);
  const open = async () => {
    if (!account) return;
    setBusy(true);
    try {
      await getToken(account);
    } catch (error) {
      toast(describeProblem(error).title, "bad");
    } finally {
      setBusy(false);
    }
  };
  return (
    <Card title="Tokens today" about="The gateway's operator pays for answers.">
      <div className="grid gap-3 text-sm">
        <p>
          <span className="tabular text-lg font-semibold">{formatCount(budget.remaining)}</span>{" "}
          <span className="text-soft">
            of {formatCount(budget.limit)} left; more {formatRelative(budget.resetsAt, now)}
          </span>
        </p>
        {!hasSession &&
          (account ? (
            <Button size="small" busy={busy} onClick={() => void open()}>
              Sign in for more
            </Button>
          ) : (
            <ButtonLink size="small" href="/accounts">
              Choose an account for more
            </ButtonLink>
          ))}
      </div>
    </Card>
  );
}

function ParametersCard({
  typed,
  errors,
  onChange,
}: {
  typed: Parameters;
  errors: Partial<Record<keyof Parameters, string>>;
  onChange: (typed: Parameters) => void;
}) {
  const field = (name: keyof Parameters, label: string, help: string) => (
    <Field
      label={label}
      help={help}
      inputMode="decimal"
      autoComplete="off"
      value={typed[name]}
      error={errors[name]}
      onChange={(event) => onChange({ ...typed, [name]: event.target.value })}
    />
  );
  return (
    <Card title="Parameters" about="The same for both">
      <div className="grid gap-4">
        {field("maxTokens", "Most tokens", "Of an answer, 1 to 2048.")}
        {field("temperature", "Temperature", "0 is always the likeliest token.")}
        {field("topP", "Top p", "Of the likeliest tokens, up to this share.")}
        {field("seed", "Seed", "The same seed gives the same answer.")}
        <TextField
          label="System message"
          help="How to answer. Empty for none."
          value={typed.system}
          onChange={(event) => onChange({ ...typed, system: event.target.value })}
        />
      </div>
    </Card>
  );
}

const EXAMPLE = "Who pays for accepted files?";

function Snippets({
  columns,
  question,
  typed,
}: {
  columns: readonly Column[];
  question: Exchange | undefined;
  typed: Parameters;
}) {
  const [language, setLanguage] = useState("curl");
  const column = columns.at(-1);
  if (!column) return null;
  const system = typed.system.trim() ? [{ role: "system" as const, content: typed.system }] : [];
  const messages = question?.prompts.at(-1) ?? [...system, { role: "user" as const, content: EXAMPLE }];
  const asked = questionOf(column, messages, readParameters(typed).read);
  const { origin } = window.location;
  const tabs = [
    { value: "curl", label: "curl", text: curl(origin, asked) },
    { value: "python", label: "Python", text: python(origin, asked) },
    { value: "javascript", label: "JavaScript", text: javascript(origin, asked) },
  ];
  return (
    <Card title="From a program" about={`The last question to ${column.model}, within the same budget`}>
      <Tabs
        label="Language"
        value={language}
        onChange={setLanguage}
        tabs={tabs.map(({ value, label, text }) => ({
          value,
          label,
          content: <CodeBlock label={label} text={text} />,
        }))}
      />
    </Card>
  );
}
