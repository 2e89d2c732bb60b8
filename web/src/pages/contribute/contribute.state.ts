// Takes files from the visitor's disk to the gateway, which measures them; submit.ts takes them to the chain.

import type { Account } from "@/accounts/state";
import { ApiError, request } from "@/api/request";
import type { Account as AccountRecord, Datanet, Found } from "@/api/types";
import { toast } from "@/app/toasts";
import { mediaOf } from "@/content/formats";
import { nameInWorker } from "@/content/naming";
import { describeProblem, ProblemError } from "@/lib/problem";
import { dropFile } from "@/uploads/drop";
import { previewFile, sendFile } from "@/uploads/send";
import { forgetSession, getToken } from "@/uploads/session";
import { misnamed, type QueuedFile, refusalOf, repeated } from "./files";
import { type Kept, keepFile, keptFiles } from "./keep";
import { change, queue, refuse, removeFile, working } from "./queue";
import { fitting, left } from "./quota";
import { resume, submit } from "./submit";

/** Where the same bytes stand in this Datanet already. */
async function onChain(sha256: string, datanet: number): Promise<string | null> {
  const found = await request<Found>("/v1/search", { query: { q: sha256 } });
  const same = found.submissions.find(
    (other) =>
      other.datanet === datanet &&
      other.sha256 === sha256 &&
      (other.state === "pending" || other.state === "accepted"),
  );
  return same ? `submission ${same.id}, ${same.state}` : null;
}

async function check(entry: QueuedFile): Promise<void> {
  try {
    const named = await nameInWorker(entry.file);
    const wrong = entry.media === null ? null : misnamed(entry.media, named.head);
    if (wrong?.problem) return refuse(entry.id, wrong.problem, wrong.next);
    const { head: _, ...name } = named;
    change(entry.id, { named: name });
    const twin = repeated(queue.get(), { ...entry, named: name });
    if (twin) return refuse(entry.id, `The same bytes as ${twin.file.name}`, "One of them is enough.");
    if (entry.salt && (await resume({ ...entry, named: name, salt: entry.salt }))) return;
    const there = await onChain(name.sha256, entry.datanet);
    if (there) {
      return refuse(
        entry.id,
        `This Datanet already has the same file (${there})`,
        "A file counts once, for whoever gave it first.",
      );
    }
    change(entry.id, { stage: "ready" });
    // Kept until it stands on the chain; a browser that keeps nothing still sends what is on screen.
    await keepFile(entry).catch(() => undefined);
  } catch (error) {
    const { title, next } = describeProblem(error);
    refuse(entry.id, title, next);
  }
}

function take(
  files: readonly Pick<Kept, "id" | "file" | "salt" | "stood">[],
  account: string,
  datanet: Datanet,
): void {
  const added = files.map(({ id, file, salt, stood }): QueuedFile => {
    const wrong = refusalOf(file, datanet);
    return {
      id,
      account,
      datanet: datanet.id,
      file,
      sent: 0,
      media: mediaOf(file.name),
      stage: wrong ? "refused" : "checking",
      ...(salt ? { salt } : {}),
      ...(stood ? { stood } : {}),
      ...wrong,
    };
  });
  queue.set((shown) => [...shown, ...added]);
  // One after the other: the first of two equal files is the one that stays.
  void (async () => {
    for (const entry of added) if (entry.stage === "checking") await check(entry);
  })();
}

/** Puts files of the visitor's disk on the list. */
export function addFiles(files: readonly File[], account: string, datanet: Datanet): void {
  take(
    files.map((file) => ({ id: crypto.randomUUID(), file })),
    account,
    datanet,
  );
}

/** Puts files on the list that waited in this browser. */
export async function takeUpKept(account: string, datanet: Datanet): Promise<void> {
  const kept = await keptFiles().catch(() => []);
  const shown = new Set(queue.get().map(({ id }) => id));
  take(
    kept.filter((file) => file.account === account && file.datanet === datanet.id && !shown.has(file.id)),
    account,
    datanet,
  );
}

