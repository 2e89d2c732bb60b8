import { expect, type Page } from "@playwright/test";

/** Acts as an account of the wallet from now on. */
export async function actAs(page: Page, name: string): Promise<void> {
  await page.goto("/accounts");
  await page.getByRole("button", { name: "test-wallet" }).click();
  await page.getByRole("button", { name: `Use ${name}` }).click();
}

/** Signs what the dialog shows, and waits until its block is final. */
export async function send(page: Page): Promise<void> {
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Sign and send" }).click();
  await expect(dialog.getByRole("button", { name: "Done" })).toBeVisible({ timeout: 60_000 });
  await dialog.getByRole("button", { name: "Done" }).click();
}
