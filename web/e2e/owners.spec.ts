// What owners of Datanets and jobs, and funders of pools, do with what is theirs.

import { openledger } from "./command.ts";
import { actAs, api, chainTime, datanetCalled, signAndWait } from "./steps.ts";
import { expect, test } from "./test.ts";
import { developmentKey, installWallet } from "./wallet.ts";

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
const held = async (address: string) => BigInt((await api<{ held: string }>(`accounts/${address}`)).held);

test("an owner describes a Datanet, bars an account, pauses it, hands it over and closes it", async ({
  page,
}) => {
  test.setTimeout(300_000);
  const [zoe, gus, eve] = [
    await developmentKey("Zoe"),
    await developmentKey("Gus"),
    await developmentKey("Eve"),
  ];
  const before = await held(zoe.address);
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

  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await signAndWait(page);
  await expect(page.getByText("It takes no files for now")).toBeVisible(chainTime);
  await page.getByRole("button", { name: "Let files in again" }).click();
  await signAndWait(page);
  await expect(page.getByText("It takes no files for now")).toHaveCount(0, chainTime);

  // Two steps: the owner offers, the other accepts, and the deposit changes with it.
  await page.getByText("Hand it over", { exact: true }).click();
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
  await expect.poll(() => held(zoe.address), chainTime).toBe(before);

  const gusHeld = await held(gus.address);
  await page.getByText("Close it", { exact: true }).click();
  await page.getByRole("button", { name: "Close it for ever" }).click();
  await expect(page.getByRole("dialog").getByText("No longer held")).toBeVisible();
  await signAndWait(page);
  await expect(page.getByText("It takes no files any more.", { exact: false }).first()).toBeVisible(
    chainTime,
  );
  await expect(page.locator("main").getByRole("link", { name: "Contribute", exact: true })).toHaveCount(0);
  await expect.poll(() => held(gus.address), chainTime).toBeLessThan(gusHeld);
});

test("a funder sees what waiting terms change, leaves in part and withdraws", async ({ page }) => {
  test.setTimeout(300_000);
  const datanet = await newDatanet("Harbour books");
  await openledger(
    "//Zoe",
    ...["rewards", "terms", "--datanet", datanet, "--per-period", "10", "--max-per-point", "0.001OPEN"],
  );
  await openledger("//Zoe", "rewards", "fund", "--datanet", datanet, "--amount", "40");
  await installWallet(page, await developmentKey("Zoe"));
  await actAs(page, "Zoe");
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
  await expect(funders.getByText(/^Leaving/)).toBeVisible(chainTime);
  // The period ends, and what left can be withdrawn; the rest stays in the pool.
  await funders.getByRole("button", { name: "Withdraw" }).click(chainTime);
  await expect(page.getByRole("dialog").getByText("15 OPEN", { exact: true })).toBeVisible();
  await signAndWait(page);
  await expect(funders.getByRole("button", { name: "Withdraw" })).toHaveCount(0, chainTime);
  const back = funders.locator("dl div").filter({ hasText: "Back with funders" });
  await expect(back).toContainText("15 OPEN", chainTime);
  const { pool } = await api<{ pool: { available: string } }>(`datanets/${datanet}`);
  expect(BigInt(pool.available)).toBe(25n * 10n ** 18n);
});

test("a job that waits gets a better offer and more time, is called off, and its deposit comes back", async ({
  page,
}) => {
  test.setTimeout(300_000);
  const mira = await developmentKey("Mira");
  const before = await held(mira.address);
  // The only worker asks a hundred times as much a token, so that the job waits.
  const made = await openledger(
    "//Mira",
    ...["job", "create", "--model", "0", "--datanet", String(await datanetCalled("Lighthouses"))],
    ...["--budget", "0.1", "--token-ceiling", "1000000"],
  );
  await installWallet(page, mira);
  await actAs(page, "Mira");
  await page.goto(`/runs/${made.job}`);
  const own = page.getByRole("region", { name: "It is yours" });
  await expect(own).toBeVisible(chainTime);
  await expect(page.getByText("the next one, as soon as a worker fits")).toBeVisible();
  await own.getByLabel("Offer for all tokens").fill("0.1");
  await own.getByRole("button", { name: "Offer more" }).click();
  await expect(own.getByText("It offers 0.1 OPEN for all tokens; write more.")).toBeVisible();
  await own.getByLabel("Offer for all tokens").fill("0.25");
  await own.getByRole("button", { name: "Offer more" }).click();
  await expect(page.getByRole("dialog").getByText("0.15 OPEN", { exact: true })).toBeVisible();
  await signAndWait(page);
  await expect(own.locator("dl div").filter({ hasText: "Held for it" })).toContainText(
    "0.25 OPEN",
    chainTime,
  );

  const deadline = async () => (await api<{ deadline: number }>(`jobs/${made.job}`)).deadline;
  const first = await deadline();
  await own.getByLabel("More time").fill("500");
  await own.getByRole("button", { name: "Extend the deadline" }).click();
  await expect(own.getByText(/A job may last 7 days from now/)).toBeVisible();
  await own.getByLabel("More time").fill("1.5");
  await own.getByRole("button", { name: "Extend the deadline" }).click();
  await signAndWait(page);
  await expect.poll(deadline, chainTime).toBe(first + 1800);

  await own.getByRole("button", { name: "Cancel the run" }).click();
  await expect(page.getByRole("dialog").getByText("No worker has begun, so nobody is paid")).toBeVisible();
  await signAndWait(page);
  await own.getByRole("button", { name: "Get the deposit back" }).click(chainTime);
  await expect(page.getByRole("dialog").getByText("No longer held")).toBeVisible();
  await signAndWait(page);
  await expect.poll(() => held(mira.address), chainTime).toBe(before);
  await expect(page.getByText("No longer on record; the deposit was given back")).toBeVisible(chainTime);
});
