import { actAs, signAndWait } from "./steps.ts";
import { expect, test } from "./test.ts";
import { developmentKey, installWallet } from "./wallet.ts";

test("a funder creates a Datanet, pays into its pool and finds it", async ({ page }) => {
  await installWallet(page, await developmentKey("Dave"));
  await actAs(page, "Dave");

  await page.goto("/datanets/new");
  await page.getByRole("button", { name: "Create it" }).click();
  await expect(page.getByText("Give it a name.")).toBeVisible();
  await page.getByLabel("Name").fill("Letters of sailors");
  await page.getByLabel("Least of a file").fill("0");
  await page.getByRole("button", { name: "Create it" }).click();
  await expect(page.getByText("Write a whole number, 1 or more.")).toBeVisible();
  await page.getByLabel("Least of a file").fill("50");
  await page.getByRole("button", { name: "Create it" }).click();
  // What it costs stands there before anything is signed.
  await expect(page.getByRole("dialog").getByText(/held/i).first()).toBeVisible();
  await expect(page.getByRole("dialog").getByText("One curator decides alone")).toBeVisible();
  await signAndWait(page);

  await expect(page).toHaveURL(/search=Letters/);
  await page.getByRole("link", { name: /Letters of sailors/ }).click({ timeout: 60_000 });
  await expect(page.getByText("Nobody has funded it yet")).toBeVisible();
  await expect(page.getByText("50 bytes of canonical text or more")).toBeVisible();

  // The owner says how fast it pays out; then anybody may pay in.
  await page.getByRole("button", { name: "Set the terms" }).click();
  await expect(page.getByText("Write how much OPEN a period may pay, more than 0.")).toBeVisible();
  await page.getByLabel("Most for a reward period").fill("10");
  await page.getByLabel("Most for one point").fill("0.001");
  await page.getByRole("button", { name: "Set the terms" }).click();
  await signAndWait(page);
  await page.getByLabel("Amount").fill("0.5");
  await page.getByRole("button", { name: "Fund the pool" }).click();
  await expect(page.getByText("At least 1 OPEN must be paid in at once.")).toBeVisible();
  await page.getByLabel("Amount").fill("25");
  await page.getByRole("button", { name: "Fund the pool" }).click();
  await expect(page.getByRole("dialog").getByText("25 OPEN").first()).toBeVisible();
  await signAndWait(page);
  await expect(page.getByText("Paid in")).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText("It pays at most 10 OPEN for a reward period")).toBeVisible();
  // The owner may change how fast it pays out.
  await expect(page.getByText("Change the terms")).toBeVisible();
  await expect(page.getByText("Your shares are worth")).toBeVisible({ timeout: 30_000 });

  await page.goto("/datanets");
  await page.getByLabel("Search by name").fill("sailors");
  await expect(page.getByRole("link", { name: /Letters of sailors/ })).toContainText("25 OPEN");
  await expect(page.getByRole("link", { name: /Field notes/ })).toHaveCount(0);
  await page.getByLabel("Kind of files").selectOption("audio");
  await expect(page.getByText("No Datanet matches")).toBeVisible();
});
