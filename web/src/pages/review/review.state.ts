import { useQuery } from "@tanstack/react-query";
import { useStatus } from "@/api/queries";

/** Votes of one transaction, at most: `MAX_VOTES` of pallets/review. */
export const MOST_VOTES = 20;

/** Of submissions, those that cannot be accepted yet, with the block from which on they can. */
export function useTooEarly(datanet: number, submissions: readonly number[]): ReadonlyMap<number, number> {
  const best = useStatus().data?.best;
  const { data } = useQuery({
    queryKey: ["acceptable", datanet, submissions.join()],
    queryFn: async () => {
      const { getChain } = await import("@/chain/client");
      const { DatanetsApi } = getChain().api.apis;
      const views = await Promise.all(
        submissions.map((id) =>
          DatanetsApi.submission(datanet, { type: "Number", value: BigInt(id) }, { at: "best" }),
        ),
      );
      return views.flatMap((view): [number, number][] =>
        view?.state.type === "Pending" ? [[Number(view.submission), view.state.value.acceptable_at]] : [],
      );
    },
    enabled: submissions.length > 0,
    placeholderData: (before) => before,
  });
  // Without a block to compare with nothing is known to be too early: the chain says it when it is signed.
  return new Map(best == null ? [] : data?.filter(([, block]) => block > best));
}