async function quotaNow(account: Account): Promise<AccountRecord["quota"]> {
  const record = await request<AccountRecord>(`/v1/accounts/${account.address}`);
  return record.quota;
}

/** Sends what fits into today's quota to the gateway, and has it measured. */
export async function store(account: Account, datanet: number): Promise<void> {
  if (working.get()) return;
  working.set("sending");
  try {
    const own = queue.get().filter((file) => file.datanet === datanet && file.account === account.address);
    const stored = own.filter(({ stage }) => stage === "stored");
    const promised = own.filter(({ stage }) => stage === "promised");
    const room = left(await quotaNow(account));
    const { fits } = fitting(
      own.filter(({ stage }) => stage === "ready").map((entry) => ({ entry, size: entry.file.size })),
      {
        files: room.files - stored.length,
        // The chain counts a promised file already, and its bytes when it is opened.
        bytes: room.bytes - [...stored, ...promised].reduce((sum, { file }) => sum + file.size, 0),
      },
    );
    if (fits.length === 0) return;
    const token = await getToken(account);
    for (const { entry } of fits) await storeOne(entry, account, token);
  } catch (error) {
    const { title, next } = describeProblem(error);
    toast(next ? `${title}. ${next}` : title, "bad");
  } finally {
    working.set(null);
  }
}

async function storeOne(entry: QueuedFile, account: Account, token: string): Promise<void> {
  if (!entry.named || entry.media === null) return;
  change(entry.id, { stage: "sending", sent: 0 });
  try {
    await sendFile({
      file: entry.file,
      sha256: entry.named.sha256,
      datanet: entry.datanet,
      media: entry.media,
      token,
      onProgress: (sent) => change(entry.id, { sent }),
    });
    const preview = await previewFile(entry.named.sha256, entry.media, token);
    if (preview.refusal) {
      // Its room at the gateway is free for another file.
      await dropFile(account, entry.named.sha256).catch(() => undefined);
      change(entry.id, { preview });
      return refuse(
        entry.id,
        `Curators would refuse it: ${preview.refusal}`,
        "It was not submitted and took no quota.",
      );
    }
    change(entry.id, { stage: "stored", sent: entry.file.size, preview });
  } catch (error) {
    const { title, next } = describeProblem(error);
    if (error instanceof ApiError && error.status === 401) forgetSession(account.address);
    // What the day has no room for waits; what the gateway cannot take now may be tried again.
    const waits =
      !(error instanceof ApiError) ||
      ["daily_files", "daily_bytes"].includes(error.code) ||
      error.status >= 500 ||
      error.status === 401;
    if (waits) change(entry.id, { stage: "ready", sent: 0, problem: title });
    else refuse(entry.id, title, next);
  }
}

/**
 * Gives one file that a page made to a Datanet, as this page gives those of the visitor's disk: stored, promised,
 * opened. False where it was not signed: then nothing of it stays. One that is promised and not opened waits on this
 * page, which opens it later.
 */
export async function giveMade(
  account: Account,
  datanet: Datanet,
  file: File,
): Promise<"submitted" | "promised" | false> {
  if (working.get()) {
    throw new ProblemError("Other files are on their way", "Wait until they are there, then submit again.");
  }
  const id = crypto.randomUUID();
  const made: QueuedFile = {
    ...{ id, account: account.address, datanet: datanet.id, file, sent: 0, stage: "checking" },
    media: mediaOf(file.name),
  };
  const now = () => queue.get().find((entry) => entry.id === id);
  queue.set((shown) => [...shown, made]);
  try {
    await check(made);
    const checked = now();
    if (checked?.stage === "ready") await storeOne(checked, account, await getToken(account));
    if (now()?.stage === "stored") await submit(account, datanet, { only: id });
    const { stage, problem, next, named } = now() ?? {};
    if (stage === undefined || stage === "opened") return "submitted";
    if (stage === "promised") return "promised";
    if (stage === "stored" && named) await dropFile(account, named.sha256).catch(() => undefined);
    if (problem) throw new ProblemError(problem, next);
    return false;
  } finally {
    const { stage } = now() ?? {};
    if (stage !== "promised" && stage !== "opened") removeFile(id);
  }
}
