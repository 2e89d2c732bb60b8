// Answers as they are streamed: OpenAI's chunks, and what the gateway adds to them.

import type { Message } from "@/api/eventStream";
import type { Consulted, Receipt, Remaining } from "@/api/types";

export type Budget = Remaining;

export interface Answer {
  text: string;
  state: "waiting" | "coming" | "done" | "stopped" | "failed";
  /** Why it ended: `stop`, or `length` where the token limit did. */
  finish: string | null;
  error: string | null;
  tokens: number | null;
  seed: string | null;
  /** What the server says that answered, as hashes. */
  baseSha256: string | null;
  adapterSha256: string | null;
  /** The documentation that was asked before; null where none was. */
  sources: readonly Consulted[] | null;
  /** What the answer rests on, as it is recorded. */
  receipt: Receipt | null;
}

export const noAnswer: Answer = {
  ...{ text: "", state: "waiting", finish: null, error: null, tokens: null },
  ...{ seed: null, baseSha256: null, adapterSha256: null, sources: null, receipt: null },
};

interface Chunk {
  choices?: { delta?: { content?: string | null }; finish_reason?: string | null }[];
  usage?: { completion_tokens?: number } | null;
  error?: { message?: string } | string;
  openledger?: { seed?: number | string; base_sha256?: string; adapter_sha256?: string | null };
}

/** An answer after one more message of its stream. */
export function readMessage(answer: Answer, message: Message): Answer {
  if (message.event === "budget") return answer;
  if (message.data === "[DONE]") return answer.state === "failed" ? answer : { ...answer, state: "done" };
  let data: unknown;
  try {
    data = JSON.parse(message.data);
  } catch {
    return answer;
  }
  if (message.event === "sources") return { ...answer, sources: data as Consulted[] };
  if (message.event === "receipt") return { ...answer, receipt: data as Receipt };
  const chunk = data as Chunk;
  if (chunk.error) {
    const error =
      typeof chunk.error === "string" ? chunk.error : (chunk.error.message ?? "no reason was given");
    return { ...answer, state: "failed", error };
  }
  const choice = chunk.choices?.[0];
  const named = chunk.openledger;
  return {
    ...answer,
    state: "coming",
    text: answer.text + (choice?.delta?.content ?? ""),
    finish: choice?.finish_reason ?? answer.finish,
    tokens: chunk.usage?.completion_tokens ?? answer.tokens,
    seed: named?.seed === undefined ? answer.seed : String(named.seed),
    baseSha256: named?.base_sha256 ?? answer.baseSha256,
    adapterSha256: named?.adapter_sha256 ?? answer.adapterSha256,
  };
}

/** The budget that a message tells. */
export function readBudget(message: Message): Budget | null {
  if (message.event !== "budget") return null;
  try {
    return JSON.parse(message.data) as Budget;
  } catch {
    return null;
  }
}

/** A stream that ended without a word that it was done was cut. */
export function ended(answer: Answer): Answer {
  if (answer.state === "done" || answer.state === "failed" || answer.state === "stopped") return answer;
  return { ...answer, state: "failed", error: "The answer was cut off" };
}
