import { chainTime, choose } from "./steps.ts";
import { expect, test } from "./test.ts";
import { developmentKey, installWallet, newKey } from "./wallet.ts";

const OTHER = `0x${"11".repeat(32)}`;

test("a wallet of another network is told apart, and what it signs does nothing", async ({ page }) => {
  const [alice, elsewhere] = [await developmentKey("Wanda"), { ...newKey("Elsewhere"), genesisHash: OTHER }];
  const wallet = await installWallet(page, alice, elsewhere);
  await choose(page, "Wanda");
  const account = page.getByRole("listitem").filter({ hasText: "Elsewhere" });
  await expect(account.getByText("The wallet keeps it for another network")).toBeVisible();
  await expect(account.getByRole("button")).toHaveCount(0);

  wallet.genesisHash = OTHER;
  await page.goto(`/invite?account=${newKey("Newcomer").address}`);
  await page.getByRole("button", { name: "Sponsor this account" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Sign and send" }).click();
  await expect(dialog.getByText("The signature does not fit the transaction")).toBeVisible(chainTime);
  await expect(dialog.getByText("The wallet may have signed for another network.")).toBeVisible();
  wallet.genesisHash = null;
  await dialog.getByRole("button", { name: "Try again" }).click();
  await dialog.getByRole("button", { name: "Done" }).click(chainTime);
});

test("without an extension one is led to a key, and an account whose wallet went is told so", async ({
  page,
}) => {
  await page.goto("/accounts");
  await expect(page.getByText("No wallet extension is in this browser")).toBeVisible();
  await expect(page.getByRole("button", { name: "Make a key" })).toBeVisible();
  const { address } = await developmentKey("Wanda");
  await page.evaluate(
    (account) => localStorage.setItem("openledger.account", account),
    JSON.stringify({ address, name: "Wanda", source: { kind: "extension", extension: "talisman" } }),
  );
  await page.goto(`/invite?account=${newKey("Newcomer").address}`);
  await page.getByRole("button", { name: "Sponsor this account" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Sign and send" }).click();
  await expect(dialog.getByText("Talisman did not open")).toBeVisible();
});
