import type { Counts } from "@/api/types";
import { formatCount } from "./format";

/** How many of the decided submissions were accepted, in words; null before the first verdict. */
export function sayAcceptance({ accepted, rejected }: Pick<Counts, "accepted" | "rejected">): string | null {
  const decided = accepted + rejected;
  if (decided === 0) return null;
  // 99.9 % is not all of them, and 0.1 % is not none.
  const share = (100 * accepted) / decided;
  const percent = share > 0 && share < 1 ? "< 1" : share > 99 && share < 100 ? "> 99" : share.toFixed(0);
  return `${percent} % (${formatCount(accepted)} of ${formatCount(decided)})`;
}
