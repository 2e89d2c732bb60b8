// A proposal made in the browser, the preimage of a long one, votes that somebody else casts, and the blob of an upgrade.

import { randomBytes } from "node:crypto";
import { noRuntime } from "./network/blob.ts";
import { newcomer } from "./newcomer.ts";
import { actAs, chainTime, expectUsable, picture, signAndWait } from "./steps.ts";
import { expect, test } from "./test.ts";
import { installWallet, newKey } from "./wallet.ts";

test("somebody proposes a spend, then a call whose bytes are noted, and takes their deposit back", async ({
  page,
}) => {
  test.setTimeout(240_000);
  const proposer = await newcomer("Proposer", "Wim", 10n);
  // `system.remark_with_event` of 200 bytes, longer than what a proposal holds itself.
  const long = `0x00072103${randomBytes(200).toString("hex")}`;
  await installWallet(page, proposer);
  await actAs(page, "Proposer");
  await page.goto("/governance");
  await page.getByRole("link", { name: "Make a proposal" }).click();
  const preview = page.getByRole("region", { name: "What it would do" });
  const way = page.getByRole("region", { name: "How it is decided" });
  const dialog = page.getByRole("dialog");
  const send = page.getByRole("button", { name: "Submit the proposal" });
  await page.getByLabel("To", { exact: true }).fill(proposer.address, chainTime);
  await page.getByLabel("Amount").fill("90000000");
  await send.click();
  await expect(page.getByText("are more than the treasury pays in a period", { exact: false })).toBeVisible();
  // The amount chooses the track.
  await page.getByLabel("Amount").fill("10001");
  await expect(way).toContainText("big spender");
  await page.getByLabel("Amount").fill("3");
  await expect(way).toContainText("small spender");
  await expect(way).toContainText("50 OPEN");
  await expect(preview).toContainText("Treasury.spend", chainTime);
  await expect(preview).toContainText("3 OPEN");
  await expectUsable(page);
  await send.click();
  await expect(dialog).toContainText("Treasury.spend as SmallSpender");
  await expect(dialog.locator("dl div").filter({ hasText: "if it passes or is cancelled" })).toContainText(
    "1 OPEN",
  );
  await signAndWait(page);
  await expect(page).toHaveURL(/\/governance\/\d+$/);
  await expect(page.getByText("needs a deposit", { exact: true })).toBeVisible(chainTime);
  await expect(page.getByRole("region", { name: "What it does" })).toContainText("Treasury.spend", chainTime);

  await page.goto("/governance/new");
  await page.getByRole("radio", { name: "Any call, by its bytes" }).check(chainTime);
  await page.getByLabel("Bytes of the call").fill("00");
  await expect(preview).toContainText("The bytes are not a call of this chain", chainTime);
  await page.getByLabel("Bytes of the call").fill(long);
  await expect(preview).toContainText("System.remark_with_event", chainTime);
  await expect(preview).toContainText("stands on the chain as a preimage");
  await expect(way).toContainText("root");
  await send.click();
  await expect(dialog).toContainText("Its bytes are noted as a preimage");
  // 1 OPEN for the proposal, 0.1 and 0.0001 a byte for the preimage.
  await expect(dialog.locator("dl div").filter({ hasText: "of the preimage" })).toContainText("1.1204 OPEN");
  await signAndWait(page);
  await expect(page.getByRole("region", { name: "What it does" })).toContainText(
    "System.remark_with_event",
    chainTime,
  );

  const referendum = page.url();
  await page.goto("/governance");
  const preimages = page.getByRole("region", { name: "Your preimages" });
  await expect(preimages).toContainText("204 bytes, 0.1204 OPEN held.", chainTime);
  await preimages.getByRole("button", { name: "Take it back" }).click();
  await signAndWait(page);
  await expect(preimages).toHaveCount(0, chainTime);

  // Nothing needed them yet, so the chain forgot the bytes; whoever has them may give them again.
  await page.goto(referendum);
  await page.getByLabel("Its bytes").fill(`${long}00`, chainTime);
  await page.getByRole("button", { name: "Note them" }).click();
  await expect(page.getByText("These bytes have another hash", { exact: false })).toBeVisible();
  await page.getByLabel("Its bytes").fill(long);
  await page.getByRole("button", { name: "Note them" }).click();
  await signAndWait(page);
  await expect(page.getByRole("region", { name: "What it does" })).toContainText(
    "System.remark_with_event",
    chainTime,
  );
});

