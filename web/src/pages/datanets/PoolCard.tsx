import type { Pool } from "@/api/types";
import { Card } from "@/components/ui/Card";
import { EmptyState } from "@/components/ui/States";
import { Amount, Facts, Stat } from "@/components/ui/Values";
import { formatCount } from "@/lib/format";
import { termsOf } from "./fund.state";

/** What a Datanet pays for points. */
export function PoolCard({ pool }: { pool: Pool | null }) {
  const terms = termsOf(pool);
  return (
    <Card title="Reward pool" about="What accepted files are paid from.">
      {!pool || !terms ? (
        <EmptyState icon="wallet" title="Nobody has funded it yet">
          Points count all the same; they bring OPEN from the first payment on.
        </EmptyState>
      ) : (
        <div className="grid gap-5">
          <dl className="grid gap-5 sm:grid-cols-2">
            <Stat label="To be earned">
              <Amount plancks={pool.available} />
            </Stat>
            {pool.points !== "0" && (
              <Stat label={`Points of period ${formatCount(pool.period)}`}>{formatCount(pool.points)}</Stat>
            )}
          </dl>
          <Facts
            facts={[
              ["Paid in", <Amount key="in" plancks={pool.totalIn} />],
              ["Paid out", <Amount key="out" plancks={pool.claimed} />],
              ["Earned, not yet claimed", <Amount key="owed" plancks={pool.owed} />],
              ["Most for a period", <Amount key="period" plancks={terms.per_period} most={18} />],
              ["Most for a point", <Amount key="point" plancks={terms.max_per_point} most={18} />],
            ]}
          />
        </div>
      )}
    </Card>
  );
}
