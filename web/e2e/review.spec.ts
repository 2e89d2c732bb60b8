import { actAs, datanetCalled } from "./steps.ts";
import { expect, test } from "./test.ts";
import { developmentKey, installWallet } from "./wallet.ts";

test("a curator judges by keys and signs all votes at once", async ({ page }) => {
  test.setTimeout(240_000);
  const [contributor, curator] = [await developmentKey("Gil"), await developmentKey("Eve")];
  const wallet = await installWallet(page, contributor, curator);
  await actAs(page, "Gil");
  await page.goto(`/contribute?datanet=${await datanetCalled("Pond life")}`);
  const texts = ["The heron came back to the pond. ", "Buy this wonderful thing right now. "];
  await page.getByLabel("Files to contribute").setInputFiles(
    texts.map((text, n) => ({
      name: `for-review-${n}.txt`,
      mimeType: "text/plain",
      buffer: Buffer.from(text.repeat(20)),
    })),
  );
  await page.getByRole("button", { name: "Store 2 files" }).click();
  await page.getByRole("button", { name: "Submit 2 files" }).click({ timeout: 60_000 });
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Sign and send" }).click();
  await dialog.getByRole("button", { name: "Done" }).click({ timeout: 60_000 });
  await expect(page.getByText("In review")).toHaveCount(2, { timeout: 60_000 });

  await actAs(page, "Eve");
  await page.goto("/review");
  const before = wallet.signed.length;
  const judged = async (text: string, key: string) => {
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
    await page.keyboard.press(key);
  };
  await expect(page.locator("main ul button").nth(1)).toBeVisible({ timeout: 60_000 });
  await judged(texts[0] ?? "", "a");
  await expect(page.getByText("accept, 80")).toBeVisible();
  await judged(texts[1] ?? "", "r");
  await expect(page.getByText("refuse, off-topic")).toBeVisible();
  await page.getByRole("button", { name: "Sign 2 votes" }).click();
  await expect(dialog.getByText("accept, 80")).toBeVisible();
  await dialog.getByRole("button", { name: "Sign and send" }).click();
  await dialog.getByRole("button", { name: "Done" }).click({ timeout: 60_000 });
  expect(wallet.signed.length).toBe(before + 1);

  await actAs(page, "Gil");
  await page.goto(`/contribute?datanet=${await datanetCalled("Pond life")}`);
  await expect(page.getByText("Accepted", { exact: true })).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText("not about what the Datanet collects")).toBeVisible({ timeout: 60_000 });
});
