import { useRef, useState } from "react";
import type { Account } from "@/accounts/state";
import { toast } from "@/app/toasts";
import { Badge } from "@/components/ui/Badge";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { plural } from "@/lib/format";
import { useStore } from "@/lib/store";
import { look, watched } from "@/review/reveal";
import { exportVotes, importVotes } from "@/review/votes";

const said = {
  sealed: { label: "waits for reveals to open", tone: "info" },
  open: { label: "can be revealed", tone: "warn" },
  unsent: { label: "was never sent", tone: "neutral" },
  done: { label: "revealed", tone: "good" },
} as const;

/** Saves text as a file of the visitor's. */
function save(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}

/** Sealed votes that this browser keeps, and the way to take them to another one. */
export function KeptCard({ account }: { account: Account }) {
  const votes = useStore(watched);
  const chosen = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState<string>();
  const take = async (file: File | undefined) => {
    if (!file) return;
    try {
      const count = await importVotes(await file.text(), account);
      setProblem(undefined);
      toast(
        `${plural(count, "sealed vote")} imported; this page reveals ${count === 1 ? "it" : "them"} in time`,
        "good",
      );
      await look();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <Card
      {...(votes.length > 0 || problem ? {} : { className: "pb-5" })}
      title="Sealed votes in this browser"
      about={
        votes.length > 0
          ? "What opens a sealed vote is kept here alone until it is revealed. Who has the exported file can read the vote before its time: share it with nobody."
          : "None is kept. If you sealed votes in another browser, import them here to have this one reveal them."
      }
      actions={
        <>
          {votes.length > 0 && (
            <Button
              size="small"
              onClick={() => void exportVotes().then((text) => save("sealed-votes.json", text))}
            >
              Export
            </Button>
          )}
          <Button size="small" onClick={() => chosen.current?.click()}>
            Import
          </Button>
          <input
            ref={chosen}
            type="file"
            accept="application/json,.json"
            aria-label="File of sealed votes"
            className="sr-only"
            tabIndex={-1}
            onChange={(event) => {
              void take(event.target.files?.[0]);
              event.target.value = "";
            }}
          />
        </>
      }
    >
      {votes.length > 0 || problem ? (
        <div className="grid gap-2 text-sm">
          {problem && (
            <p role="alert" className="font-medium text-bad">
              {problem}
            </p>
          )}
          <ul className="grid gap-2">
            {votes.map(({ vote, standing }) => (
              <li key={vote.commitment} className="flex flex-wrap items-center gap-2">
                Draw {vote.draw}, {plural(vote.opinions.length, "file")}
                <Badge tone={said[standing].tone}>{said[standing].label}</Badge>
              </li>
            ))}
          </ul>
        </div>
      ) : undefined}
    </Card>
  );
}
