import { openledger } from "./command.ts";
import { payload, struck } from "./payload.ts";
import { chainTime, choose } from "./steps.ts";
import { expect, test } from "./test.ts";
import { developmentKey, installWallet } from "./wallet.ts";

test("names of Datanets, files and accounts that strangers write are shown as text", async ({ page }) => {
  test.setTimeout(240_000);
  const { datanet } = await openledger(
    ...(["//Yves", "datanet", "create", "--name", payload, "--modality", "text"] as const),
    ...["--curator", "//Yves", "--threshold", "1"],
  );
  const name = '<b onclick="window.struck=1">Xenia</b>';
  await installWallet(page, { ...(await developmentKey("Xenia")), name });
  await choose(page, name);
  for (const path of ["/datanets", `/datanets/${datanet}`, "/", "/network"]) {
    await page.goto(path);
    await page.locator("h1").first().waitFor();
    if (path.startsWith("/datanets")) await expect(page.getByText(payload).first()).toBeVisible(chainTime);
  }
  await page.goto(`/contribute?datanet=${datanet}`);
  await expect(page.getByLabel("Datanet")).toContainText(payload);
  const text = `${payload}<script>window.struck=1</script>\n`.repeat(20);
  await page.getByLabel("Files to contribute").setInputFiles({
    name: `${payload.replaceAll("/", "")}.md`,
    mimeType: "text/markdown",
    buffer: Buffer.from(text),
  });
  await expect(page.getByText(`${payload}.md`)).toBeVisible();
  await page.getByRole("button", { name: "Store 1 file" }).click();
  await page.getByRole("button", { name: "What counts" }).click(chainTime);
  await expect(page.getByRole("dialog")).toContainText(payload);
  expect(await page.evaluate(struck)).toBeUndefined();
});
