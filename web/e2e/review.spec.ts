import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openledger } from "./command.ts";
import { hills } from "./png.ts";
import { actAs, chainTime, datanetCalled, expectUsable, picture } from "./steps.ts";
import { expect, test } from "./test.ts";
import { developmentKey, installWallet } from "./wallet.ts";

test("a curator judges by keys, sees a near copy beside its original, and signs all votes at once", async ({
  page,
}) => {
  test.setTimeout(240_000);
  const [contributor, curator] = [await developmentKey("Gil"), await developmentKey("Eve")];
  const wallet = await installWallet(page, contributor, curator);
  await actAs(page, "Gil");
  await page.goto(`/contribute?datanet=${await datanetCalled("Pond life")}`);
  const [heron, end, copy] = [
    "The heron came back to the pond. ",
    "We watched it.",
    "It ate a frog of mine.",
  ];
  const advert = "Buy this wonderful thing right now. ";
  const files = [heron.repeat(20) + end, advert.repeat(20), heron.repeat(20) + copy];
  await page.getByLabel("Files to contribute").setInputFiles(
    files.map((text, n) => ({
      name: `for-review-${n}.txt`,
      mimeType: "text/plain",
      buffer: Buffer.from(text),
    })),
  );
  await page.getByRole("button", { name: "Store 3 files" }).click();
  await page.getByRole("button", { name: "Submit 3 files" }).click({ timeout: 60_000 });
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Sign and send" }).click();
  await dialog.getByRole("button", { name: "Done" }).click({ timeout: 60_000 });
  await expect(page.getByText("In review")).toHaveCount(3, { timeout: 60_000 });

  await actAs(page, "Eve");
  await page.goto("/review");
  const before = wallet.signed.length;
  const judged = async (text: string, key: string | null) => {
    // Which of the rows it is the page says once it has fetched the text.
    await expect(async () => {
      for (const row of await page.locator("main ul button").all()) {
        await row.click();
        try {
          await expect(page.getByLabel("Text that counts")).toContainText(text.trim(), { timeout: 3_000 });
          return;
        } catch {
          // Another row.
        }
      }
      throw new Error(`no file says ${text}`);
    }).toPass({ timeout: 60_000 });
    // The bytes of the file stand beside the text that is paid.
    await expect(page.getByLabel("The file")).toContainText(text.trim());
    if (key) await page.keyboard.press(key);
  };
  await expect(page.locator("main ul button").nth(2)).toBeVisible({ timeout: 60_000 });
  await judged(copy, null);
  const nearest = page.getByRole("region", { name: "Nearest earlier file" });
  await expect(nearest).toContainText("says the same in this part of its letters", { timeout: 60_000 });
  await nearest.getByRole("button", { name: "Show it" }).click();
  await expect(nearest.getByLabel("Text of the earlier file")).toContainText(end);
  await expect(nearest.locator("mark").first()).toBeVisible();
  await expectUsable(page);
  await picture(page, "nearest-text");
  await page.getByLabel("Reason").selectOption("duplicate");
  await page.getByRole("button", { name: "Refuse" }).click();
  await expect(page.getByText("refuse, duplicate")).toBeVisible();
  await judged(end, "a");
  await expect(page.getByText("accept, 80")).toBeVisible();
  await judged(advert, "r");
  await expect(page.getByText("refuse, off-topic")).toBeVisible();
  await page.getByRole("button", { name: "Sign 3 votes" }).click();
  await expect(dialog.getByText("accept, 80")).toBeVisible();
  await dialog.getByRole("button", { name: "Sign and send" }).click();
  await dialog.getByRole("button", { name: "Done" }).click({ timeout: 60_000 });
  expect(wallet.signed.length).toBe(before + 1);

  await actAs(page, "Gil");
  await page.goto(`/contribute?datanet=${await datanetCalled("Pond life")}`);
  await expect(page.getByText("Accepted", { exact: true })).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText("not about what the Datanet collects")).toBeVisible({ timeout: 60_000 });
});

test("a curator sees a picture beside the earlier one that it looks like", async ({ page }) => {
  test.setTimeout(180_000);
  const { datanet } = await openledger(
    ...(["//Bodil", "datanet", "create", "--name", "Harbour pictures", "--modality", "image"] as const),
    ...["--curator", "//Bodil", "--threshold", "1"],
  );
  // The second one is smaller and brighter.
  const pictures = [hills(360), hills(240, 12)];
  const paths = pictures.map((bytes, n) => {
    const path = join(process.env.OPENLEDGER_E2E_DIRECTORY ?? "", `hills-${n}.png`);
    writeFileSync(path, bytes);
    return path;
  });
  const given = await openledger("//Pil", "submit", "--datanet", String(datanet), ...paths);
  const [{ submission: earlier }, { submission: later }] = given.submissions as [
    { submission: number },
    { submission: number },
  ];
  for (const bytes of pictures) {
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const query = `size=${bytes.length}&datanet=${datanet}&media=png`;
    const send = () =>
      fetch(`${process.env.OPENLEDGER_E2E_ORIGIN}/v1/blobs/${sha256}?${query}`, {
        method: "PUT",
        body: new Uint8Array(bytes),
      });
    await expect.poll(async () => (await send()).ok, chainTime).toBe(true);
  }
  await installWallet(page, await developmentKey("Bodil"));
  await actAs(page, "Bodil");
  await page.goto(`/review?datanet=${datanet}`);
  await page.getByRole("button", { name: `Submission ${later} .png` }).click(chainTime);
  const nearest = page.getByRole("region", { name: "Nearest earlier file" });
  await expect(nearest).toContainText(`Submission ${earlier} shows the same`, chainTime);
  await expect(nearest.getByText(/^(9[0-9]|100) % alike$/)).toBeVisible();
  await nearest.getByRole("button", { name: "Show it" }).click();
  const shown = (title: string) => nearest.getByRole("region", { name: title }).getByRole("img");
  await expect(shown("This file")).toHaveAttribute("alt", `Submission ${later}`);
  await expect(shown("The earlier file")).toHaveAttribute("alt", `Submission ${earlier}`);
  for (const title of ["This file", "The earlier file"]) {
    await expect
      .poll(() => shown(title).evaluate((one) => (one as HTMLImageElement).naturalWidth))
      .toBeGreaterThan(0);
  }
  await expectUsable(page);
  await picture(page, "nearest-picture");
});
