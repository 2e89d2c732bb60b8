import { Badge } from "@/components/ui/Badge";
import { stateOf } from "./words";

/** A job's state. */
export function StateBadge({ state }: { state: string }) {
  const { label, tone, means } = stateOf(state);
  return (
    <span title={means}>
      <Badge tone={tone}>{label}</Badge>
    </span>
  );
}
