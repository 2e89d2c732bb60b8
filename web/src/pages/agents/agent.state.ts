import { useQuery } from "@tanstack/react-query";
import type { Account } from "@/accounts/state";
import { useList } from "@/api/queries";
import { ApiError, request } from "@/api/request";
import type { Draft, Instructions, InstructionsVersion, Receipt } from "@/api/types";
import { ProblemError } from "@/lib/problem";

/** Bounds of instructions, as the gateway has them. */
const MAX_SYSTEM = 8192;
const MAX_GOAL = 200;
const MAX_SOURCES = 8;
/** The gateway's own documentation, as a source. */
export const OWN = "docs";

const path = (adapter: number) => `/v1/adapters/${adapter}/instructions`;

/** The instructions that hold now; null where there are none. */
export function useInstructions(adapter: number, enabled: boolean) {
  return useQuery({
    queryKey: ["instructions", adapter],
    queryFn: async ({ signal }) => {
      try {
        return await request<InstructionsVersion>(path(adapter), { signal });
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
    enabled,
  });
}

export const useVersions = (adapter: number, enabled: boolean) =>
  useList<InstructionsVersion>(
    ["instructions", adapter, "versions"],
    `${path(adapter)}/versions`,
    { limit: 20 },
    enabled,
  );
export const useReceipts = (adapter: number, enabled: boolean) =>
  useList<Receipt>(["receipts", adapter], `/v1/adapters/${adapter}/receipts`, { limit: 20 }, enabled);

/** Instructions as they are typed: sources a line each. */
export interface Typed {
  system: string;
  goal: string;
  own: boolean;
  sources: string;
}

export function typedOf(instructions: Instructions | undefined): Typed {
  const sources = instructions?.sources ?? [OWN];
  return {
    system: instructions?.system ?? "",
    goal: instructions?.goal ?? "",
    own: sources.includes(OWN),
    sources: sources.filter((source) => source !== OWN).join("\n"),
  };
}

const bytes = (text: string) => new TextEncoder().encode(text).length;

/** What was typed as the gateway takes it, and what is wrong with it. */
export function readTyped(typed: Typed): {
  instructions: Instructions;
  errors: Partial<Record<"system" | "goal" | "sources", string>>;
} {
  const errors: Partial<Record<"system" | "goal" | "sources", string>> = {};
  const lines = typed.sources.split("\n").map((line) => line.trim());
  const sources = [...(typed.own ? [OWN] : []), ...lines.filter((line) => line !== "")];
  const system = typed.system.trim();
  const goal = typed.goal.trim();
  if (bytes(system) > MAX_SYSTEM) errors.system = `${bytes(system)} bytes; at most ${MAX_SYSTEM}`;
  if (bytes(goal) > MAX_GOAL) errors.goal = `${bytes(goal)} bytes; at most ${MAX_GOAL}`;
  const wrong = sources.find((source) => source !== OWN && !/^https?:\/\/[^?#\s]+$/.test(source));
  const twice = sources.find((source, place) => sources.indexOf(source) !== place);
  if (sources.length > MAX_SOURCES) errors.sources = `${sources.length} sources; at most ${MAX_SOURCES}`;
  else if (wrong) errors.sources = `“${wrong}” is no address of a page; begin with https://, without a query`;
  else if (twice) errors.sources = `“${twice}” is named twice`;
  return { instructions: { system, goal: goal === "" ? null : goal, sources }, errors };
}

/** The text that the owner signs for new instructions. */
export function draftOf(account: string, adapter: number, instructions: Instructions): Promise<Draft> {
  return request<Draft>(`${path(adapter)}/draft`, { method: "POST", body: { account, instructions } });
}

/** Signs a draft and hands it to the gateway. */
export async function publish(
  account: Account,
  adapter: number,
  instructions: Instructions,
  { text, version }: Draft,
): Promise<InstructionsVersion> {
  const { signText } = await import("@/accounts/signing");
  let signature: string;
  try {
    signature = await signText(account, text);
  } catch (cause) {
    if (cause instanceof ProblemError) throw cause;
    throw new ProblemError("The instructions were not signed", "Nothing was changed.", { cause });
  }
  const body = { account: account.address, version, instructions, signature };
  return request<InstructionsVersion>(path(adapter), { method: "PUT", body });
}
