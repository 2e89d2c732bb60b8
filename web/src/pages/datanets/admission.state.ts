// Of whom a Datanet takes files, and whom its owner invites: as it is typed, and as the chain takes it.

import { useQuery } from "@tanstack/react-query";
import { decodeAddress, encodeAddress } from "@/accounts/address";
import type { Datanet } from "@/api/types";
import { formatCount } from "@/lib/format";
import { whole } from "./whole";

/** Most accounts that one transaction invites. */
export const MOST_INVITED = 50;

export type Admission = "open" | "invited" | "points";

/** What is typed about whom a Datanet takes files of. */
export interface AdmissionText {
  admission: Admission;
  leastPoints: string;
}

export type ChainAdmission =
  | { type: "Open"; value: undefined }
  | { type: "Invited"; value: undefined }
  | { type: "Points"; value: { least: bigint } };

/** What is typed, as the chain takes it, or what is wrong with it. */
export function readAdmission({ admission, leastPoints }: AdmissionText): {
  policy: ChainAdmission | null;
  problem?: string;
} {
  if (admission === "open") return { policy: { type: "Open", value: undefined } };
  if (admission === "invited") return { policy: { type: "Invited", value: undefined } };
  const least = whole(leastPoints);
  if (least === null || least < 1) {
    return { policy: null, problem: "Write how many points an account needs, 1 or more." };
  }
  return { policy: { type: "Points", value: { least: BigInt(least) } } };
}

/** Of whom a Datanet takes files, in words. */
export function sayAdmission({ admission, leastPoints }: Pick<Datanet, "admission" | "leastPoints">): string {
  if (admission === "invited") return "whom its owner invites";
  if (admission !== "points") return "everybody";
  return `accounts with ${formatCount(leastPoints ?? "0")} points over all Datanets, and whom its owner invites`;
}

/** Accounts that are typed, as this network writes them, each once; or what is wrong with them. */
export function readAccounts(typed: string): { accounts: string[]; problem?: string } {
  const accounts: string[] = [];
  for (const word of typed.split(/[\s,;]+/).filter(Boolean)) {
    const key = decodeAddress(word);
    if (!key) return { accounts, problem: `${word.slice(0, 60)} is no account; it may be mistyped.` };
    const account = encodeAddress(key);
    if (accounts.includes(account)) return { accounts, problem: `${account} is named twice.` };
    accounts.push(account);
  }
  return { accounts };
}

/** Accounts to invite that are typed, or what is wrong with them. */
export function readInvited(typed: string): { accounts: string[]; problem?: string } {
  const { accounts, problem } = readAccounts(typed);
  if (problem) return { accounts, problem };
  if (accounts.length > MOST_INVITED) {
    return {
      accounts,
      problem: `${accounts.length} accounts; ${MOST_INVITED} can be invited at once. Invite the others afterwards.`,
    };
  }
  return { accounts };
}

/** Which of these accounts are invited to a Datanet, as the chain has it now. */
export function useInvited(datanet: number, accounts: readonly string[]) {
  return useQuery({
    queryKey: ["datanet", datanet, "invited", accounts.join()],
    queryFn: async (): Promise<string[]> => {
      const { getChain } = await import("@/chain/client");
      const { DatanetsApi } = getChain().api.apis;
      const answers = await Promise.all(
        accounts.map((account) => DatanetsApi.admission(datanet, account, { at: "best" })),
      );
      return accounts.filter((_, n) => answers[n]?.[1]);
    },
    enabled: accounts.length > 0,
  });
}
