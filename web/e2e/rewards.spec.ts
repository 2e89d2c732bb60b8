import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openledger } from "./command.ts";
import { actAs, api, signAndWait } from "./steps.ts";
import { expect, test } from "./test.ts";
import { developmentKey, installWallet, type WalletKey } from "./wallet.ts";

// A development chain's reward period is 10 blocks, so that each ends within half a minute. No point brings more
// than its Datanet's most, which is far below what a period may pay: what is owed is points × that.
const MOST_PER_POINT = 10_000_000_000_000n;
/** Files and their scores: each contributor gives one to each of the Datanets. */
const files = [
  {
    key: "Ida",
    datanet: 0,
    score: 90,
    text: "The tide came in at seven, as the table said. ".repeat(12).trim(),
  },
  {
    key: "Ida",
    datanet: 1,
    score: 70,
    text: "A list of birds that were seen from the pier. ".repeat(9).trim(),
  },
  {
    key: "Jon",
    datanet: 0,
    score: 40,
    text: "Fog all morning, and nothing to be seen at all. ".repeat(8).trim(),
  },
  {
    key: "Jon",
    datanet: 1,
    score: 50,
    text: "A heron stood where the old boats lie at night. ".repeat(7).trim(),
  },
] as const;
/** What a file of plain text earns: its units are its bytes. */
const earned = (key: string, datanet?: number) =>
  files
    .filter((file) => file.key === key && (datanet === undefined || file.datanet === datanet))
    .reduce((sum, { score, text }) => sum + BigInt(score * text.length) * MOST_PER_POINT, 0n);

