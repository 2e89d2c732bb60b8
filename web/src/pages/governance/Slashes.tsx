import type { Call } from "@/calls/decode";
import { Loaded } from "@/components/ui/States";
import { AccountName, Amount } from "@/components/ui/Values";
import { formatCount, plural } from "@/lib/format";
import type { WaitingSlash } from "./propose";
import { useWaitingSlashes } from "./slashes.state";

/** What a slash takes of whom. */
export function SlashTakes({ slash: { own, others, backers } }: { slash: WaitingSlash }) {
  return (
    <>
      <Amount plancks={own} /> of its own
      {backers > 0 && (
        <>
          {" "}
          and <Amount plancks={others} /> of {plural(backers, "account")} that backed it
        </>
      )}
    </>
  );
}

/** Whose slashes a call cancels, as they wait now; nothing for another call. */
export function CancelledSlashes({ call: { pallet, name, values } }: { call: Call }) {
  if (pallet !== "Staking" || name !== "cancel_deferred_slash") return null;
  return <Cancelled era={Number(values.era)} places={(values.slash_indices as unknown[]).map(Number)} />;
}

function Cancelled({ era, places }: { era: number; places: readonly number[] }) {
  const slashes = useWaitingSlashes();
  return (
    <div className="grid gap-2 border-t border-line pt-4 text-sm">
      <p className="text-soft">
        {places.length === 1 ? "The slash that it names now:" : "The slashes that it names now:"}
      </p>
      <Loaded query={slashes}>
        {(waiting) => (
          <ul className="grid gap-2">
            {places.map((place) => {
              const slash = waiting.find((one) => one.era === era && one.place === place);
              return (
                <li key={place} className="flex flex-wrap items-center gap-x-3 gap-y-1">
                  {slash ? (
                    <>
                      <AccountName account={slash.validator} />
                      <span>
                        <SlashTakes slash={slash} />
                      </span>
                    </>
                  ) : (
                    `None waits for era ${formatCount(era)} in place ${formatCount(place)}: it was taken or cancelled.`
                  )}
                </li>
              );
            })}
          </ul>
        )}
      </Loaded>
    </div>
  );
}
