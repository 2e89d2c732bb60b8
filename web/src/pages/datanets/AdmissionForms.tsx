import { useState } from "react";
import type { Account } from "@/accounts/state";
import type { Datanet } from "@/api/types";
import { transact } from "@/chain/transactions";
import { Button } from "@/components/ui/Button";
import { plural } from "@/lib/format";
import { AdmissionFields, InvitedField } from "./AdmissionFields";
import { type AdmissionText, readAdmission, readInvited, sayAdmission, useInvited } from "./admission.state";
import { entryDeposit } from "./create.state";

interface Owned {
  datanet: Datanet;
  owner: Account;
}

/** Where the owner says of whom a Datanet takes files. */
export function AdmissionForm({ datanet, owner }: Owned) {
  const [text, setText] = useState<AdmissionText>({
    admission: datanet.admission as AdmissionText["admission"],
    leastPoints: datanet.leastPoints ?? "1000",
  });
  const [problem, setProblem] = useState<string>();
  const [same, setSame] = useState(false);
  return (
    <form
      noValidate
      className="grid gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        const { policy, problem } = readAdmission(text);
        const least = policy?.type === "Points" ? String(policy.value.least) : null;
        const unchanged = text.admission === datanet.admission && least === datanet.leastPoints;
        setProblem(problem);
        setSame(unchanged);
        if (!policy || unchanged) return;
        void transact(owner, {
          title: "Say whose files it takes",
          words: `“${datanet.name}” takes files of ${sayAdmission({ admission: text.admission, leastPoints: least })}. It counts at once; what waits for a verdict goes on waiting, and invitations stay.`,
          build: (api) => api.tx.Datanets.set_admission({ datanet: datanet.id, admission: policy }),
        });
      }}
    >
      <AdmissionFields {...text} problem={problem} onChange={(change) => setText({ ...text, ...change })} />
      {same && (
        <p role="alert" className="text-xs font-medium text-bad">
          That is what it says already; choose another one.
        </p>
      )}
      <Button type="submit" className="justify-self-start">
        Set it
      </Button>
    </form>
  );
}

/** Where the owner invites accounts, or takes invitations back. */
export function InviteForm({ datanet, owner }: Owned) {
  const [typed, setTyped] = useState("");
  const [problem, setProblem] = useState<string>();
  const read = readInvited(typed);
  const accounts = read.problem ? [] : read.accounts;
  const standing = useInvited(datanet.id, accounts);
  const invited = standing.data ?? [];
  const send = async (back: boolean) => {
    const given = back ? invited : accounts.filter((account) => !invited.includes(account));
    setProblem(
      read.problem ??
        (accounts.length === 0
          ? "Write an account."
          : given.length === 0
            ? back
              ? "None of these is invited."
              : "All of these are invited already."
            : undefined),
    );
    if (read.problem || given.length === 0) return;
    const many = plural(given.length, "account");
    const entry = back ? 0n : await entryDeposit();
    const done = await transact(owner, {
      title: back ? "Take invitations back" : `Invite ${many}`,
      words: back
        ? `“${datanet.name}” takes files of ${many} only where it would without an invitation. What they submitted stays.`
        : `“${datanet.name}” takes files of ${many} whatever else it asks for. What is held comes back with the invitation.`,
      ...(back ? {} : { held: entry * BigInt(given.length) }),
      build: (api) => {
        const calls = given.map((account) =>
          api.tx.Datanets.invite({ datanet: datanet.id, account, invited: !back }),
        );
        const [only, ...others] = calls;
        if (only && others.length === 0) return only;
        return api.tx.Utility.batch_all({ calls: calls.map(({ decodedCall }) => decodedCall) });
      },
    });
    if (!done) return;
    setTyped("");
    void standing.refetch();
  };
  return (
    <form
      noValidate
      className="grid gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        void send(false);
      }}
    >
      {datanet.admission === "open" && (
        <p className="text-sm text-soft">
          It takes files of everybody now: an invitation counts once that changes.
        </p>
      )}
      <InvitedField value={typed} problem={problem} onChange={setTyped} />
      {invited.length > 0 && (
        <p className="text-sm text-soft">
          {plural(invited.length, "of these is", "of these are")} invited already.
        </p>
      )}
      <div className="flex flex-wrap gap-2">
        <Button type="submit">Invite</Button>
        <Button look="quiet" onClick={() => void send(true)} disabled={invited.length === 0}>
          Take it back
        </Button>
      </div>
    </form>
  );
}
