import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { openledger } from "./command.ts";
import { signed } from "./network/chain.ts";
import { newcomer } from "./newcomer.ts";
import { reviewers } from "./people.ts";
import { actAs, api, chainTime, expectUsable, heldBy, picture, signAndWait } from "./steps.ts";
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

/** Files that are before a committee, by their places in the draw: one is accepted, one challenged, one refused. */
const logs = ["High water at Sund", "Low water at Sund", "Fresh paint for Sund"].map((what) =>
  Array.from({ length: 9 }, (_, n) => `${what} on day ${n + 1}.`).join("\n"),
);
const words = ["--accept", "0:70", "--accept", "1:70", "--reject", "2:off-topic"];

/** Gives the files to a Datanet and to the gateway; the numbers of the submissions. */
async function give(datanet: string): Promise<number[]> {
  const paths = logs.map((text, n) => {
    const path = join(process.env.OPENLEDGER_E2E_DIRECTORY ?? "", `log-${n}.txt`);
    writeFileSync(path, text);
    return path;
  });
  const given = await openledger("//Ulla", "submit", "--datanet", datanet, ...paths);
  for (const text of logs) {
    const sha256 = createHash("sha256").update(text).digest("hex");
    const query = new URLSearchParams({ size: String(text.length), datanet, media: "txt" });
    const send = () => fetch(`${origin()}/v1/blobs/${sha256}?${query}`, { method: "PUT", body: text });
    await expect.poll(async () => (await send()).ok, chainTime).toBe(true);
  }
  return (given.submissions as { submission: number }[]).map(({ submission }) => submission);
}

/** The line of a submission in the table of its draw. */
const fileOf = (page: Page, submission: number) =>
  page
    .getByRole("table", { name: "Files of the draw" })
    .getByRole("row")
    .filter({ has: page.getByRole("link", { name: String(submission), exact: true }) });

/** Challenges what was found of a submission as soon as it can be. */
async function challenge(page: Page, submission: number): Promise<void> {
  await fileOf(page, submission).getByRole("button", { name: "Challenge" }).click(chainTime);
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("A committee of 15 without anybody of the first judges it again");
  await expect(dialog.locator("dl div").filter({ hasText: "lost if the verdict is upheld" })).toContainText(
    "10 OPEN",
  );
  await signAndWait(page);
}

