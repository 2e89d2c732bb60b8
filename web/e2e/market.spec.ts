import { openledger } from "./command.ts";
import { actAs, api, chainTime, datanetCalled, expectUsable, heldBy, signAndWait } from "./steps.ts";
import { expect, test } from "./test.ts";
import { developmentKey, installWallet } from "./wallet.ts";

test("a job that waits gets a better offer and more time, is called off, and its deposit comes back", async ({
  page,
}) => {
  test.setTimeout(300_000);
  const mira = await developmentKey("Mira");
  const before = await heldBy(mira.address);
  // The only worker asks a hundred times as much a token, so that the job waits.
  const made = await openledger(
    "//Mira",
    ...["job", "create", "--model", "0", "--datanet", `${await datanetCalled("Lighthouses")}@1`],
    ...["--budget", "0.1", "--token-ceiling", "1000000"],
  );
  await installWallet(page, mira);
  await actAs(page, "Mira");
  await page.goto(`/runs/${made.job}`);
  const own = page.getByRole("region", { name: "It is yours" });
  await expect(own).toBeVisible(chainTime);
  await expect(page.getByText("the next one, as soon as a worker fits")).toBeVisible();
  await expectUsable(page);
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
  await expect.poll(() => heldBy(mira.address), chainTime).toBe(before);
  await expect(page.getByText("No longer on record; the deposit was given back")).toBeVisible(chainTime);
});
