import { useQuery } from "@tanstack/react-query";
import { useGet, useList } from "@/api/queries";
import { request } from "@/api/request";
import type { Adapter, BaseModel, Datanet, Dataset, Job, JobDetail, List, Worker } from "@/api/types";
import { plural } from "@/lib/format";
import { ProblemError } from "@/lib/problem";

/** Entries of a list that is read whole. */
const MOST = 1000;

/** A list that is short enough to be read whole; `more` says that it was cut. */
async function whole<T>(
  path: string,
  query: Record<string, string | number>,
  signal: AbortSignal,
): Promise<{ items: T[]; more: boolean }> {
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const page: List<T> = await request<List<T>>(path, { signal, query: { ...query, limit: 100, cursor } });
    items.push(...page.items);
    cursor = page.next;
  } while (cursor !== null && items.length < MOST);
  return { items, more: cursor !== null };
}

function useWhole<T>(
  key: readonly (string | number)[],
  path: string,
  query: Record<string, string | number> = {},
) {
  return useQuery({ queryKey: [...key, query], queryFn: ({ signal }) => whole<T>(path, query, signal) });
}

export const useModels = () => useWhole<BaseModel>(["models"], "/v1/models");
export const useWorkers = () => useWhole<Worker>(["workers"], "/v1/workers");
export const useDatanets = () => useWhole<Datanet>(["datanets"], "/v1/datanets");
export const useAdapters = () => useWhole<Adapter>(["adapters"], "/v1/adapters");

export const useJob = (id: number, enabled = true) =>
  useGet<JobDetail>(["job", id], `/v1/jobs/${id}`, undefined, enabled);
export const useAdapter = (id: number, enabled = true) =>
  useGet<Adapter>(["adapter", id], `/v1/adapters/${id}`, undefined, enabled);
export const useJobs = (query: { owner?: string | undefined; state?: string | undefined }) =>
  useList<Job>(["job", "list"], "/v1/jobs", query);

/** Whether the chain has a job that the gateway does not know: its block is not final yet. Asked until it is. */
export function useIsComing(job: number, enabled: boolean) {
  return useQuery({
    queryKey: ["coming job", job],
    queryFn: async () => {
      const { getChain } = await import("@/chain/client");
      return (await getChain().api.query.Training.NextJob.getValue({ at: "best" })) > BigInt(job);
    },
    enabled,
    refetchInterval: 3000,
  });
}

/** The line of adapters from which a job's adapter comes, the nearest first, as the chain says it. */
export function useAncestry(job: number) {
  return useQuery({
    queryKey: ["ancestry", job],
    queryFn: async () => {
      const { getChain } = await import("@/chain/client");
      return (await getChain().api.apis.TrainingApi.ancestry(BigInt(job), 100)).map(Number);
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Revoked leaves of a Datanet that are read: the first ones. */
export const MOST_REVOKED = 100;

/** Leaves of a Datanet that were revoked, in their order. */
async function revokedOf(datanet: number, most: number): Promise<number[]> {
  const { getChain } = await import("@/chain/client");
  const found = await getChain().api.apis.DatanetsApi.revoked(datanet, 0n, most, { at: "best" });
  return found.map(Number);
}

/** What was revoked of Datanets, by their numbers. Jobs may name versions of at most as many files as the first. */
export function useRevoked(datanets: readonly number[]) {
  return useQuery({
    queryKey: ["datanet", "revoked", datanets.join()],
    queryFn: async () =>
      new Map(
        await Promise.all(
          datanets.map(async (datanet) => [datanet, await revokedOf(datanet, MOST_REVOKED)] as const),
        ),
      ),
    enabled: datanets.length > 0,
  });
}

/**
 * The newest version of a Datanet that a job may name, or the one that it had with so many files; null if there is
 * none.
 */
export async function readVersion(datanet: number, leaves?: number): Promise<Dataset | null> {
  const { getChain } = await import("@/chain/client");
  const { DatanetsApi } = getChain().api.apis;
  const [now, [revoked]] = await Promise.all([DatanetsApi.datanet(datanet), revokedOf(datanet, 1)]);
  const newest = now?.version;
  const most = revoked ?? Number.POSITIVE_INFINITY;
  if (leaves !== undefined && leaves > most) {
    throw new ProblemError(
      `File ${most + 1} of this Datanet was revoked: a job may name versions of up to ${plural(most, "file")}`,
    );
  }
  const wanted = leaves ?? (newest && Number(newest.leaves) > most ? most : undefined);
  const version = wanted === undefined ? newest : await DatanetsApi.version_at(datanet, BigInt(wanted));
  if (!version || version.leaves === 0n) return null;
  return { datanet, leaves: Number(version.leaves), root: version.root };
}
