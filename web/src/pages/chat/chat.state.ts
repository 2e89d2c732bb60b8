import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { EventParser } from "@/api/eventStream";
import { fetchOk, request } from "@/api/request";
import type { ModelsAnswer, ServerModels } from "@/api/types";
import { describeProblem } from "@/lib/problem";
import { openToken } from "@/uploads/session";
import { type Answer, type Budget, ended, noAnswer, readBudget, readMessage } from "./answers";
import type { Turn } from "./pairs";
import type { Question } from "./snippets";

export type Server = ServerModels;

function authorised(address: string | undefined): Record<string, string> {
  const token = address === undefined ? null : openToken(address);
  return token ? { authorization: `Bearer ${token}` } : {};
}

/** What can be asked, and how many tokens are left. */
export function useServers(address: string | undefined) {
  const own = authorised(address);
  return useQuery({
    queryKey: ["chat models", own.authorization ? address : ""],
    queryFn: ({ signal }) => request<ModelsAnswer>("/v1/chat/models", { signal, headers: own }),
    // The gateway asks its servers this often: adapters come, are instructed, and hold what is revoked.
    refetchInterval: 15_000,
  });
}

/** The parameters as they were typed. */
export interface Parameters {
  system: string;
  maxTokens: string;
  temperature: string;
  topP: string;
  seed: string;
}

export const usualParameters: Parameters = {
  ...{ system: "", maxTokens: "200", temperature: "0", topP: "1", seed: "42" },
};

export interface Read {
  max_tokens: number;
  temperature: number;
  top_p: number;
  seed: number;
}

export function readParameters(typed: Parameters): {
  read: Read;
  errors: Partial<Record<keyof Parameters, string>>;
} {
  const errors: Partial<Record<keyof Parameters, string>> = {};
  const number = (name: keyof Parameters, least: number, most: number, whole: boolean): number => {
    const text = typed[name].trim();
    const value = Number(text);
    const good = text !== "" && value >= least && value <= most && (!whole || Number.isSafeInteger(value));
    if (!good) errors[name] = `${whole ? "A whole number" : "A number"}, ${least} to ${most}`;
    return good ? value : least;
  };
  const read = {
    max_tokens: number("maxTokens", 1, 2048, true),
    temperature: number("temperature", 0, 2, false),
    top_p: number("topP", 0.01, 1, false),
    seed: number("seed", 0, Number.MAX_SAFE_INTEGER, true),
  };
  return { read, errors };
}

/** A column: one model of one server. */
export interface Column {
  server: string;
  model: string;
  title: string;
  /** The sha256 that stands on chain for what should answer. */
  expected: string | null;
  /** Whether documentation is asked first; as the adapter's owner set it where it is left out. */
  agent?: boolean;
}

export interface Exchange {
  id: number;
  /** What the models were told before, by column, and the question. */
  prompts: Turn[][];
  question: string;
  columns: readonly Column[];
  answers: Answer[];
}

/** What a column's model is told: what it said itself before, and the question. */
export function promptOf(
  earlier: readonly Exchange[],
  column: number,
  system: string,
  question: string,
): Turn[] {
  const turns: Turn[] = system.trim() ? [{ role: "system", content: system }] : [];
  for (const exchange of earlier) {
    const said = exchange.answers[column]?.text;
    // A question without an answer would stand beside the next one, which templates refuse.
    if (!said) continue;
    turns.push({ role: "user", content: exchange.question }, { role: "assistant", content: said });
  }
  return [...turns, { role: "user", content: question }];
}

export function questionOf(column: Column, messages: readonly Turn[], read: Read): Question {
  const agent = column.agent === undefined ? {} : { agent: column.agent };
  return { server: column.server, model: column.model, messages, ...read, ...agent };
}

/** A conversation with one or two models at the same time. */
export function useConversation(address: string | undefined) {
  const [exchanges, setExchanges] = useState<readonly Exchange[]>([]);
  const [budget, setBudget] = useState<Budget>();
  const running = useRef<AbortController | null>(null);
  const next = useRef(0);
  const [busy, setBusy] = useState(false);
  useEffect(() => () => running.current?.abort(), []);

  const change = (id: number, column: number, to: (answer: Answer) => Answer) =>
    setExchanges((all) =>
      all.map((exchange) =>
        exchange.id !== id
          ? exchange
          : {
              ...exchange,
              answers: exchange.answers.map((answer, n) => (n === column ? to(answer) : answer)),
            },
      ),
    );

  const stream = async (id: number, column: number, question: Question, signal: AbortSignal) => {
    try {
      const response = await fetchOk("/v1/chat", {
        method: "POST",
        body: question,
        headers: { accept: "text/event-stream", ...authorised(address) },
        signal,
      });
      const named = (name: string) => response.headers.get(`x-openledger-${name}`);
      change(id, column, (answer) => ({
        ...answer,
        baseSha256: named("base-sha256") ?? answer.baseSha256,
        adapterSha256: named("adapter-sha256") ?? answer.adapterSha256,
      }));
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
      const parser = new EventParser();
      while (reader) {
        const { done, value } = await reader.read();
        if (done) break;
        const messages = parser.push(value);
        for (const message of messages) {
          const left = readBudget(message);
          if (left) setBudget(left);
        }
        change(id, column, (answer) => messages.reduce(readMessage, answer));
      }
      change(id, column, ended);
    } catch (error) {
      change(id, column, (answer) =>
        signal.aborted
          ? { ...answer, state: "stopped" }
          : { ...answer, state: "failed", error: describeProblem(error).title },
      );
    }
  };

  const ask = async (question: string, columns: readonly Column[], system: string, read: Read) => {
    running.current?.abort();
    const own = new AbortController();
    running.current = own;
    next.current += 1;
    const id = next.current;
    const prompts = columns.map((_, n) => promptOf(exchanges, n, system, question));
    const exchange: Exchange = { id, prompts, question, columns, answers: columns.map(() => noAnswer) };
    setExchanges((all) => [...all, exchange]);
    setBusy(true);
    await Promise.all(
      columns.map((column, n) => stream(id, n, questionOf(column, prompts[n] ?? [], read), own.signal)),
    );
    if (running.current === own) {
      running.current = null;
      setBusy(false);
    }
  };

  return {
    exchanges,
    budget,
    busy,
    ask,
    stop: () => running.current?.abort(),
    clear: () => {
      running.current?.abort();
      setExchanges([]);
    },
  };
}
