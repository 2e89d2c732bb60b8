import { useQuery } from "@tanstack/react-query";
import { useMemo, useSyncExternalStore } from "react";
import type { Account } from "@/accounts/state";
import { type Call, getDecoder } from "@/calls/decode";
import { getChain } from "@/chain/client";
import { describeProblem, type Problem, ProblemError } from "@/lib/problem";
import { type Cost, costOf } from "./costs";
import { readLink, type SignLink } from "./link";

function subscribe(changed: () => void): () => void {
  window.addEventListener("hashchange", changed);
  return () => window.removeEventListener("hashchange", changed);
}

/** What the address asks to sign, or why that is not looked at. */
export function useLink(): { link: SignLink } | { problem: Problem } {
  const fragment = useSyncExternalStore(subscribe, () => window.location.hash);
  return useMemo(() => {
    try {
      return { link: readLink(fragment) };
    } catch (error) {
      return { problem: describeProblem(error) };
    }
  }, [fragment]);
}

/** The chain that transactions of this page go to. */
interface Here {
  chain: string;
  genesis: string;
  spec: number;
}

async function here(): Promise<Here> {
  const { client } = getChain();
  const [{ name, genesisHash }, version] = await Promise.all([
    client.getChainSpecData(),
    client.getUnsafeApi().constants.System?.Version?.() as Promise<{ spec_version: number } | undefined>,
  ]);
  if (!version) throw new ProblemError("The chain does not say its version");
  return { chain: name, genesis: genesisHash.replace(/^0x/, ""), spec: version.spec_version };
}

/** A call that may be signed here. */
export interface Signable {
  here: Here;
  call: Call;
  cost: Cost;
}

/** Compares the link with the chain, and reads the call. Whatever does not fit is a problem. */
export function judge(link: SignLink, chain: Here, built: number): void {
  if (link.genesis !== chain.genesis) {
    throw new ProblemError(
      "The transaction is for another chain",
      `It names the chain that begins with ${link.genesis.slice(0, 12)}…; this one begins with ${chain.genesis.slice(0, 12)}…`,
    );
  }
  if (link.spec !== chain.spec) {
    throw new ProblemError(
      `The transaction is for version ${link.spec} of the chain, which is at ${chain.spec}`,
      "The same bytes may mean something else now. Have it made anew.",
    );
  }
  if (built !== chain.spec) {
    throw new ProblemError(
      `This page reads calls of version ${built} of the chain, which is at ${chain.spec}`,
      "Load the page again; the gateway may have been updated.",
    );
  }
}

export function useSignable(link: SignLink | undefined) {
  return useQuery<Signable>({
    queryKey: ["sign", link ?? null],
    enabled: link !== undefined,
    retry: (tries, error) => tries < 2 && !(error instanceof ProblemError),
    queryFn: async () => {
      if (!link) throw new Error("there is no link");
      const [chain, decoder] = await Promise.all([here(), getDecoder()]);
      judge(link, chain, decoder.spec);
      const call = decoder.decode(link.call);
      return { here: chain, call, cost: costOf(call, decoder.constant) };
    },
  });
}

/** The transaction of a call's bytes: the very bytes, or nothing. */
export async function transactionOf(link: SignLink) {
  const made = await getChain().api.txFromCallData(link.call);
  const encoded = await made.getEncodedData();
  if (encoded.length !== link.call.length || encoded.some((byte, n) => byte !== link.call[n])) {
    throw new ProblemError(
      "The chain's own description reads these bytes in another way",
      "Do not sign them.",
    );
  }
  return made;
}

/** What the chain takes for including it; null where it takes nothing. */
export function useFee(link: SignLink, account: Account | null, free: boolean) {
  return useQuery({
    queryKey: ["sign", "fee", link, account?.address ?? ""],
    enabled: account !== null && !free,
    queryFn: async () => (await transactionOf(link)).getEstimatedFees(account?.address ?? ""),
  });
}
