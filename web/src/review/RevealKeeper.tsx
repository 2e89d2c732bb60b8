import { useEffect } from "react";
import { Link } from "wouter";
import { Button } from "@/components/ui/Button";
import { Notice } from "@/components/ui/Notice";
import { plural } from "@/lib/format";
import { useStore } from "@/lib/store";
import { look, reveal, watched } from "./reveal";

/** Between two looks, a block. */
const EVERY = 3000;

/** Reveals in time what was sealed in this browser, and says that the page has to stay open for it. */
export default function RevealKeeper() {
  const votes = useStore(watched);
  const owed = votes.filter(({ standing }) => standing !== "unsent");
  useEffect(() => {
    // What fails is tried again: the chain may be away for a moment.
    const again = () => void look().catch(() => undefined);
    again();
    const timer = setInterval(again, EVERY);
    return () => clearInterval(timer);
  }, []);
  const waits = owed.length > 0;
  useEffect(() => {
    if (!waits) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [waits]);
  if (!waits) return null;
  const refused = owed.find(({ standing, declined }) => standing === "open" && declined);
  return (
    <div className="mx-auto w-full max-w-6xl px-4 pt-6 sm:px-6 lg:px-8">
      <Notice
        tone="warn"
        alert={refused !== undefined}
        title={
          refused
            ? `The votes of draw ${refused.vote.draw} are not revealed`
            : `Keep this page open: ${plural(owed.length, "sealed vote")} ${owed.length === 1 ? "has" : "have"} to be revealed`
        }
        actions={
          refused && (
            <Button look="primary" onClick={() => void reveal(refused.vote)}>
              Reveal them now
            </Button>
          )
        }
      >
        {refused
          ? "The signature was not given. What is not revealed in time costs your seats more than revealing pays."
          : owed.every(({ vote }) => vote.ahead)
            ? "It sends what you signed as soon as reveals open, and asks for another signature if the account sends something else before. If you have to close it, export the votes and import them in another browser before their time."
            : "It asks for the signature as soon as reveals open. If you have to close it, export the votes and import them in another browser before their time."}{" "}
        <Link href="/committees" className="link">
          Kept votes
        </Link>
      </Notice>
    </div>
  );
}
