// A nomination pool from both sides: who makes and runs it, and a member on its way in and out.

import { asked, signed } from "./network/chain.ts";
import { newcomer } from "./newcomer.ts";
import { actAs, chainTime, expectUsable, picture, signAndWait } from "./steps.ts";
import { expect, test } from "./test.ts";
import { developmentKey, installWallet } from "./wallet.ts";

const OPEN = 10n ** 18n;

/** Pays a pool, as an era of its validators does. */
async function pay(pool: number, open: bigint): Promise<void> {
  const node = process.env.OPENLEDGER_E2E_NODE ?? "";
  const view = (await asked(node, async ({ apis }) => apis.NominationApi?.pool?.(pool))) as {
    reward_account: string;
  };
  await signed(node, "Petra", (call) =>
    call("Balances", "transfer_keep_alive", {
      dest: { type: "Id", value: view.reward_account },
      value: open * OPEN,
    }),
  );
}

test("somebody makes a nomination pool and runs it to its end, and a member joins, brings more and leaves", async ({
  page,
}) => {
  test.setTimeout(360_000);
  const validator = await developmentKey("Alice");
  await installWallet(page, await newcomer("Maker", "Petra", 130n), await newcomer("Member", "Petra", 40n));
  const dialog = page.getByRole("dialog");
  const pools = page.getByRole("region", { name: "Nomination pools", exact: true }).first();
  const line = (name: string) => dialog.locator("dl div").filter({ hasText: name });

  await actAs(page, "Maker");
  await page.goto("/staking");
  await pools.getByText("Make a pool of your own", { exact: true }).click(chainTime);
  await pools.getByLabel("Begin it with").fill("99");
  await pools.getByLabel("Name", { exact: true }).fill("é".repeat(65));
  await pools.getByRole("button", { name: "Make it" }).click();
  await expect(pools.getByText("99 OPEN are too little", { exact: false })).toBeVisible();
  await expect(pools.getByText("The name has 130 bytes, and may have 128.", { exact: false })).toBeVisible();
  await pools.getByLabel("Begin it with").fill("110");
  await pools.getByLabel("Name", { exact: true }).fill("Bread and blocks");
  await pools.getByRole("button", { name: "Make it" }).click();
  await picture(page, "pool-made");
  await expect(line("Held; free again")).toContainText("110 OPEN");
  await expect(line("Paid")).toContainText("0.001 OPEN");
  await signAndWait(page);

  const run = page.getByRole("region", { name: /^You run pool \d+: Bread and blocks$/ });
  const title = await run.getByRole("heading", { level: 2 }).textContent(chainTime);
  const number = Number(/\d+/.exec(title ?? "")?.[0]);
  await run.getByRole("button", { name: "Have it back those that are marked" }).click();
  await expect(run.getByText("Mark at least one validator in the table above.")).toBeVisible();
  await page.getByLabel(`Back ${validator.address}`).check();
  await run.getByRole("button", { name: "Have it back 1 validator" }).click();
  await expect(dialog).toContainText("Its members share what they earn and what they lose.");
  await signAndWait(page);
  await expect(run.getByText("backs 1", { exact: true })).toBeVisible(chainTime);
  await run.getByLabel("It keeps").fill("11");
  await run.getByRole("button", { name: "Set it" }).click();
  await expect(run.getByText("Write a percentage from 0 to 10.")).toBeVisible();
  await run.getByLabel("It keeps").fill("5");
  await run.getByRole("button", { name: "Set it" }).click();
  await signAndWait(page);
  await expect(run.getByText("5 % for you")).toBeVisible(chainTime);
  await pay(number, 20n);
  await run.getByRole("button", { name: "Have it paid" }).click(chainTime);
  // An era that ends meanwhile may pay it too.
  await expect(line("Paid out")).toContainText(/^Paid out1(\.0\d*)? OPEN/);
  await signAndWait(page);
  await expect(run.getByText("kept and not paid yet.")).toContainText("0 OPEN", chainTime);
  await pools.getByLabel("Take out").fill("20");
  await pools.getByRole("button", { name: "Take it out" }).click();
  await expect(pools.getByText("Who made a pool keeps 100 OPEN in it", { exact: false })).toBeVisible();
  await expectUsable(page);
  await picture(page, "pool");

  await actAs(page, "Member");
  await page.goto("/staking");
  await pools.getByLabel("Pool", { exact: true }).selectOption(String(number), chainTime);
  await pools.getByLabel("Join with").fill("41");
  await pools.getByRole("button", { name: "Join it" }).click();
  await expect(pools.getByText("41 OPEN are more than is free", { exact: false })).toBeVisible();
  await pools.getByLabel("Join with").fill("20");
  await pools.getByRole("button", { name: "Join it" }).click();
  await expect(line("Held; free again")).toContainText("20 OPEN");
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
  await picture(page, "pool-member");

  await actAs(page, "Maker");
  await page.goto("/staking");
  await run.getByRole("button", { name: "End it for good" }).click(chainTime);
  await expect(dialog).toContainText("It cannot be taken back.");
  await signAndWait(page);
  await expect(run.getByText("1 member has to leave first", { exact: false })).toBeVisible(chainTime);
  await run.getByText("Take members out", { exact: true }).click();
  await expect(run.getByRole("listitem").filter({ hasText: "15 OPEN" })).toBeVisible(chainTime);
  await run.getByRole("button", { name: "Take it out" }).click();
  await signAndWait(page);
  await expect(run.getByText("free from era", { exact: false })).toBeVisible(chainTime);
  const backsNobody = run.getByRole("button", { name: "Have it back nobody" });
  await backsNobody.click();
  await signAndWait(page);
  await expect(backsNobody).toHaveCount(0, chainTime);
  await expectUsable(page);
  await picture(page, "pool-ends");
});
