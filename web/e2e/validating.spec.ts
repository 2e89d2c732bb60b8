// Standing for election as a validator: the bond, the node's keys, a commission, and back again.

import { newcomer } from "./newcomer.ts";
import { actAs, chainTime, expectUsable, signAndWait } from "./steps.ts";
import { expect, test } from "./test.ts";
import { developmentKey, installWallet } from "./wallet.ts";

test("a validator bonds, sets its node's keys, stands for election and stands back", async ({ page }) => {
  test.setTimeout(240_000);
  const validator = await newcomer("Validator", "Yara", 1_050n);
  await installWallet(page, validator, await developmentKey("Alice"));
  await actAs(page, "Validator");
  await page.goto("/staking");
  const card = page.getByRole("region", { name: "Validating" });
  const stand = card.getByRole("button", { name: "Stand for election" });
  await expect(card).toContainText("It takes 1,000 OPEN: bond 1,000 OPEN above.", chainTime);
  await stand.click();
  await expect(card.getByText("Bond more first: see above.")).toBeVisible();
  const own = page.getByRole("region", { name: "Your stake" });
  await own.getByLabel("Bond").fill("1000");
  await own.getByRole("button", { name: "Bond it" }).click();
  await signAndWait(page);
  await expect(card).toContainText("1,000 OPEN are bonded; it takes 1,000 OPEN.", chainTime);

  // The node is asked as the page says, and its answer is pasted.
  const shown = await card.getByRole("region", { name: "On the node’s machine" }).textContent();
  const body = /-d '(.*)' http/.exec(shown ?? "")?.[1] ?? "";
  const asked = async (what: string) => {
    const node = (process.env.OPENLEDGER_E2E_NODE ?? "").replace(/^ws/, "http");
    const headers = { "content-type": "application/json" };
    return (await fetch(node, { method: "POST", headers, body: what })).text();
  };
  const answer = card.getByLabel("Answer of the node");
  await answer.fill(
    await asked(body.replace("author_rotateKeysWithOwner", "author_rotateKeys").replace(/\[".*"\]/, "[]")),
  );
  await card.getByRole("button", { name: "Set the keys" }).click();
  await expect(card.getByText("These are keys without the proof", { exact: false })).toBeVisible();
  await answer.fill(await asked(body));
  await card.getByRole("button", { name: "Set the keys" }).click();
  await expect(page.getByRole("dialog")).toContainText("Never run two nodes with the same keys");
  await signAndWait(page);
  await expect(card.getByText("Set. BABE", { exact: false })).toBeVisible(chainTime);

  await card.getByLabel("Commission").fill("7.5");
  await stand.click();
  await expect(page.getByRole("dialog")).toContainText("keeps 7.5 % of its stakers’ payouts");
  await signAndWait(page);
  await expect(card).toContainText("You stand, for a commission of 7.5 %.", chainTime);
  await expect(card).toContainText("Not yet. Elections are at the end of an era");
  // Half of what the chain's own validator has, and it takes nobody's place.
  await expect(card).toContainText(/A seat takes [45]\d,\d{3} OPEN or more behind you/);
  await expectUsable(page);
  await card.getByRole("button", { name: "Stand back" }).click();
  await signAndWait(page);
  await expect(card).toContainText("No: you do not stand for election.", chainTime);

  // Alice is the validator of this chain.
  await actAs(page, "Alice");
  await page.goto("/staking");
  await expect(card).toContainText("You make blocks now.", chainTime);
});
