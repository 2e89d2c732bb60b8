// Takes files from the visitor's disk to the chain. The list outlives the page: one may look at another page
// while files are sent.

import type { Account } from "@/accounts/state";
import { queryClient } from "@/api/queryClient";
import { ApiError, request } from "@/api/request";
import type { Account as AccountRecord, Datanet, Found } from "@/api/types";
import { toast } from "@/app/toasts";
import { transact } from "@/chain/transactions";
import { submissionItem } from "@/content/contentId";
import { mediaOf } from "@/content/formats";
import { nameInWorker } from "@/content/naming";
import { plural } from "@/lib/format";
import { describeProblem } from "@/lib/problem";
import { createStore } from "@/lib/store";
import { dropFile } from "@/uploads/put";
import { previewFile, sendFile } from "@/uploads/send";
import { forgetSession, getToken } from "@/uploads/session";
import { misnamed, type QueuedFile, refusalOf, repeated } from "./files";
import { dropKept, keepFile, keptFiles } from "./keep";
import { fitting, left } from "./quota";

export const queue = createStore<readonly QueuedFile[]>([]);
/** Whether files are being sent or submitted. */
export const working = createStore<"sending" | "submitting" | null>(null);

function change(id: string, changes: Partial<QueuedFile>): void {
  queue.set((files) => files.map((file) => (file.id === id ? { ...file, ...changes } : file)));
}

function refuse(id: string, problem: string, next?: string): void {
  change(id, { stage: "refused", problem, ...(next ? { next } : {}) });
  // What is refused needs no keeping.
  void dropKept(id).catch(() => undefined);
}

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

function take(files: readonly { id: string; file: File }[], account: string, datanet: Datanet): void {
  const added = files.map(({ id, file }): QueuedFile => {
    const wrong = refusalOf(file, datanet);
    return {
      id,
      account,
      datanet: datanet.id,
      file,
      sent: 0,
      media: mediaOf(file.name),
      stage: wrong ? "refused" : "checking",
      ...(wrong ? { problem: wrong.problem ?? "", next: wrong.next } : {}),
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

export function removeFile(id: string): void {
  queue.set((files) => files.filter((file) => file.id !== id));
  void dropKept(id).catch(() => undefined);
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
    const room = left(await quotaNow(account));
    const { fits } = fitting(
      own.filter(({ stage }) => stage === "ready").map((entry) => ({ entry, size: entry.file.size })),
      {
        files: room.files - stored.length,
        bytes: room.bytes - stored.reduce((sum, { file }) => sum + file.size, 0),
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

/** Submits what is stored, in one transaction of at most `most` files that costs no fee. */
export async function submit(account: Account, datanet: Datanet, most: number): Promise<void> {
  if (working.get()) return;
  const files = queue
    .get()
    .filter(
      (file) => file.stage === "stored" && file.datanet === datanet.id && file.account === account.address,
    )
    .slice(0, most);
  if (files.length === 0) return;
  working.set("submitting");
  try {
    const done = await transact(account, {
      title: `Submit ${plural(files.length, "file")}`,
      words: `Gives ${plural(files.length, "file")} to ${datanet.name}. Anybody can read them on IPFS from then on, and curators decide on each.`,
      free: "Files within the daily quota cost no fee.",
      build: (api) =>
        api.tx.Datanets.submit({
          datanet: datanet.id,
          items: files.flatMap(({ named, media }) => (named && media ? [submissionItem(named, media)] : [])),
        }),
    });
    if (!done) return;
    for (const { id } of files) removeFile(id);
    toast(`${plural(files.length, "file")} submitted`);
    void queryClient.invalidateQueries({ queryKey: ["account"] });
    void queryClient.invalidateQueries({ queryKey: ["submissions"] });
  } finally {
    working.set(null);
  }
}
