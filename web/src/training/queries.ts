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

/** Workers that a dispute takes: three that are drawn, beside the one that trained. */
export const NEEDED_JUDGES = 4;

/** How many workers could judge results of a base model, beside an owner. */
export function useJudges(base: number, owner: string | undefined) {
  return useQuery({
    queryKey: ["judges", base, owner ?? ""],
    queryFn: async () => {
      const { getChain } = await import("@/chain/client");
      return getChain().api.apis.TrainingApi.judges(base, owner, { at: "best" });
    },
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

/** How many of the first leaves of a Datanet were revoked up to now: a job that is queued next leaves them out. */
async function countRevoked(datanet: number, leaves: number): Promise<number> {
  return (await revokedWithin(datanet, leaves)).length;
}

/** Which of the first leaves of a Datanet were revoked, in their order. */
export async function revokedWithin(datanet: number, leaves: number): Promise<number[]> {
  const { getChain } = await import("@/chain/client");
  const { DatanetsApi } = getChain().api.apis;
  const found: number[] = [];
  for (let start = 0n; start < BigInt(leaves); ) {
    const page = await DatanetsApi.revoked(datanet, start, MOST_REVOKED, { at: "best" });
    found.push(...page.map(Number).filter((leaf) => leaf < leaves));
    const last = page.at(-1);
    if (last === undefined || page.length < MOST_REVOKED) break;
    start = last + 1n;
  }
  return found;
}

/** What was revoked of Datanets, by their numbers: the first leaves of each. */
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
 * The newest version of a Datanet, or the one that it had with so many files, and how many of them a job leaves out
 * since they were revoked; null if there is none. A version of which nothing is left is refused.
 */
export async function readVersion(datanet: number, leaves?: number): Promise<Dataset | null> {
  const { getChain } = await import("@/chain/client");
  const { DatanetsApi } = getChain().api.apis;
  const version =
    leaves === undefined
      ? (await DatanetsApi.datanet(datanet))?.version
      : await DatanetsApi.version_at(datanet, BigInt(leaves));
  if (!version || version.leaves === 0n) return null;
  const files = Number(version.leaves);
  const leftOut = await countRevoked(datanet, files);
  if (leftOut === files) {
    throw new ProblemError(
      files === 1
        ? "The one file of this version was revoked, which leaves nothing to train on"
        : `Each of the ${plural(files, "file")} of this version was revoked, which leaves nothing to train on`,
    );
  }
  return { datanet, leaves: files, root: version.root, leftOut };
}
