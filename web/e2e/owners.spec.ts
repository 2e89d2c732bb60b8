// What owners of Datanets, curators and sponsors do with what is theirs.

import { openledger } from "./command.ts";
import { actAs, chainTime, expectUsable, heldBy, signAndWait } from "./steps.ts";
import { expect, test } from "./test.ts";
import { developmentKey, installWallet, newKey } from "./wallet.ts";

const newDatanet = async (name: string) => {
  const made = await openledger(
    "//Zoe",
    ...[
      "datanet",
      "create",
      "--name",
      name,
      "--modality",
      "text",
      "--curator",
      "//Charlie",
      "--threshold",
      "1",
    ],
  );
  return String(made.datanet);
};
test("an owner describes a Datanet, bars an account, pauses it, hands it over and closes it", async ({
  page,
}) => {
  test.setTimeout(300_000);
  const [zoe, gus, eve] = [
    await developmentKey("Zoe"),
    await developmentKey("Gus"),
    await developmentKey("Eve"),
  ];
  const before = await heldBy(zoe.address);
  const datanet = await newDatanet("Signals at sea");
  await installWallet(page, zoe, gus);
  await actAs(page, "Zoe");
  await page.goto(`/datanets/${datanet}`);

  await page.getByText("Describe it", { exact: true }).first().click(chainTime);
  await page.getByLabel("Summary").fill("Flags\u202e and lamps");
  await page.getByRole("button", { name: "Describe it" }).click();
  await expect(page.getByText("It holds characters that cannot be seen.")).toBeVisible();
  await page.getByLabel("Summary").fill("Flags and lamps");
  await page.getByLabel("Description").fill("How ships spoke.\nWith dates, please.");
  await page.getByLabel("Tags").fill("sea, flags");
  await page.getByRole("button", { name: "Describe it" }).click();
  await signAndWait(page);
  const about = page.getByRole("region", { name: "What it is about" });
  await expect(about).toContainText("With dates, please.", chainTime);
  await expect(about.getByText("flags", { exact: true })).toBeVisible();

  await page.getByText("Daily limits", { exact: true }).click();
  await page.getByLabel("Limit what all contributors together may submit").check();
  await page.getByLabel("Files").fill("200");
  await page.getByLabel("One account").fill("10");
  await page.getByRole("button", { name: "Set the limits" }).click();
  await signAndWait(page);
  await expect(page.getByText("200 files, 100 MiB; one account 10 % of it")).toBeVisible(chainTime);

  await page.getByText("Bar an account", { exact: true }).click();
  await page.getByLabel("Account", { exact: true }).fill(eve.address);
  await page.getByLabel("Reason").selectOption("Copying");
  await page.getByRole("button", { name: "Bar it" }).click();
  await expect(page.getByRole("dialog").getByText("it submits what others made")).toBeVisible();
  await signAndWait(page);
  await expect(page.getByText("It is barred: it submits what others made.")).toBeVisible(chainTime);
  const barred = page.getByRole("region", { name: "Barred accounts" });
  await expect(barred.getByTitle(eve.address)).toBeVisible(chainTime);
  await expect(barred).toContainText("1 account; 0.01 OPEN held.");
  await expect(barred).toContainText("it submits what others made");
  await page.getByText("Hand it over", { exact: true }).click();
  await page.getByText("Close it", { exact: true }).click();
  await expectUsable(page);

  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await signAndWait(page);
  await expect(page.getByText("It takes no files for now")).toBeVisible(chainTime);
  await page.getByRole("button", { name: "Let files in again" }).click();
  await signAndWait(page);
  await expect(page.getByText("It takes no files for now")).toHaveCount(0, chainTime);

  // Two steps: the owner offers, the other accepts, and the deposit changes with it.
  await page.getByLabel("To", { exact: true }).fill(gus.address);
  await page.getByRole("button", { name: "Offer it" }).click();
  await signAndWait(page);
  await expect(page.getByRole("button", { name: "Take the offer back" })).toBeVisible(chainTime);
  await actAs(page, "Gus");
  await page.goto(`/datanets/${datanet}`);
  await page.getByRole("button", { name: "Accept it" }).click(chainTime);
  await expect(page.getByRole("dialog").getByText("Held, and comes back")).toBeVisible();
  await signAndWait(page);
  await expect(page.getByRole("region", { name: "It is yours" })).toBeVisible(chainTime);
  await expect.poll(() => heldBy(zoe.address), chainTime).toBe(before);

  const gusHeld = await heldBy(gus.address);
  await page.getByText("Close it", { exact: true }).click();
  await page.getByRole("button", { name: "Close it for ever" }).click();
  await expect(page.getByRole("dialog").getByText("No longer held")).toBeVisible();
  await signAndWait(page);
  await expect(page.getByText("It takes no files any more.", { exact: false }).first()).toBeVisible(
    chainTime,
  );
  await expect(page.locator("main").getByRole("link", { name: "Contribute", exact: true })).toHaveCount(0);
  // What was held for the bar comes back when somebody clears it.
  await page.getByRole("button", { name: "Clear it" }).click(chainTime);
  await signAndWait(page);
  await expect(page.getByRole("button", { name: "Clear it" })).toHaveCount(0, chainTime);
  await expect.poll(() => heldBy(gus.address), chainTime).toBeLessThan(gusHeld);
});

