// Whether a Datanet takes files of an account now, and if not, why and what to do: the chain's rules of
// pallets/datanets/src/admission.rs, asked before files are chosen.

import { useQuery } from "@tanstack/react-query";
import type { Datanet } from "@/api/types";
import { formatCount } from "@/lib/format";

/** What the chain says of a Datanet and an account. */
export interface Facts {
  status: "Open" | "Paused" | "Closed";
  barred: boolean;
  admission: { type: "Open" } | { type: "Invited" } | { type: "Points"; least: bigint };
  invited: boolean;
  /** The account's points over all Datanets. */
  points: bigint;
  /** Plancks that pay its committees, and what a file costs; null where curators judge. */
  budget: { available: bigint; file: bigint } | null;
}

export interface Standing {
  /** Whether files may be submitted. */
  takes: boolean;
  tone: "warn" | "bad";
  title: string;
  next: string;
  /** A page that helps. */
  link: { href: string; text: string } | null;
}

const others = { href: "/datanets", text: "Other Datanets" };

/** Why a Datanet does not take files of an account, or what they will wait for; null where nothing is in the way. */
export function standing(facts: Facts): Standing | null {
  const no = { takes: false, tone: "warn" as const, link: others };
  if (facts.status === "Closed") {
    return {
      ...no,
      title: "It is closed",
      next: "It takes no files any more, for ever. What was accepted stays. Choose another Datanet.",
    };
  }
  if (facts.status === "Paused") {
    return {
      ...no,
      title: "It takes no files for now",
      next: "Its owner paused it, and may let files in again. Choose another Datanet meanwhile.",
    };
  }
  if (facts.barred) {
    return {
      ...no,
      tone: "bad",
      title: "Its owner barred your account",
      next: "Other Datanets take your files.",
    };
  }
  if (facts.admission.type === "Invited" && !facts.invited) {
    return {
      ...no,
      title: "It takes files of whom its owner invites",
      next: "Your account is not invited. Ask its owner, whom the Datanet’s page names.",
    };
  }
  if (facts.admission.type === "Points" && !facts.invited && facts.points < facts.admission.least) {
    return {
      ...no,
      title: `It takes files of accounts with ${formatCount(facts.admission.least)} points over all Datanets`,
      next: `You have ${formatCount(facts.points)}. Earn more where committees drawn from many reviewers judge, or ask its owner to invite you.`,
      link: { href: "/leaderboard/global", text: "The board over all Datanets" },
    };
  }
  if (facts.budget && facts.budget.available < facts.budget.file) {
    return {
      ...no,
      title: "Its review budget pays for no committee",
      next: "No file can be submitted until its owner, whom the Datanet’s page names, pays in. Choose another Datanet meanwhile.",
    };
  }
  return null;
}

/** What stands in the way of an account's files; undefined until the chain has answered. */
export function useStanding(datanet: Pick<Datanet, "id" | "committee">, account: string) {
  const committee = datanet.committee !== null;
  return useQuery({
    queryKey: ["datanet", datanet.id, "standing", account, committee],
    queryFn: async () => {
      const { getChain } = await import("@/chain/client");
      const { apis, constants } = getChain().api;
      const at = { at: "best" } as const;
      const [details, bar, [policy, invited], points, budget, rules] = await Promise.all([
        apis.DatanetsApi.details(datanet.id, at),
        apis.DatanetsApi.bar(datanet.id, account, at),
        apis.DatanetsApi.admission(datanet.id, account, at),
        apis.LeaderboardApi.global_points(account, at),
        committee ? apis.CommitteeApi.budget(datanet.id, at) : null,
        committee ? constants.Review.Rules() : null,
      ]);
      return standing({
        status: details?.status.type ?? "Open",
        barred: bar !== undefined,
        admission:
          policy.type === "Points" ? { type: "Points", least: policy.value.least } : { type: policy.type },
        invited,
        points,
        budget:
          budget && rules
            ? { available: budget.budget.available, file: rules.pay * BigInt(rules.size) }
            : null,
      });
    },
    refetchInterval: 12_000,
  });
}
