import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openledger } from "./command.ts";
import { reviewers } from "./people.ts";
import { actAs, api, chainTime, expectUsable, signAndWait } from "./steps.ts";
import { expect, test } from "./test.ts";
import { developmentKey, installWallet } from "./wallet.ts";

const [owner, ...others] = reviewers.slice(0, -1).map((name) => `//${name}`) as [string, ...string[]];
const origin = () => process.env.OPENLEDGER_E2E_ORIGIN ?? "";

/** What a member says at its own machine, with files of its own. */
const elsewhere = (key: string, ...args: string[]) =>
  openledger(
    key,
    "--ipfs-directory",
    join(process.env.OPENLEDGER_E2E_DIRECTORY ?? "", "members", key.slice(2)),
    ...args,
  );

test("a reviewer takes a seat, is drawn, seals, has its word revealed by itself, and is paid", async ({
  page,
}) => {
  test.setTimeout(360_000);
  const vera = await developmentKey("Vera");
  const made = await openledger(
    owner,
    ...["datanet", "create", "--name", "Lighthouse logs", "--modality", "text", "--committee", "datanet"],
  );
  const datanet = String(made.datanet);
  // A committee of five is drawn from five seats: everybody sits on it.
  const ready = Promise.all([
    openledger(owner, "datanet", "budget", datanet, "--fund", "5").then(() =>
      openledger(owner, "seat", "bond", "--datanet", datanet),
    ),
    ...others.map((key) => openledger(key, "seat", "bond", "--datanet", datanet)),
  ]);
  const wallet = await installWallet(page, vera);
  await actAs(page, "Vera");
  await page.goto(`/committees?tab=seats&pool=${datanet}`);
  await expect(page.getByText("You have no seats")).toBeVisible(chainTime);
  await expect(page.getByLabel("Seats for")).toHaveValue(datanet);
  await page.getByRole("button", { name: "Bond seats" }).click();
  await expect(page.getByRole("dialog").getByText("Held; what you do not lose comes back")).toBeVisible();
  await signAndWait(page);
  const seats = page.getByRole("region", { name: `Datanet ${datanet}` });
  await expect(seats).toContainText("100 OPEN", chainTime);
  await ready;

  const text = Array.from({ length: 9 }, (_, n) => `High water at Sund on day ${n + 1}.`).join("\n");
  const path = join(process.env.OPENLEDGER_E2E_DIRECTORY ?? "", "tides.txt");
  writeFileSync(path, text);
  const given = await openledger("//Ulla", "submit", "--datanet", datanet, path);
  const [{ submission }] = given.submissions as [{ submission: number }];
  const sha256 = createHash("sha256").update(text).digest("hex");
  const query = new URLSearchParams({ size: String(text.length), datanet, media: "txt" });
  const send = () => fetch(`${origin()}/v1/blobs/${sha256}?${query}`, { method: "PUT", body: text });
  await expect.poll(async () => (await send()).ok, chainTime).toBe(true);

  // The seed is that of a session that began after the call.
  await page.goto("/committees");
  await expect(page.getByText("yours to judge")).toBeVisible({ timeout: 150_000 });
  await page
    .getByRole("row", { name: /yours to judge/ })
    .getByRole("link", { name: /^Draw/ })
    .click();
  await page.waitForURL(/\/committees\/\d+$/);
  const draw = new URL(page.url()).pathname.split("/").at(-1) ?? "";
  const sealed = Promise.all(
    [owner, ...others].map((key) => elsewhere(key, "review", "commit", draw, "--accept", "0:70")),
  );
  await expect(page.getByLabel("Text that counts")).toContainText("High water at Sund", chainTime);
  await expect(page.getByLabel("The file", { exact: true })).toContainText("High water at Sund");
  const nearest = page.getByRole("region", { name: "Nearest earlier file" });
  await expect(nearest).toContainText("Nothing that was compared is like it.", chainTime);
  await page.keyboard.press("a");
  const before = wallet.signed.length;
  await page.getByRole("button", { name: "Seal 1 word" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Sign and send" }).click();
  await expect(page.getByText("Keep this page open: 1 sealed vote has to be revealed")).toBeVisible(
    chainTime,
  );
  await dialog.getByRole("button", { name: "Done" }).click(chainTime);
  // One signature seals, the other reveals later: when all have sealed nobody presses anything.
  await expect.poll(() => wallet.signed.length, chainTime).toBe(before + 2);
  await sealed;
  // What opens the vote can be taken to another browser meanwhile.
  await page.getByRole("link", { name: "Kept votes" }).click();
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export" }).click();
  const { votes } = JSON.parse(readFileSync(await (await download).path(), "utf8")) as {
    votes: { draw: number; address: string }[];
  };
  expect(votes.map(({ draw: of, address }) => [String(of), address])).toEqual([[draw, vera.address]]);
  await page.goBack();
  const revealed = Promise.all([owner, ...others].map((key) => elsewhere(key, "review", "reveal", draw)));
  await revealed;
  const members = page.getByRole("region", { name: "5 members" });
  await expect(members.getByText("revealed", { exact: true })).toHaveCount(5, chainTime);
  expect(wallet.signed).toHaveLength(before + 2);
  await expect(page.getByText("accept, 70").first()).toBeVisible(chainTime);
  await expect(page.getByText("may be challenged")).toBeVisible(chainTime);

  // Pay waits until nobody can challenge the verdict any more.
  const paid = page.getByRole("region", { name: "What it paid and cost, and why" });
  await expect(paid.getByText("said what its committee found")).toHaveCount(5, { timeout: 120_000 });
  await expect(page.getByText("accepted", { exact: true })).toBeVisible();
  await expectUsable(page);
  await page.goto("/committees?tab=earned");
  await expect(page.getByRole("row", { name: /said what its committee found/ })).toContainText("+0.1 OPEN");
  const became = async () => {
    const path = `submissions/${submission}`;
    const { draws, state } = await api<{ draws: { outcome: string }[]; state: string }>(path);
    return [state, draws.map(({ outcome }) => outcome)];
  };
  await expect.poll(became, chainTime).toEqual(["accepted", ["accepted"]]);
  await page.goto(`/datanets/${datanet}`);
  await expect(page.getByRole("region", { name: "Who decides" })).toContainText("on this board alone");
});
