import { createHash } from "node:crypto";
import type { Page } from "@playwright/test";
import { openledger } from "./command.ts";
import { actAs, chainTime, datanetCalled } from "./steps.ts";
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

const choose = (page: Page, ...files: { name: string; text: string }[]) =>
  page
    .getByLabel("Files to contribute")
    .setInputFiles(
      files.map(({ name, text }) => ({ name, mimeType: "text/plain", buffer: Buffer.from(text) })),
    );

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

  await page.getByRole("button", { name: "Submit 2 files" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByText("Files within the daily quota cost no fee.")).toBeVisible();
  await dialog.getByRole("button", { name: "Sign and send" }).click();
  await expect(dialog.getByRole("button", { name: "Done" })).toBeVisible(chainTime);
  await dialog.getByRole("button", { name: "Done" }).click();
  await expect(page.getByText("In review")).toHaveCount(2, chainTime);
  // One text for the upload, one transaction.
  expect(wallet.signed.map((signed) => typeof signed)).toEqual(["string", "object"]);

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
  await page.getByRole("button", { name: "Submit 20 files" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Sign and send" }).click();
  await expect(dialog.getByRole("button", { name: "Done" })).toBeVisible(chainTime);
  await dialog.getByRole("button", { name: "Done" }).click();
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
