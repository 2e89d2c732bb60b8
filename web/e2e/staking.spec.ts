import { actAs, chainTime, expectUsable, signAndWait } from "./steps.ts";
import { expect, test } from "./test.ts";
import { developmentKey, installWallet } from "./wallet.ts";

test("a nominator bonds, backs the validator, unbonds a part and stands back", async ({ page }) => {
  test.setTimeout(360_000);
  const validator = await developmentKey("Alice");
  await installWallet(page, await developmentKey("Nell"));
  await actAs(page, "Nell");
  await page.goto("/staking");
  const own = page.getByRole("region", { name: "Your stake" });
  const stat = (name: string) => own.locator("dl > div").filter({ hasText: name });
  const validators = page.getByRole("table", { name: "Validators" });
  await expect(validators.getByRole("row").nth(1)).toContainText("makes blocks", chainTime);
  await own.getByLabel("Bond").fill("5");
  await own.getByRole("button", { name: "Bond it" }).click();
  await expect(own.getByText("5 OPEN would be bonded; who nominates needs 10 OPEN at least.")).toBeVisible();
  await own.getByLabel("Bond").fill("50");
  await own.getByRole("button", { name: "Bond it" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.locator("dl div").filter({ hasText: "Held; free again" })).toContainText("50 OPEN");
  await signAndWait(page);
  await expect(stat("Bonded")).toContainText("50 OPEN", chainTime);

  await own.getByRole("button", { name: "Back those that are marked" }).click();
  await expect(own.getByText("Mark at least one validator in the table below.")).toBeVisible();
  await validators.getByLabel(`Back ${validator.address}`).check();
  await own.getByRole("button", { name: "Back 1 validator" }).click();
  await expect(dialog).toContainText("You share what they earn and what they lose.");
  await signAndWait(page);
  await expect(stat("Does")).toContainText("backs 1", chainTime);

  await own.getByLabel("Unbond").fill("45");
  await own.getByRole("button", { name: "Unbond it" }).click();
  await expect(
    own.getByText("5 OPEN would stay bonded; who nominates needs 10 OPEN.", { exact: false }),
  ).toBeVisible();
  await own.getByLabel("Unbond").fill("20");
  await own.getByRole("button", { name: "Unbond it" }).click();
  await signAndWait(page);
  await expect(stat("Bonded")).toContainText("30 OPEN", chainTime);
  await expect(own.getByText("20 OPEN free from era", { exact: false })).toBeVisible();
  await expectUsable(page);
  await own.getByRole("button", { name: "Stand back" }).click();
  await signAndWait(page);
  await expect(stat("Does")).toContainText("nothing", chainTime);
});
