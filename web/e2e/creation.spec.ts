// A Datanet that committees judge and that takes files of whom its owner invites: made by one signature, changed later.

import { actAs, api, chainTime, expectUsable, signAndWait } from "./steps.ts";
import { expect, test } from "./test.ts";
import { developmentKey, installWallet, newKey } from "./wallet.ts";

interface Datanet {
  id: number;
  name: string;
  committee: string | null;
  admission: string;
  leastPoints: string | null;
}

test("an owner has committees judge, pays for them and invites, by one signature, and changes it later", async ({
  page,
}) => {
  test.setTimeout(300_000);
  const [guest, other] = [newKey("Guest"), newKey("Other")];
  const wallet = await installWallet(page, await developmentKey("Otto"));
  await actAs(page, "Otto");
  await page.goto("/datanets/new");
  await page.getByLabel("Name").fill("Star charts");
  await page.getByRole("radio", { name: "Committees drawn from the seats for text files" }).check();
  await page.getByLabel("Review budget").fill("0.3");
  await page.getByLabel("Files before committees").fill("0");
  await page.getByRole("radio", { name: "Whom you invite, and who has earned points elsewhere" }).check();
  await page.getByLabel("Points that an account needs").fill("0");
  await page.getByLabel("Accounts to invite").fill("nobody");
  await page.getByRole("button", { name: "Create it" }).click();
  await expect(page.getByText("0.3 OPEN pay for no file: a committee costs 0.5 OPEN.")).toBeVisible();
  await expect(page.getByText("Write a whole number from 1 to 4,294,967,295.")).toBeVisible();
  await expect(page.getByText("Write how many points an account needs, 1 or more.")).toBeVisible();
  await expect(page.getByText("nobody is no account; it may be mistyped.")).toBeVisible();
  await expectUsable(page);

  await page.getByLabel("Review budget").fill("6");
  await expect(page.getByText("It pays for 12 files.")).toBeVisible();
  await page.getByLabel("Files before committees").fill("40");
  await page.getByLabel("Of one account").fill("25");
  await page.getByLabel("Points that an account needs").fill("2500");
  await page.getByLabel("Accounts to invite").fill(guest.address);
  await page.getByRole("button", { name: "Create it" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("Committees decide, drawn from the seats for text files.");
  await expect(dialog).toContainText("up to 40 files a day, of one account 25 % of them");
  await expect(dialog).toContainText("accounts with 2,500 points over all Datanets");
  await expect(dialog).toContainText("1 account is invited");
  const line = (name: string) => dialog.locator("dl div").filter({ hasText: name });
  await expect(line("Paid")).toContainText("6 OPEN");
  // The Datanet's deposit, and that of the invitation.
  await expect(line("Held, and comes back")).toContainText("10.01 OPEN");
  await dialog.getByRole("button", { name: "Sign and send" }).click();
  // Whoever else created a Datanet in the same block took the number that this names: all or nothing is done.
  let tries = 1;
  await expect(async () => {
    const again = dialog.getByRole("button", { name: "Try again" });
    const done = dialog.getByRole("button", { name: "Done" });
    await expect(again.or(done).first()).toBeVisible();
    if (await again.isVisible()) {
      tries += 1;
      await again.click();
    }
    await done.click({ timeout: 30_000 });
  }).toPass({ timeout: 120_000 });
  // One signature for all of it.
  expect(wallet.signed).toHaveLength(tries);

  await expect(page).toHaveURL(/search=Star/);
  await page.getByRole("link", { name: /Star charts/ }).click(chainTime);
  await expect(page.getByText("accounts with 2,500 points over all Datanets, and whom")).toBeVisible();
  const judges = page.getByRole("region", { name: "Who decides" });
  await expect(judges).toContainText("6 OPEN pay for 12 files", chainTime);
  await expect(judges).toContainText("40 a day, of one account 25 % of them");
  const made = async () =>
    (await api<{ items: Datanet[] }>("datanets")).items.find(({ name }) => name === "Star charts");
  expect(await made()).toMatchObject({ committee: "modality", admission: "points", leastPoints: "2500" });

  await judges.getByText("Limit files before committees", { exact: true }).click();
  await judges.getByLabel("Files before committees").fill("60");
  await judges.getByRole("button", { name: "Set the limit" }).click();
  await signAndWait(page);
  await expect(judges).toContainText("60 a day, of one account 25 % of them", chainTime);

  const own = page.getByRole("region", { name: "It is yours" });
  await own.getByText("Invite accounts", { exact: true }).click();
  await own.getByLabel("Accounts to invite").fill(`${guest.address}\n${other.address}`);
  await expect(own.getByText("1 of these is invited already.")).toBeVisible(chainTime);
  await own.getByRole("button", { name: "Invite", exact: true }).click();
  await expect(dialog.getByText("1 account whatever else it asks for", { exact: false })).toBeVisible();
  await signAndWait(page);
  const invited = own.getByRole("region", { name: "Invited accounts" });
  await expect(invited).toContainText("2 accounts; 0.02 OPEN held.", chainTime);
  await invited.getByRole("button", { name: `Take back: ${guest.address}` }).click();
  await expect(dialog.locator("dl div").filter({ hasText: "No longer held" })).toContainText("0.01 OPEN");
  await signAndWait(page);
  await expect(invited).toContainText("1 account; 0.01 OPEN held.", chainTime);
  await expect(invited.getByTitle(other.address)).toBeVisible();

  await own.getByText("Whose files it takes", { exact: true }).click();
  await own.getByRole("button", { name: "Set it" }).click();
  await expect(own.getByText("That is what it says already; choose another one.")).toBeVisible();
  await own.getByRole("radio", { name: "Whom you invite", exact: true }).check();
  await expectUsable(page);
  await own.getByRole("button", { name: "Set it" }).click();
  await signAndWait(page);
  await expect.poll(async () => (await made())?.admission, chainTime).toBe("invited");
  await expect(page.getByText("whom its owner invites", { exact: true })).toBeVisible(chainTime);
});
