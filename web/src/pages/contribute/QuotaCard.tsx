import type { Account as AccountRecord } from "@/api/types";
import { Meter } from "@/components/ui/Bars";
import { Card } from "@/components/ui/Card";
import { formatBytes, formatDuration } from "@/lib/format";
import { useNow } from "@/lib/now";

/** What the account may still submit today, over all Datanets. */
export function QuotaCard({
  quota,
  waiting,
}: {
  quota: AccountRecord["quota"];
  waiting: { files: number; bytes: number };
}) {
  const now = useNow();
  const { used, limits, resetsAt } = quota;
  return (
    <Card title="Today's quota" about="Over all Datanets. Within it, submitting costs no fee.">
      <div className="grid gap-4">
        <Meter
          label="Files"
          value={used.files + waiting.files}
          max={limits.files}
          shown={`${used.files}${waiting.files ? ` + ${waiting.files} here` : ""} of ${limits.files}`}
        />
        <Meter
          label="Bytes"
          value={used.bytes + waiting.bytes}
          max={limits.bytes}
          shown={`${formatBytes(used.bytes)}${waiting.bytes ? ` + ${formatBytes(waiting.bytes)} here` : ""} of ${formatBytes(limits.bytes)}`}
        />
        <p className="text-xs text-soft">Begins anew in {formatDuration(resetsAt - now)}, at 00:00 UTC.</p>
      </div>
    </Card>
  );
}
