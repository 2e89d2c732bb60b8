import { useQuery } from "@tanstack/react-query";
import { useGet, useList } from "@/api/queries";
import { request } from "@/api/request";
import type { Adapter, BaseModel, Datanet, Dataset, Job, JobDetail, List, Worker } from "@/api/types";

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

/** The newest version of a Datanet, or the one that it had with so many files; null if it never had it. */
export async function readVersion(datanet: number, leaves?: number): Promise<Dataset | null> {
  const { getChain } = await import("@/chain/client");
  const { DatanetsApi } = getChain().api.apis;
  const version =
    leaves === undefined
      ? (await DatanetsApi.datanet(datanet))?.version
      : await DatanetsApi.version_at(datanet, BigInt(leaves));
  if (!version || version.leaves === 0n) return null;
  return { datanet, leaves: Number(version.leaves), root: version.root };
}