test.describe("rewards", () => {
  test.describe.configure({ mode: "serial" });
  const ids: number[] = [];
  let ida: WalletKey;
  let jon: WalletKey;

  const free = async (account: string) =>
    BigInt((await api<{ balance: string }>(`accounts/${account}`)).balance);
  const claimable = async (account: string) =>
    (await api<{ items: { claimable: string }[] }>(`accounts/${account}/rewards`)).items.reduce(
      (sum, item) => sum + BigInt(item.claimable),
      0n,
    );

  test("a funder pays into a pool, and an accepted file is on the board", async ({ page }) => {
    test.setTimeout(240_000);
    [ida, jon] = [await developmentKey("Ida"), await developmentKey("Jon")];
    for (const name of ["Tides", "Birds"]) {
      const made = await openledger(
        "//Fay",
        ...["datanet", "create", "--name", name, "--modality", "text", "--min-units", "10"],
        ...["--curator", "//Fay", "--threshold", "1"],
      );
      ids.push(Number(made.datanet));
    }
    expect(ids.every(Number.isInteger)).toBe(true);
    await openledger(
      "//Fay",
      ...["rewards", "terms", "--datanet", String(ids[1])],
      ...["--per-period", "10", "--max-per-point", String(MOST_PER_POINT)],
    );
    await openledger("//Fay", "rewards", "fund", "--datanet", String(ids[1]), "--amount", "25");

    // The funder, in the browser.
    await installWallet(page, await developmentKey("Fay"), ida);
    await actAs(page, "Fay");
    await page.goto(`/datanets/${ids[0]}`);
    await page.getByLabel("Most for a reward period").fill("10");
    await page.getByLabel("Most for one point").fill("0.00001");
    await page.getByRole("button", { name: "Set the terms" }).click();
    await signAndWait(page);
    await page.getByLabel("Amount").fill("25");
    await page.getByRole("button", { name: "Fund the pool" }).click();
    await signAndWait(page);
    await page.getByRole("link", { name: "Whole board" }).click();
    await expect(page.getByText("Nobody has points yet")).toBeVisible();

    for (const [n, { key, datanet, score, text }] of files.entries()) {
      const path = join(process.env.OPENLEDGER_E2E_DIRECTORY ?? "", `reward-${n}.txt`);
      writeFileSync(path, text);
      const id = String(ids[datanet]);
      await openledger(`//${key}`, "submit", "--datanet", id, path);
      const sha256 = createHash("sha256").update(text).digest("hex");
      await openledger(
        "//Fay",
        ...["review", "accept", "--datanet", id, "--sha256", sha256, "--score", String(score)],
      );
    }

    // The page is open all the while: the board comes by itself.
    const table = page.getByRole("table", { name: "Board of Tides" });
    await expect(table.getByRole("row")).toHaveCount(3, { timeout: 60_000 });
    const points = (90 * files[0].text.length).toLocaleString("en");
    await expect(table.getByRole("row").nth(1)).toContainText(points);
    await expect(table.getByRole("row").nth(1)).toContainText("100 % (1 of 1)");

    await actAs(page, "Ida");
    await page.goto(`/leaderboard?datanet=${ids[0]}`);
    await expect(table.getByRole("row").nth(1)).toContainText("You, Ida");
    await page.getByRole("link", { name: "Why these points" }).click();
    const why = page.getByRole("table", { name: "Accepted files with their points" });
    await expect(why.getByRole("row").nth(1)).toContainText(`90${files[0].text.length}${points}`);
  });

  test("the second on the board sees that rank, of all time and of the period", async ({ page }) => {
    await installWallet(page, jon);
    await actAs(page, "Jon");
    await page.goto(`/leaderboard?datanet=${ids[0]}`);
    const rank = page.locator("dl div").filter({ hasText: "Your rank" });
    await expect(rank).toContainText("2");
    // The points came in one of the periods that can be chosen, and nowhere else.
    const periods = page.getByLabel("Period");
    await expect(periods.getByRole("option", { name: /^Period \d+$/ }).first()).toBeAttached({
      timeout: 90_000,
    });
    // The two files may have been accepted in different ones, so that one has the other's points alone.
    const board = page.getByRole("table", { name: "Board of Tides" });
    await expect(async () => {
      for (const option of await periods.getByRole("option", { name: /^Period \d+$/ }).all()) {
        await periods.selectOption(await option.getAttribute("value"));
        await expect(page.getByText(/^Ended/)).toBeVisible();
        try {
          await expect(board).toContainText("You, Jon", { timeout: 3_000 });
          return;
        } catch {
          // Another period.
        }
      }
      throw new Error("no ended period has Jon's points yet");
    }).toPass({ timeout: 90_000 });
    await page.goto(`/leaderboard?datanet=${ids[0]}&period=0`);
    await expect(page.getByText("Nobody earned points in this period")).toBeVisible();
  });

  test("a wallet that signs with another key moves nothing", async ({ page }) => {
    await expect.poll(() => claimable(ida.address), { timeout: 90_000 }).toBe(earned("Ida"));
    const before = await free(ida.address);
    await installWallet(page, { ...ida, secret: jon.secret });
    await actAs(page, "Ida");
    await page.goto("/rewards");
    await page.getByRole("button", { name: /^Claim all/ }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Sign and send" }).click();
    await expect(dialog.getByText("The signature does not fit the transaction")).toBeVisible();
    await expect(dialog.getByText("The wallet may have signed for another network.")).toBeVisible();
    expect(await free(ida.address)).toBe(before);
  });

  test("a contributor claims from two Datanets by one signature", async ({ page }) => {
    const wallet = await installWallet(page, ida);
    await actAs(page, "Ida");
    await page.goto("/rewards");
    const before = await free(ida.address);
    await page.getByRole("button", { name: "Claim all, from 2 Datanets" }).click();
    const dialog = page.getByRole("dialog");
    await expect(dialog.getByText("One signature and one payment for all of them.")).toBeVisible();
    wallet.refuses = true;
    await dialog.getByRole("button", { name: "Sign and send" }).click();
    await expect(dialog.getByText("It was not signed; nothing was sent")).toBeVisible();
    wallet.refuses = false;
    await dialog.getByRole("button", { name: "Try again" }).click();
    await expect(dialog.getByRole("button", { name: "Done" })).toBeVisible({ timeout: 60_000 });
    await dialog.getByRole("button", { name: "Done" }).click();
    expect(wallet.signed).toHaveLength(1);

    const claims = page.getByRole("table", { name: "Claims" });
    await expect(claims.getByRole("row")).toHaveCount(3, { timeout: 60_000 });
    await expect(page.getByText("There is nothing to claim now.")).toBeVisible();
    // The claims closed the period, and say what a point brought.
    await expect(
      page.getByRole("table", { name: "Rewards by Datanet" }).getByText("0.00001 OPEN"),
    ).toHaveCount(2);
    await expect(page.getByRole("button", { name: "Claim all" })).toBeDisabled();
    // What came is all that was owed, less the fee.
    const fee = before + earned("Ida") - (await free(ida.address));
    expect(fee).toBeGreaterThan(0n);
    expect(fee).toBeLessThan(10n ** 16n);

    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "Everything as CSV" }).click(),
    ]);
    const lines = (await (await download.createReadStream()).toArray()).join("").trim().split("\n");
    expect(lines[0]).toBe("event,time,block,datanet,points,plancks");
    expect(lines.filter((line) => line.startsWith("earned,"))).toHaveLength(2);
    expect(
      lines
        .filter((line) => line.startsWith("claimed,"))
        .map((line) => line.split(",").at(-1))
        .sort(),
    ).toEqual([earned("Ida", 0), earned("Ida", 1)].map(String).sort());
  });

  test("somebody else claims for who has no fee, and the balance rises by exactly that", async ({ page }) => {
    const before = await free(jon.address);
    await installWallet(page, await developmentKey("Fay"));
    await actAs(page, "Fay");
    await page.goto(`/rewards?account=${jon.address}`);
    await expect(page.getByText("Anyone may claim for this account")).toBeVisible();
    await page.getByRole("button", { name: "Claim from Tides" }).click();
    await signAndWait(page);
    expect(await free(jon.address)).toBe(before + earned("Jon", 0));
    await expect(page.getByRole("button", { name: "Claim from Tides" })).toBeDisabled();

    // Of two who claim the same the second is told so, and nothing is paid twice.
    await page.getByRole("button", { name: "Claim from Birds" }).click();
    const dialog = page.getByRole("dialog");
    await expect(dialog.getByText("Paid out")).toBeVisible();
    await openledger("//Fay", "rewards", "claim", "--datanet", String(ids[1]), jon.address);
    expect(await free(jon.address)).toBe(before + earned("Jon"));
    await dialog.getByRole("button", { name: "Sign and send" }).click();
    await expect(dialog.getByText(/Leaderboard::NothingToClaim/)).toBeVisible({ timeout: 60_000 });
    await expect(
      dialog.getByText("Points are paid once the reward period they were earned in has ended."),
    ).toBeVisible();
    await dialog.getByRole("button", { name: "Close" }).last().click();
    expect(await free(jon.address)).toBe(before + earned("Jon"));
    await expect(page.getByText("There is nothing to claim now.")).toBeVisible();
  });
});
