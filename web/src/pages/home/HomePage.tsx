import { useStatus } from "@/api/queries";
import { Card } from "@/components/ui/Card";
import { Page } from "@/components/ui/Page";
import { Loaded } from "@/components/ui/States";
import { Stat } from "@/components/ui/Values";
import { formatCount } from "@/lib/format";

/** What this is, and live numbers. */
export default function HomePage() {
  const status = useStatus();
  return (
    <Page
      title="OpenLedger"
      about="People contribute files to Datanets, curators accept or refuse each of them, and only what is accepted earns OPEN. Anyone can train a model on it, and who made its data stays readable, file by file."
    >
      <Card>
        <Loaded query={status}>
          {(data) => (
            <dl className="grid grid-cols-2 gap-6 sm:grid-cols-4">
              <Stat label="Final block">{formatCount(data.finalised)}</Stat>
              <Stat label="Peers">{formatCount(data.peers ?? 0)}</Stat>
            </dl>
          )}
        </Loaded>
      </Card>
    </Page>
  );
}
