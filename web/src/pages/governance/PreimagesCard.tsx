import type { Account } from "@/accounts/state";
import { transact } from "@/chain/transactions";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { Amount, Copyable } from "@/components/ui/Values";
import { formatCount } from "@/lib/format";
import { useOwnPreimages } from "./propose.state";

/** Preimages that the account pays for, and how their deposits come back. Nothing where there are none. */
export function PreimagesCard({ account }: { account: Account }) {
  const own = useOwnPreimages(account.address).data ?? [];
  if (own.length === 0) return null;
  return (
    <Card
      title="Your preimages"
      about="Bytes of proposals that you noted. While one is needed it stays readable, whether or not you pay for it."
    >
      <ul className="grid gap-4">
        {own.map(({ hash, length, deposit, needed }) => (
          <li key={hash} className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 text-sm">
            <div className="grid min-w-0 gap-0.5">
              <Copyable text={hash} what="hash of the preimage" />
              <p className="text-xs text-soft">
                {formatCount(length)} bytes, <Amount plancks={deposit} /> held.{" "}
                {needed && "A referendum or its enactment needs it."}
              </p>
            </div>
            <Button
              size="small"
              onClick={() =>
                void transact(account, {
                  title: "Take the preimage’s deposit back",
                  words: needed
                    ? "A referendum or its enactment needs these bytes, so the chain keeps them until that is over. What you hold for them is free."
                    : "The chain forgets these bytes. A referendum that names their hash can be read and carried out only when somebody notes them again.",
                  gained: deposit,
                  gainedWords: "No longer held",
                  build: (api) => api.tx.Preimage.unnote_preimage({ hash }),
                })
              }
            >
              Take it back
            </Button>
          </li>
        ))}
      </ul>
    </Card>
  );
}
