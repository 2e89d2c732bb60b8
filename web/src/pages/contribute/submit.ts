// Submits what is stored: first a promise of it, and when that stands in a block the files themselves, so that who
// watches the transaction pool cannot be first with them. What a closed tab left between the two is taken up again.

import type { Account } from "@/accounts/state";
import { queryClient } from "@/api/queryClient";
import type { Datanet } from "@/api/types";
import { toast } from "@/app/toasts";
import { describeRefusal } from "@/chain/errors";
import { endSeries, type TransactionResult, transact } from "@/chain/transactions";
import { submissionItem } from "@/content/contentId";
import { plural } from "@/lib/format";
import { describeProblem } from "@/lib/problem";
import { newSalt, promiseOf, publicKeyOf, standingOf } from "@/uploads/promise";
import { sendSubmitted } from "@/uploads/send";
import { bySalt, type QueuedFile } from "./files";
import { keepFile } from "./keep";
import { change, queue, refuse, removeFile, working } from "./queue";

const FREE = "Files within the daily quota cost no fee.";
const ONCE = "A file counts once, for whoever gave it first.";

type Salted = QueuedFile & { salt: string };

/** Files of an account for a Datanet at a stage. */
function at(stage: QueuedFile["stage"], account: Account, datanet: Datanet): QueuedFile[] {
  return queue
    .get()
    .filter(
      (file) => file.stage === stage && file.datanet === datanet.id && file.account === account.address,
    );
}

function itemsOf(files: readonly QueuedFile[]) {
  return files.flatMap(({ named, media }) => (named && media ? [submissionItem(named, media)] : []));
}

async function during(work: () => Promise<void>): Promise<void> {
  if (working.get()) return;
  working.set("submitting");
  try {
    await work();
  } catch (error) {
    const { title, next } = describeProblem(error);
    toast(next ? `${title}. ${next}` : title, "bad");
  } finally {
    endSeries();
    working.set(null);
  }
}

/** Keeps the salt with the files; false where the browser keeps nothing. */
async function keepSalt(files: readonly QueuedFile[], salt: string): Promise<boolean> {
  try {
    await Promise.all(files.map((file) => keepFile({ ...file, salt })));
    return true;
  } catch {
    return false;
  }
}

/** Submits stored files, at most `most` at once, or one of them alone: a promise, then the files. */
export async function submit(
  account: Account,
  datanet: Datanet,
  which: { most: number } | { only: string },
): Promise<void> {
  const stored = at("stored", account, datanet);
  const files = "only" in which ? stored.filter(({ id }) => id === which.only) : stored.slice(0, which.most);
  if (files.length === 0) return;
  await during(async () => {
    // The salt of a promise that may still be on its way is used again, so that no file counts twice.
    const [before, ...others] = new Set(files.map(({ salt }) => salt));
    const salt = before && others.length === 0 ? before : newSalt();
    // Kept before it is sent: a promise that nobody can open is a file of the quota for nothing.
    if (!(await keepSalt(files, salt))) return unprotected(account, datanet, files);
    for (const { id } of files) change(id, { salt });
    const key = publicKeyOf(account.address);
    const commitments = await Promise.all(
      files.map(
        async ({ named }) => `0x${await promiseOf(key, datanet.id, named?.sha256 ?? "", salt)}` as const,
      ),
    );
    const promised = await transact(account, {
      title: `Submit ${plural(files.length, "file")}: promise, 1 of 2`,
      words:
        `Gives ${plural(files.length, "file")} to ${datanet.name}. A promise comes first that nobody can read, and when it stands in a block the ` +
        "files themselves: so nobody who watches can be first with them. It takes two signatures. Anybody can read the files on IPFS from then on, and curators decide on each.",
      free: FREE,
      build: (api) => api.tx.Datanets.precommit({ commitments }),
      followed: true,
    });
    if (!promised) return;
    const standing: Salted[] = files.map((file) => ({ ...file, salt, stood: true }));
    for (const file of standing) {
      change(file.id, { stage: "promised", stood: true, problem: undefined, next: undefined });
      void keepFile(file).catch(() => undefined);
    }
    void queryClient.invalidateQueries({ queryKey: ["account"] });
    await open(account, datanet, standing, salt, true);
  });
}

/** Opens the promises that stand, one transaction for each. */
export async function openPromised(account: Account, datanet: Datanet): Promise<void> {
  await during(async () => {
    for (const { salt, files } of bySalt(at("promised", account, datanet))) {
      if (!(await open(account, datanet, files as Salted[], salt, false))) return;
    }
  });
}