test("a curator resigns, a sponsor stops paying, and rewards are paid to another account", async ({
  page,
}) => {
  test.setTimeout(300_000);
  const [zoe, newcomer] = [await developmentKey("Zoe"), newKey("Newcomer")];
  const made = await openledger(
    "//Zoe",
    ...["datanet", "create", "--name", "Pilots' notes", "--modality", "text"],
    ...["--curator", "//Zoe", "--curator", "//Charlie", "--threshold", "2"],
  );
  await openledger("//Zoe", "contributor", "register-for", newcomer.address);
  await installWallet(page, zoe);
  await actAs(page, "Zoe");
  await page.goto(`/datanets/${made.datanet}`);
  await page.getByRole("button", { name: "Resign" }).click(chainTime);
  await expect(
    page.getByRole("dialog").getByText("One curator decides alone from then on.", { exact: false }),
  ).toBeVisible();
  await signAndWait(page);
  await expect(page.getByText("One curator decides alone")).toBeVisible(chainTime);
  await expect(page.getByRole("button", { name: "Resign" })).toHaveCount(0);

  await page.goto(`/accounts/${newcomer.address}`);
  await page.getByText("End the sponsorship", { exact: true }).first().click(chainTime);
  await page.getByRole("button", { name: "End the sponsorship" }).click();
  await signAndWait(page);
  await expect(page.getByText(/^You ended the sponsorship at block/)).toBeVisible(chainTime);

  await page.goto("/rewards");
  await page.getByLabel("Pay them to").fill(zoe.address);
  await page.getByRole("button", { name: "Have them paid there" }).click();
  await expect(page.getByText("They are paid to that account already.")).toBeVisible();
  await page.getByLabel("Pay them to").fill(newcomer.address);
  await page.getByRole("button", { name: "Have them paid there" }).click();
  await expect(page.getByRole("dialog").getByText("0.01 OPEN", { exact: true })).toBeVisible();
  await signAndWait(page);
  await expect(page.getByRole("button", { name: "Back to the account itself" })).toBeVisible(chainTime);
  // Zoe's key alone takes them back after a notice only: it may be stolen.
  await page.getByRole("button", { name: "Back to the account itself" }).click();
  await expect(
    page.getByRole("dialog").getByText(/so that a stolen key does not turn it at once/),
  ).toBeVisible();
  await signAndWait(page);
  await expect(page.getByText("This is to change")).toBeVisible(chainTime);
});
