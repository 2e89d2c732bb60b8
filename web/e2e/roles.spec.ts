import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openledger } from "./command.ts";
import { actAs, api, datanetCalled, signAndWait } from "./steps.ts";
import { expect, test } from "./test.ts";
import { developmentKey, installWallet, newKey } from "./wallet.ts";

test("a contributor takes a submission back, sends OPEN, and is told when the deposit comes back", async ({
  page,
}) => {
  test.setTimeout(180_000);
  const [kim, friend] = [await developmentKey("Kim"), newKey("Friend")];
  const path = join(process.env.OPENLEDGER_E2E_DIRECTORY ?? "", "second-thoughts.txt");
  // Other words each time: what stands in the Datanet already is not taken again.
  writeFileSync(path, `Something that is better kept at home, ${Date.now()}. `.repeat(9).trim());
  const given = await openledger(
    "//Kim",
    "submit",
    "--datanet",
    String(await datanetCalled("Field notes")),
    path,
  );
  const [{ submission }] = given.submissions as [{ submission: number }];

  await installWallet(page, kim);
  await actAs(page, "Kim");
  await page.goto(`/accounts/${kim.address}`);
  await page.getByRole("link", { name: `Submission ${submission}`, exact: true }).click({ timeout: 60_000 });
  await page.getByRole("button", { name: "Take it back" }).click();
  await signAndWait(page);
  await expect(page.getByText("Its contributor took it back")).toBeVisible({ timeout: 60_000 });

  await page.goto(`/accounts/${kim.address}`);
  await page.getByRole("textbox", { name: "To", exact: true }).fill(friend.address.slice(0, -1));
  await page.getByRole("textbox", { name: "Amount" }).fill("0.25");
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await expect(page.getByText("This is no account; it may be mistyped.")).toBeVisible();
  await page.getByRole("textbox", { name: "To", exact: true }).fill(friend.address);
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await signAndWait(page);
  const { balance } = await api<{ balance: string }>(`accounts/${friend.address}`);
  // What keeps an account alive cannot be spent.
  expect(BigInt(balance)).toBeGreaterThan(0n);
  expect(BigInt(balance)).toBeLessThanOrEqual(250_000_000_000_000_000n);

  await page.getByText("Stop contributing", { exact: true }).click();
  await page.getByRole("button", { name: "End the registration" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Sign and send" }).click();
  await expect(dialog.getByText(/Datanets::HoldPeriod/)).toBeVisible({ timeout: 60_000 });
  await expect(dialog.getByText("Try again 7 days after the last submission.")).toBeVisible();
});

test("an owner names other curators", async ({ page }) => {
  const made = await openledger(
    "//Nora",
    ...["datanet", "create", "--name", "Wrecks", "--modality", "text"],
    ...["--curator", "//Charlie", "--threshold", "1"],
  );
  const [dave, eve] = [await developmentKey("Dave"), await developmentKey("Eve")];
  await installWallet(page, await developmentKey("Nora"));
  await actAs(page, "Nora");
  await page.goto(`/datanets/${made.datanet}`);
  await expect(page.getByText("One curator decides alone")).toBeVisible({ timeout: 60_000 });
  await page.getByText("Name other curators", { exact: true }).click();
  await page.getByLabel("Curators").fill(`${dave.address}\n${eve.address}`);
  await page.getByLabel("How many must agree").fill("3");
  await page.getByRole("button", { name: "Change", exact: true }).click();
  await expect(page.getByText("There are 2 curators: no more can agree.")).toBeVisible();
  await page.getByLabel("How many must agree").fill("2");
  await page.getByRole("button", { name: "Change", exact: true }).click();
  await signAndWait(page);
  await expect(page.getByText("Both curators must agree")).toBeVisible({ timeout: 60_000 });
});
