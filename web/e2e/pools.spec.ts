// A nomination pool from one member's side: joining, bringing more, and the way out.

import { signed } from "./network/chain.ts";
import { newcomer } from "./newcomer.ts";
import { actAs, chainTime, expectUsable, signAndWait } from "./steps.ts";
import { expect, test } from "./test.ts";
import { developmentKey, installWallet } from "./wallet.ts";

/** The first pool, with a name; a test that is tried again finds it there. */
async function makePool(): Promise<void> {
  const maker = { type: "Id", value: (await developmentKey("Petra")).address };
  const node = process.env.OPENLEDGER_E2E_NODE ?? "";
  await signed(node, "Petra", (call) => {
    const calls = [
      call("NominationPools", "create", {
        ...{ amount: 100n * 10n ** 18n, root: maker, nominator: maker, bouncer: maker },
      }),
      call("NominationPools", "set_metadata", {
        ...{ pool_id: 1, metadata: new TextEncoder().encode("Bread and blocks") },
      }),
    ].map(({ decodedCall }) => decodedCall);
    return call("Utility", "batch_all", { calls });
  }).catch(() => undefined);
}

test("somebody joins a nomination pool, brings more, and takes a part out", async ({ page }) => {
  test.setTimeout(240_000);
  await makePool();
  await installWallet(page, await newcomer("Member", "Petra", 40n));
  await actAs(page, "Member");
  await page.goto("/staking");
  const pools = page.getByRole("region", { name: "Nomination pools", exact: true }).first();
  await expect(pools.getByRole("row", { name: /1: Bread and blocks/ })).toBeVisible(chainTime);
  await pools.getByLabel("Join with").fill("41", chainTime);
  await pools.getByRole("button", { name: "Join it" }).click();
  await expect(pools.getByText("41 OPEN are more than is free", { exact: false })).toBeVisible();
  await pools.getByLabel("Join with").fill("20");
  await pools.getByRole("button", { name: "Join it" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.locator("dl div").filter({ hasText: "Held; free again" })).toContainText("20 OPEN");
  await signAndWait(page);
  const inIt = pools.locator("dl > div").filter({ hasText: "Yours in it" });
  await expect(inIt).toContainText("20 OPEN", chainTime);
  await pools.getByLabel("Bring more").fill("5");
  await pools.getByRole("button", { name: "Bring it" }).click();
  await signAndWait(page);
  await expect(inIt).toContainText("25 OPEN", chainTime);
  await pools.getByLabel("Take out").fill("26");
  await pools.getByRole("button", { name: "Take it out" }).click();
  await expect(pools.getByText("25 OPEN of yours are in it", { exact: false })).toBeVisible();
  await pools.getByLabel("Take out").fill("10");
  await pools.getByRole("button", { name: "Take it out" }).click();
  await signAndWait(page);
  await expect(inIt).toContainText("15 OPEN", chainTime);
  await expect(pools.getByText("10 OPEN free from era", { exact: false })).toBeVisible(chainTime);
  await expectUsable(page);
});