/** Those of promised files that the chain would take now; the others are told why not. */
async function openable(account: Account, datanet: Datanet, files: readonly Salted[]): Promise<Salted[]> {
  const { getChain } = await import("@/chain/client");
  const { DatanetsApi } = getChain().api.apis;
  const checked = await Promise.all(
    files.map(async (file) => {
      const answer = await DatanetsApi.check_opening(
        account.address,
        datanet.id,
        itemsOf([file]),
        `0x${file.salt}`,
        { at: "best" },
      );
      if (answer.success) return file;
      const { title, next } = describeRefusal(answer.value.rule.type);
      change(file.id, { problem: title, next });
      return null;
    }),
  );
  return checked.filter((file) => file !== null);
}

/** Opens the promise of some files; whether it is done. */
async function open(
  account: Account,
  datanet: Datanet,
  files: readonly Salted[],
  salt: string,
  agreed: boolean,
): Promise<boolean> {
  const taken = await openable(account, datanet, files);
  if (taken.length === 0) return false;
  const done = await transact(account, {
    title: `Submit ${plural(taken.length, "file")}${agreed ? ": open, 2 of 2" : ""}`,
    words: `Gives ${plural(taken.length, "file")} to ${datanet.name}, as promised: the age counts from the block of the promise. Anybody can read what is given on IPFS from now on.`,
    free: FREE,
    build: (api) => api.tx.Datanets.open({ datanet: datanet.id, items: itemsOf(taken), salt: `0x${salt}` }),
    outcome: sayDisplaced,
    meanwhile: "The promise stands: open it within a day, also when you come back later.",
    agreed,
  });
  if (!done) return false;
  submitted(taken);
  // The last thing: whoever has the bytes could submit them, and now nobody else can.
  await Promise.all(taken.map(announce));
  return true;
}

/** Copies that gave way to the files of a transaction; null where there were none. */
function sayDisplaced({ events }: TransactionResult): string | null {
  const copies = events.filter(({ type, value }) => type === "Datanets" && value.type === "Displaced").length;
  if (copies === 0) return null;
  return `${plural(copies, "copy", "copies")} that somebody else had put in meanwhile gave way: your promise is older.`;
}

function submitted(files: readonly QueuedFile[]): void {
  toast(`${plural(files.length, "file")} submitted`);
  void queryClient.invalidateQueries({ queryKey: ["account"] });
  void queryClient.invalidateQueries({ queryKey: ["submissions"] });
}

/** Sees that the gateway has the bytes of a file that is a submission now, and takes it off the list. */
export async function announce(file: QueuedFile): Promise<void> {
  const { id, named, media } = file;
  if (!named || !media) return;
  change(id, { stage: "opened", problem: undefined, next: undefined });
  try {
    await sendSubmitted({ file: file.file, sha256: named.sha256, datanet: file.datanet, media });
    removeFile(id);
  } catch (error) {
    const { title, next } = describeProblem(error);
    change(id, { problem: title, next: next ?? "Curators cannot fetch the file before it is sent." });
  }
}

/**
 * Takes up a file that was promised before the page was closed: whether it goes on from there. One whose promise
 * does not stand begins again.
 */
export async function resume(file: Salted): Promise<boolean> {
  const { id, named, salt } = file;
  if (!named) return false;
  const [standing] = await standingOf(file.account, file.datanet, [{ sha256: named.sha256, salt }]);
  switch (standing?.at) {
    case "open":
      await announce(file);
      return true;
    case "lost":
      refuse(
        id,
        `This Datanet already has the same file (submission ${standing.submission}, accepted)`,
        ONCE,
      );
      return true;
    case "promised": {
      const { until, taken } = standing;
      change(id, {
        stage: "promised",
        until,
        ...(taken && {
          problem: `Somebody else put the same file in meanwhile (submission ${taken.submission})`,
          next: taken.younger ? "It gives way when you open yours: your promise is older." : ONCE,
        }),
      });
      return true;
    }
    default:
      if (file.stood) {
        change(id, {
          problem: "Its promise was not opened within a day and ran out",
          next: "Submit it again: it is promised anew.",
        });
      }
      return false;
  }
}

/** Submits without a promise, where the browser cannot keep what would open it. */
async function unprotected(account: Account, datanet: Datanet, files: readonly QueuedFile[]): Promise<void> {
  const done = await transact(account, {
    title: `Submit ${plural(files.length, "file")} unprotected`,
    words: `This browser keeps nothing for this page, so a promise that comes first could not be opened any more if the page were closed. Without one, whoever watches the chain can give the same files before you. An ordinary window instead of a private one protects them.`,
    free: FREE,
    build: (api) => api.tx.Datanets.submit({ datanet: datanet.id, items: itemsOf(files) }),
  });
  if (!done) return;
  submitted(files);
  await Promise.all(files.map(announce));
}
