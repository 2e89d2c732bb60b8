import { voters } from "./people.ts";
import { proposeSpend } from "./proposal.ts";
import { actAs, chainTime, expectUsable, signAndWait } from "./steps.ts";
import { expect, test } from "./test.ts";
import { developmentKey, installWallet } from "./wallet.ts";

test("a voter reads what is proposed, votes with conviction, sees it pass, and is free again", async ({
  page,
}) => {
  test.setTimeout(300_000);
  const [voter] = voters;
  const referendum = await proposeSpend(voter, voter, 5n * 10n ** 18n);
  await installWallet(page, await developmentKey(voter));
  await actAs(page, voter);
  await page.goto("/governance");
  const own = page.getByRole("region", { name: "Your votes" });
  await expect(own).toContainText("May vote", chainTime);
  const link = own.getByRole("link", { name: `Referendum ${referendum}`, exact: true });
  await expect(link).toHaveCount(0);
  await page.getByRole("link", { name: `Referendum ${referendum}`, exact: true }).click(chainTime);

  // What is voted on is read from its bytes.
  const proposal = page.getByRole("region", { name: "What it does" });
  await expect(proposal).toContainText("Carried out as SmallSpender", chainTime);
  await expect(proposal).toContainText("Treasury.spend");
  await expect(proposal).toContainText("5 OPEN");
  await expect(page.getByText("needs a deposit", { exact: true })).toBeVisible();

  const vote = page.getByRole("region", { name: "Your vote" });
  await vote.getByLabel("With").fill("9999999");
  await vote.getByRole("button", { name: "Vote", exact: true }).click();
  await expect(
    vote.getByText("9,999,999 OPEN are more than the account has", { exact: false }),
  ).toBeVisible();
  await vote.getByLabel("With").fill("650000");
  await vote.getByLabel("Conviction").selectOption({ label: "2 ×, locked after a win: 2 min 6 s" });
  await expect(vote.getByText("It counts as 1,300,000 OPEN for it.")).toBeVisible();
  await vote.getByRole("button", { name: "Vote", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("650,000 OPEN, which weigh 2 × as much");
  await expect(dialog).toContainText("if your side wins for 2 min 6 s after its end");
  await signAndWait(page);
  await expect(vote).toContainText("You voted 650,000 OPEN for with conviction 2\u00a0×", chainTime);
  const standing = page.getByRole("region", { name: "Where it is" });
  await expect(standing).toContainText("1,300,000 OPEN for, 0 OPEN against", chainTime);
  await vote.getByLabel("Conviction").selectOption("0");
  await vote.getByRole("button", { name: "Change the vote" }).click();
  await signAndWait(page);
  await expect(vote).toContainText("with conviction 0.1\u00a0×", chainTime);
  await expect(standing).toContainText("65,000 OPEN for, 0 OPEN against", chainTime);
  await expectUsable(page);

  await standing.getByRole("button", { name: "Place it" }).click();
  await expect(dialog.locator("dl div").filter({ hasText: "Held, and comes back" })).toContainText("50 OPEN");
  await signAndWait(page);
  await expect(page.getByText("approved", { exact: true })).toBeVisible(chainTime);
  // The chain forgets what it was; the node knows it of the block before its end.
  await expect(standing).toContainText("65,000 OPEN for and 0 OPEN against", chainTime);
  await expect(proposal).toContainText("Treasury.spend");
  const deposit = standing.locator("dl > div").filter({ hasText: "Decision deposit" });
  await deposit.getByRole("button", { name: "Give it back" }).click();
  await signAndWait(page);
  await expect(deposit).toContainText("none, or given back", chainTime);

  await page.goto("/governance");
  await expect(own).toContainText("It is over; what it locked is free.", chainTime);
  await expect(own.locator("dl > div").filter({ hasText: "Locked by votes" })).toContainText("650,000 OPEN");
  await expectUsable(page);
  // What was enacted is paid when somebody asks for it; the newest spend stands first.
  const treasury = page.getByRole("region", { name: "Treasury" });
  const spend = treasury.getByRole("listitem").filter({ hasText: "5 OPEN" }).first();
  await spend.getByRole("button", { name: "Have it paid" }).click(chainTime);
  await expect(dialog).toContainText("The treasury pays 5 OPEN");
  await signAndWait(page);
  await expect(spend).toContainText("It was paid.", chainTime);
  const line = own.getByRole("listitem").filter({ hasText: `Referendum ${referendum}` });
  await line.getByRole("button", { name: "Take it back" }).click();
  await signAndWait(page);
  await expect(link).toHaveCount(0, chainTime);
});