test("somebody proposes to cancel a slash that waits, on the track for it", async ({ page }) => {
  const proposer = await newcomer("Objector", "Wim", 5n);
  await installWallet(page, proposer);
  await actAs(page, "Objector");
  await page.goto("/governance/new");
  await page.getByRole("radio", { name: "Undo a referendum, a spend or a slash" }).check(chainTime);
  await page.getByLabel("What", { exact: true }).selectOption("Cancel a slash that is not taken yet");
  const proposal = page.getByRole("region", { name: "The proposal" });
  await expect(proposal).toContainText("Takes 30 OPEN of its own and 12 OPEN of 1 account that backed it");
  await expect(proposal.getByLabel("Slash", { exact: true })).toContainText("42 OPEN, era 399");
  await expect(page.getByRole("region", { name: "How it is decided" })).toContainText("general admin");
  const preview = page.getByRole("region", { name: "What it would do" });
  await expect(preview).toContainText("Staking.cancel_deferred_slash", chainTime);
  await expectUsable(page);
  await picture(page, "propose-slash");
  await page.getByRole("button", { name: "Submit the proposal" }).click();
  await expect(page.getByRole("dialog")).toContainText("Staking.cancel_deferred_slash as GeneralAdmin");
  await signAndWait(page);
  await expect(page).toHaveURL(/\/governance\/\d+$/);
  const does = page.getByRole("region", { name: "What it does" });
  await expect(does).toContainText("Carried out as GeneralAdmin", chainTime);
  await expect(does).toContainText("Staking.cancel_deferred_slash");
  // Places say nothing to who votes: whose slash it is stands beside it.
  await expect(does).toContainText("30 OPEN of its own and 12 OPEN of 1 account that backed it", chainTime);
  await picture(page, "referendum-slash");
});

test("somebody lets another account vote on one track, and ends that", async ({ page }) => {
  test.setTimeout(240_000);
  const [voter, delegate] = [await newcomer("Voter", "Olaf", 60n), newKey("Delegate")];
  await installWallet(page, voter);
  await actAs(page, "Voter");
  await page.goto("/governance");
  const own = page.getByRole("region", { name: "Your votes" });
  await own.getByText("Let another account vote for you", { exact: true }).click(chainTime);
  await own.getByRole("button", { name: "Delegate" }).click();
  await expect(own.getByText("Write an account.")).toBeVisible();
  await own.getByLabel("Who votes for you").fill(voter.address);
  await own.getByRole("button", { name: "Delegate" }).click();
  await expect(own.getByText("That is your own account, which votes already.")).toBeVisible();
  await own.getByLabel("Who votes for you").fill(delegate.address);
  await own.getByLabel("Votes delegated").fill("40");
  await own.getByLabel("Conviction of the delegation").selectOption("0");
  for (const track of ["root", "general admin", "big spender"]) await own.getByLabel(track).uncheck();
  await expect(own.getByText("It counts as 4 OPEN on each of them.")).toBeVisible();
  await own.getByRole("button", { name: "Delegate" }).click();
  await expect(page.getByRole("dialog")).toContainText("votes with your 40 OPEN on 1 track");
  await signAndWait(page);
  const line = own.getByRole("listitem").filter({ hasText: "40 OPEN on track small spender" });
  await expect(line).toContainText("locked until you end it", chainTime);
  await expect(own.getByText("Delegated already.")).toBeVisible();
  await expectUsable(page);
  await line.getByRole("button", { name: "End it" }).click();
  await signAndWait(page);
  await expect(line).toHaveCount(0, chainTime);
  await own.getByRole("button", { name: "Unlock" }).click(chainTime);
  await signAndWait(page);
  await expect(own.locator("dl > div").filter({ hasText: "Locked by votes" })).toContainText(
    "0 OPEN",
    chainTime,
  );
});

test("somebody sends the blob of an upgrade that was decided on, and is told what the chain made of it", async ({
  page,
}) => {
  const sender = await newcomer("Sender", "Signe", 60n);
  await installWallet(page, sender);
  await actAs(page, "Sender");
  await page.goto("/governance");
  const blob = page.getByLabel("Blob of the new runtime");
  const file = (buffer: Buffer) => ({ name: "runtime.wasm", mimeType: "application/wasm", buffer });
  await blob.setInputFiles(file(Buffer.from("another one")), chainTime);
  await expect(page.getByText("This blob has another hash", { exact: false })).toBeVisible();
  await expectUsable(page);
  await blob.setInputFiles(file(noRuntime));
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("comes back, for the right blob");
  await dialog.getByRole("button", { name: "Sign and send" }).click();
  await expect(dialog.getByText("The chain refused the blob")).toBeVisible(chainTime);
});
