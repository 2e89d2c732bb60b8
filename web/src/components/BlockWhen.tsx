import { useStatus } from "@/api/queries";
import { BLOCK_TIME, formatCount, formatDuration } from "@/lib/format";

/** A block, and in about how long it comes or how long ago it was. */
export function BlockWhen({ block }: { block: number }) {
  const best = useStatus().data?.best;
  const about =
    best === undefined || best === null
      ? ""
      : block > best
        ? `, in about ${formatDuration((block - best) * BLOCK_TIME)}`
        : `, about ${formatDuration((best - block) * BLOCK_TIME)} ago`;
  return (
    <span className="tabular">
      block {formatCount(block)}
      {about}
    </span>
  );
}
