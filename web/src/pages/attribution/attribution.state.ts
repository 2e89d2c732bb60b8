import { useInfiniteQuery } from "@tanstack/react-query";
import { request } from "@/api/request";
import type { Attribution, FileShare } from "@/api/types";

/** A page of an adapter's files with the shares of all contributors; of one contributor only, if named. */
export function useAttribution(adapter: number, contributor: string | undefined, enabled: boolean) {
  return useInfiniteQuery({
    queryKey: ["attribution", adapter, contributor ?? ""],
    queryFn: ({ signal, pageParam }) =>
      request<Attribution>(`/v1/adapters/${adapter}/attribution`, {
        signal,
        query: { contributor, cursor: pageParam ?? undefined, limit: 100 },
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    enabled,
  });
}

/** A share in percent. */
export function percent(share: number, parts: number): string {
  const value = (100 * share) / parts;
  if (share > 0 && value < 0.01) return "< 0.01 %";
  return `${value.toFixed(2)} %`;
}

const columns = [
  "submission",
  "datanet",
  "leaf",
  "contributor",
  "sha256",
  "content",
  "units",
  "share",
  "parts",
];

/** Files with their shares as CSV. Everything in it is a number, an account, a hash or a content id. */
export function attributionCsv(files: readonly FileShare[], parts: number): string {
  const rows = files.map((file) =>
    [
      ...[file.id, file.datanet, file.leaf, file.contributor, file.sha256, file.content, file.units],
      ...[file.share, parts],
    ].join(","),
  );
  return `${[columns.join(","), ...rows].join("\r\n")}\r\n`;
}

/** All files of an adapter, page by page. */
export async function readFiles(adapter: number): Promise<{ files: FileShare[]; parts: number }> {
  const files: FileShare[] = [];
  let parts = 0;
  let cursor: string | null = null;
  do {
    const page: Attribution = await request<Attribution>(`/v1/adapters/${adapter}/attribution`, {
      query: { cursor, limit: 100 },
    });
    files.push(...page.items);
    parts = page.parts;
    cursor = page.next;
  } while (cursor !== null);
  return { files, parts };
}