test("a reviewer is drawn, seals, has another browser reveal it, and is paid; verdicts are challenged", async ({
  page: first,
  another,
}) => {
  test.setTimeout(360_000);
  const [vera, ulla] = [await developmentKey("Vera"), await developmentKey("Ulla")];
  const made = await openledger(
    owner,
    ...["datanet", "create", "--name", "Lighthouse logs", "--modality", "text", "--committee", "datanet"],
  );
  const datanet = String(made.datanet);
  // A committee of five is drawn from five seats: everybody sits on it.
  const ready = Promise.all([
    openledger(owner, "datanet", "budget", datanet, "--fund", "40").then(() =>
      openledger(owner, "seat", "bond", "--datanet", datanet),
    ),
    ...others.map((key) => openledger(key, "seat", "bond", "--datanet", datanet)),
  ]);
  const wallet = await installWallet(first, vera);
  await actAs(first, "Vera");
  await first.goto(`/committees?tab=seats&pool=${datanet}`);
  await expect(first.getByText("You have no seats")).toBeVisible(chainTime);
  await expect(first.getByLabel("Seats for")).toHaveValue(datanet);
  await first.getByRole("button", { name: "Bond seats" }).click();
  await expect(first.getByRole("dialog").getByText("Held; what you do not lose comes back")).toBeVisible();
  await signAndWait(first);
  const seats = first.getByRole("region", { name: `Datanet ${datanet}` });
  await expect(seats).toContainText("100 OPEN", chainTime);
  await ready;

  const [accepted, disputed, refused] = (await give(datanet)) as [number, number, number];
  // Meanwhile those get their bonds who will challenge: somebody for the acceptance, the contributor for the refusal.
  const stranger = await newcomer("Stranger", owner.slice(2), 15n);
  await signed(process.env.OPENLEDGER_E2E_NODE ?? "", owner.slice(2), (call) =>
    call("Balances", "transfer_keep_alive", {
      ...{ dest: { type: "Id", value: ulla.address }, value: 15n * 10n ** 18n },
    }),
  );

  // The other browser is open before it is needed: on this chain committees have a minute to seal.
  const page = await another();
  const other = await installWallet(page, vera);
  await actAs(page, "Vera");
  await page.goto("/committees");
  const kept = page.getByRole("region", { name: "Sealed votes in this browser" });
  await page.getByLabel("File of sealed votes").setInputFiles({
    ...{ name: "other.json", mimeType: "application/json", buffer: Buffer.from("{}") },
  });
  await expect(kept.getByText("This is no file of sealed votes.")).toBeVisible();

  // The seed is that of a session that began after the call.
  await first.goto("/committees");
  await expect(first.getByText("yours to judge")).toBeVisible({ timeout: 150_000 });
  await first
    .getByRole("row", { name: /yours to judge/ })
    .getByRole("link", { name: /^Draw/ })
    .click();
  await first.waitForURL(/\/committees\/\d+$/);
  const draw = new URL(first.url()).pathname.split("/").at(-1) ?? "";
  const commit = (key: string) => elsewhere(key, "review", "commit", draw, ...words);
  const sealed = Promise.all(others.map(commit));
  const nearest = first.getByRole("region", { name: "Nearest earlier file" });
  for (const [n, key] of ["a", "a", "r"].entries()) {
    const text = (logs[n] ?? "").split("\n")[0] ?? "";
    await expect(first.getByLabel("Text that counts")).toContainText(text, chainTime);
    await expect(first.getByLabel("The file", { exact: true })).toContainText(text);
    if (n === 0) await expect(nearest).toContainText("Nothing that was compared is like it.", chainTime);
    await first.keyboard.press(key);
  }
  const before = wallet.signed.length;
  await first.getByRole("button", { name: "Seal 3 words" }).click();
  const dialog = first.getByRole("dialog");
  await dialog.getByRole("button", { name: "Sign and send" }).click();
  await expect(first.getByText("Keep this page open: 1 sealed vote has to be revealed")).toBeVisible(
    chainTime,
  );
  // One signature seals, the other reveals later: when all have sealed nobody presses anything.
  await expect.poll(() => wallet.signed.length, chainTime).toBe(before + 2);
  await dialog.getByRole("button", { name: /^(Close, it goes on|Done)$/ }).click();

  // What opens the vote is taken to another browser, and this one is closed.
  await first.getByRole("link", { name: "Kept votes" }).click();
  const download = first.waitForEvent("download");
  await first.getByRole("button", { name: "Export" }).click();
  await page.getByLabel("File of sealed votes").setInputFiles(await (await download).path());
  await first.close();
  await expect(kept).toContainText(`Draw ${draw}, 3 files`, chainTime);
  await expect(page.getByText("Keep this page open: 1 sealed vote has to be revealed")).toBeVisible();
  await picture(page, "committees");

  // Reveals open once the last one has sealed. Who will challenge stands ready: there is half a minute for it.
  const last = Promise.all([sealed, commit(owner)]);
  const challengers = await another();
  const second = await challengers.context().newPage();
  for (const [tab, key] of [
    [challengers, ulla],
    [second, stranger],
  ] as const) {
    await installWallet(tab, key);
    await actAs(tab, key.name);
    await tab.goto(`/committees/${draw}`);
  }
  await page.getByRole("link", { name: `Draw ${draw}`, exact: true }).click();
  await last;
  const held = await heldBy(ulla.address);
  await Promise.all([
    ...[owner, ...others].map((key) => elsewhere(key, "review", "reveal", draw)),
    challenge(challengers, refused),
    challenge(second, disputed),
    expect(fileOf(second, refused)).toContainText("its contributor may", chainTime),
    expect(fileOf(page, accepted)).toContainText("you said so yourself", chainTime),
  ]);
  const members = page.getByRole("region", { name: "5 members" });
  await expect(members.getByText("revealed", { exact: true })).toHaveCount(5, chainTime);
  // The second browser sent what the first one had signed.
  expect(other.signed).toHaveLength(0);
  await expect(page.getByText("accept, 70").first()).toBeVisible(chainTime);
  for (const submission of [disputed, refused]) {
    await expect(fileOf(page, submission).getByRole("link", { name: "challenged" })).toBeVisible(chainTime);
  }
  const bond = 10n * 10n ** 18n;
  await expect.poll(() => heldBy(ulla.address), chainTime).toBe(held + bond);
  expect(await heldBy(stranger.address)).toBe(bond);

  // Pay waits until nobody can challenge the verdict any more.
  const paid = page.getByRole("region", { name: "What it paid and cost, and why" });
  await expect(paid.getByText("said what its committee found")).toHaveCount(5, { timeout: 120_000 });
  await expect(fileOf(page, accepted).getByText("accepted", { exact: true })).toBeVisible();
  await expectUsable(page);
  await picture(page, "draw");
  // Of six accounts none can judge again what five of them judged.
  await fileOf(page, disputed).getByRole("link", { name: "challenged" }).click();
  await expect(page.getByText("A challenge with 10 OPEN at stake.", { exact: false })).toBeVisible();
  await expect(page.getByRole("region", { name: "About it" })).toContainText(`draw ${draw}`);
  await expect(page.getByText("Too few accounts have seats")).toBeVisible(chainTime);
  await picture(page, "draw-challenge");
  await page.goto("/committees?tab=earned");
  await expect(page.getByRole("row", { name: /said what its committee found/ })).toContainText("+0.1 OPEN");
  const became = async () => {
    const path = `submissions/${accepted}`;
    const { draws, state } = await api<{ draws: { outcome: string }[]; state: string }>(path);
    return [state, draws.map(({ outcome }) => outcome)];
  };
  await expect.poll(became, chainTime).toEqual(["accepted", ["accepted"]]);
  await page.goto(`/datanets/${datanet}`);
  await expect(page.getByRole("region", { name: "Who decides" })).toContainText("on this board alone");
});
