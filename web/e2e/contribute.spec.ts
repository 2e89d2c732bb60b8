import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { openledger } from "./command.ts";
import { actAs, api, chainTime, datanetCalled } from "./steps.ts";
import { expect, test } from "./test.ts";
import { developmentKey, installWallet, type Wallet } from "./wallet.ts";

/** A contributor of a fresh account, on the page where files are given. */
async function contributor(page: Page, name: string): Promise<Wallet> {
  const wallet = await installWallet(page, await developmentKey(name));
  await actAs(page, name);
  await page.goto(`/contribute?datanet=${await datanetCalled("Field notes")}`);
  await expect(page.getByText("Drop files or folders here")).toBeVisible();
  return wallet;
}

/** The call of a transaction that was signed. */
const callOf = (signed: Wallet["signed"][number] | undefined) =>
  typeof signed === "object" ? signed.method : "";

const choose = (page: Page, ...files: { name: string; text: string }[]) =>
  page
    .getByLabel("Files to contribute")
    .setInputFiles(
      files.map(({ name, text }) => ({ name, mimeType: "text/plain", buffer: Buffer.from(text) })),
    );

/** Has a promise of stored files and then the files signed, by one press of a button. */
async function submitStored(page: Page, files: string): Promise<void> {
  await page.getByRole("button", { name: `Submit ${files}` }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByText("It takes two signatures.", { exact: false })).toBeVisible();
  await expect(dialog.getByText("Files within the daily quota cost no fee.")).toBeVisible();
  await dialog.getByRole("button", { name: "Sign and send" }).click();
  await expect(dialog.getByRole("heading", { name: `Submit ${files}: open, 2 of 2` })).toBeVisible(chainTime);
  await dialog.getByRole("button", { name: "Done" }).click(chainTime);
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

test("a contributor gives files, and learns what became of each", async ({ page }) => {
  const wallet = await contributor(page, "Ada");
  const fieldNotes = String(await datanetCalled("Field notes"));
  const good = `Observations of the first day.\n${"The river was high and brown. ".repeat(20)}`;
  const poor = `Observations of nothing at all.\n${"Nothing happened here today. ".repeat(20)}`;
  await choose(
    page,
    { name: "first.txt", text: good },
    { name: "poor.md", text: poor },
    { name: "photo.png", text: "no" },
  );
  await expect(page.getByText(".png files do not belong to this Datanet")).toBeVisible();
  await page.getByRole("button", { name: "Store 2 files" }).click();
  await expect(page.getByText("Stored")).toHaveCount(2, chainTime);
  // What counts is measured by the program that curators use.
  await page.getByRole("button", { name: "What counts" }).first().click();
  await expect(page.getByRole("dialog").getByText("The river was high and brown.")).toBeVisible();
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();

  await submitStored(page, "2 files");
  await expect(page.getByText("In review")).toHaveCount(2, chainTime);
  // One text for the upload; a promise, which names no file; the files.
  const [upload, promise, opening] = wallet.signed;
  expect(typeof upload).toBe("string");
  expect(callOf(promise)).not.toContain(sha256(good));
  expect(callOf(opening)).toContain(sha256(good));
  expect(wallet.signed).toHaveLength(3);

  await openledger(
    "//Charlie",
    "review",
    "accept",
    "--datanet",
    fieldNotes,
    "--sha256",
    sha256(good),
    "--score",
    "80",
  );
  await openledger(
    "//Charlie",
    "review",
    "reject",
    "--datanet",
    fieldNotes,
    "--sha256",
    sha256(poor),
    "--reason",
    "low-quality",
  );
  await expect(page.getByText("Accepted", { exact: true })).toBeVisible(chainTime);
  await expect(page.getByText("too poor to be useful")).toBeVisible(chainTime);
  await expect(page.getByText("Score 80")).toBeVisible();

  // The same bytes again are known before anything is sent.
  await choose(page, { name: "again.txt", text: good });
  await expect(page.getByText(/already has the same file/)).toBeVisible();
});

test("what does not fit into today's quota waits, also when the page is closed", async ({ page }) => {
  await contributor(page, "Ben");
  const files = Array.from({ length: 25 }, (_, n) => ({
    name: `note-${n}.txt`,
    text: `Note number ${n}. ${"It says something of its own. ".repeat(10)}`,
  }));
  await choose(page, ...files);
  await expect(page.getByText("5 files will not fit into today's quota")).toBeVisible(chainTime);
  await expect(page.getByText("Waits for tomorrow")).toHaveCount(5);
  await page.getByRole("button", { name: "Store 20 files" }).click();
  await expect(page.getByText("Stored")).toHaveCount(20, chainTime);
  await submitStored(page, "20 files");
  await expect(page.getByText("In review")).toHaveCount(20, chainTime);
  await page.reload();
  await expect(page.getByText("Waits for tomorrow")).toHaveCount(5, chainTime);
  await expect(page.getByText("20 of 20")).toBeVisible();
});

test("a refused signature sends nothing, and the files stay", async ({ page }) => {
  const wallet = await contributor(page, "Cleo");
  await choose(page, { name: "mine.txt", text: "Something that I keep. ".repeat(30) });
  wallet.refuses = true;
  await page.getByRole("button", { name: "Store 1 file" }).click();
  await expect(page.getByText(/The upload was not signed/).first()).toBeVisible();
  await expect(page.getByText("Hashed")).toBeVisible();
  expect(wallet.signed).toEqual([]);
});

test("a promise outlives a closed tab, and takes the place of a copy that landed before it was opened", async ({
  page,
  context,
}) => {
  test.setTimeout(240_000);
  const wallet = await contributor(page, "Nils");
  const fieldNotes = await datanetCalled("Field notes");
  const text = `What only Nils has seen.\n${"Seals on the sandbank, and a tern. ".repeat(12)}`;
  await choose(page, { name: "seals.txt", text });
  await page.getByRole("button", { name: "Store 1 file" }).click();
  await expect(page.getByText("Stored")).toBeVisible(chainTime);
  await page.getByRole("button", { name: "Submit 1 file" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Sign and send" }).click();
  // The upload and the promise are signed; then somebody closes the tab.
  await expect.poll(() => wallet.signed.length).toBe(2);
  wallet.refuses = true;
  await expect(page.getByRole("dialog").getByText("It was not signed; nothing was sent")).toBeVisible(
    chainTime,
  );
  await expect(page.getByRole("dialog").getByText("The promise stands", { exact: false })).toBeVisible();
  await page.close();

  // Somebody who got hold of the file puts it in meanwhile; that promise is younger.
  const thief = await developmentKey("Mads");
  const copy = join(process.env.OPENLEDGER_E2E_DIRECTORY ?? "", "copied.txt");
  writeFileSync(copy, text);
  await openledger("//Mads", "submit", "--datanet", String(fieldNotes), copy);

  const again = await context.newPage();
  await installWallet(again, await developmentKey("Nils"));
  await again.goto(`/contribute?datanet=${fieldNotes}`);
  await expect(again.getByText("1 file promised and not opened yet")).toBeVisible(chainTime);
  await expect(again.getByText(/Somebody else put the same file in meanwhile/)).toBeVisible();
  await expect(again.getByText("It gives way when you open yours: your promise is older.")).toBeVisible();
  await expect(again.getByText(/^Open it within 2\d h/)).toBeVisible();
  await again.getByRole("button", { name: "Open 1 promised file" }).click();
  const dialog = again.getByRole("dialog");
  await dialog.getByRole("button", { name: "Sign and send" }).click();
  await expect(dialog.getByText("1 copy that somebody else had put in meanwhile gave way")).toBeVisible(
    chainTime,
  );
  await dialog.getByRole("button", { name: "Done" }).click(chainTime);
  await expect(again.getByText("1 file promised and not opened yet")).toHaveCount(0, chainTime);
  await expect(again.getByText("In review")).toHaveCount(1, chainTime);
  // The copy says what became of it.
  const copies = async () =>
    (
      await api<{ items: { state: string; reason: string | null }[] }>(
        `submissions?contributor=${thief.address}`,
      )
    ).items.map(({ state, reason }) => [state, reason]);
  await expect.poll(copies, chainTime).toEqual([["rejected", "displaced"]]);
});
