// Queries that more than one page needs. A page's own stand beside it, in <page>.state.ts.

import { type QueryKey, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { ApiError, request } from "./request";
import type { Config, List, Status } from "./types";

/** Until what is not there is asked for again: it may be in a block that the gateway has not followed yet. */
const NOT_YET_MS = 5_000;

/** What does not change while the page is open, for who is no component. */
export const configQuery = {
  queryKey: ["config"],
  queryFn: ({ signal }: { signal: AbortSignal }) => request<Config>("/v1/config", { signal }),
  staleTime: Number.POSITIVE_INFINITY,
};

/** What does not change while the page is open. */
export function useConfig() {
  return useQuery(configQuery);
}

/** Where chain and index stand. Each block's event brings it anew. */
export function useStatus() {
  return useQuery({
    queryKey: ["status"],
    queryFn: ({ signal }) => request<Status>("/v1/status", { signal }),
    refetchInterval: 15_000,
  });
}

/** An answer of the gateway that events keep up to date. The key's first word is what it is about. */
export function useGet<T>(
  key: QueryKey,
  path: string,
  query?: Record<string, string | number | boolean | undefined | null>,
  enabled = true,
) {
  return useQuery({
    queryKey: [...key, query ?? {}],
    queryFn: ({ signal }) => request<T>(path, { signal, ...(query ? { query } : {}) }),
    enabled,
    refetchInterval: ({ state }) =>
      state.error instanceof ApiError && state.error.status === 404 ? NOT_YET_MS : false,
  });
}

/** A list of the gateway, page by page. */
export function useList<T>(
  key: QueryKey,
  path: string,
  query: Record<string, string | number | boolean | undefined | null> = {},
  enabled = true,
) {
  return useInfiniteQuery({
    queryKey: [...key, query],
    queryFn: ({ signal, pageParam }) =>
      request<List<T>>(path, { signal, query: { ...query, cursor: pageParam ?? undefined } }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    select: (data) => data.pages.flatMap((page) => page.items),
    enabled,
  });
}
