import { openledger } from "./command.ts";
import { actAs, api, chainTime, signAndWait } from "./steps.ts";
import { expect, test } from "./test.ts";
import { developmentKey, installWallet } from "./wallet.ts";

test("a funder sees what waiting terms change, leaves in part and withdraws", async ({ page }) => {
  test.setTimeout(300_000);
  const made = await openledger(
    "//Leo",
    ...["datanet", "create", "--name", "Harbour books", "--modality", "text"],
    ...["--curator", "//Charlie", "--threshold", "1"],
  );
  const datanet = String(made.datanet);
  await openledger(
    "//Leo",
    ...["rewards", "terms", "--datanet", datanet, "--per-period", "10", "--max-per-point", "0.001OPEN"],
  );
  await openledger("//Leo", "rewards", "fund", "--datanet", datanet, "--amount", "40");
  await installWallet(page, await developmentKey("Leo"));
  await actAs(page, "Leo");
  await page.goto(`/datanets/${datanet}`);
  await page.getByText("Change the terms", { exact: true }).click(chainTime);
  await page.getByLabel("Most for a reward period").fill("20");
  await page.getByRole("button", { name: "Change", exact: true }).first().click();
  await signAndWait(page);
  const funders = page.getByRole("region", { name: "Funders" });
  await expect(funders.getByText("It is to pay out faster")).toBeVisible(chainTime);
  await expect(funders.getByText("10 OPEN → 20 OPEN")).toBeVisible();
  await expect(funders.getByText("They may leave: terms wait that pay out faster.")).toBeVisible();
  await funders.getByLabel("Take out").fill("15");
  await funders.getByRole("button", { name: "Leave" }).click();
  await signAndWait(page);
  // It leaves until the period of 30 s is over, which may be over already.
  await expect(funders.getByText(/^(Leaving|To withdraw)$/)).toBeVisible(chainTime);
  // The period ends, and what left can be withdrawn; the rest stays in the pool.
  await funders.getByRole("button", { name: "Withdraw" }).click(chainTime);
  await expect(page.getByRole("dialog").getByText("15 OPEN", { exact: true })).toBeVisible();
  await signAndWait(page);
  await expect(funders.getByRole("button", { name: "Withdraw" })).toHaveCount(0, chainTime);
  const back = funders.locator("dl div").filter({ hasText: "Back with funders" });
  await expect(back).toContainText("15 OPEN", chainTime);
  const available = async () =>
    (await api<{ pool: { available: string } }>(`datanets/${datanet}`)).pool.available;
  // The index follows final blocks.
  await expect.poll(available, chainTime).toBe(String(25n * 10n ** 18n));
});
