import { mkdirSync } from "node:fs";
import { prepare } from "./agent.ts";
import { pages } from "./pages.ts";
import { asAlice, seed } from "./seed.ts";
import { test } from "./test.ts";
import { developmentKey } from "./wallet.ts";

const folder = process.env.OPENLEDGER_SCREENSHOTS_DIRECTORY ?? "screenshots";
mkdirSync(folder, { recursive: true });

test.beforeAll(async () => {
  test.setTimeout(180_000);
  await seed();
});

for (const theme of ["light", "dark"] as const) {
  for (const width of [1280, 390]) {
    test(`${theme}, ${width}`, async ({ page }) => {
      test.setTimeout(300_000);
      await page.setViewportSize({ width, height: width === 390 ? 844 : 860 });
      await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
      await asAlice(page);
      for (const { name, path } of pages) {
        await page.goto(path);
        await page.locator("h1").first().waitFor();
        await page.waitForTimeout(1500);
        await page.screenshot({ path: `${folder}/${name}-${width}-${theme}.png`, fullPage: true });
      }
      // What an agent prepared.
      const { address } = await developmentKey("Alice");
      const prepared = await prepare("prepareFunding", { account: address, datanet: 0, amount: "2.5" });
      await page.goto(`/sign#${prepared.signUrl.split("#")[1]}`);
      await page.getByText("Leaderboard.fund").waitFor();
      await page.waitForTimeout(1500);
      await page.screenshot({ path: `${folder}/sign-call-${width}-${theme}.png`, fullPage: true });
      // What opens over a page.
      await page.goto("/accounts");
      await page.getByRole("button", { name: "Make a key" }).click();
      await page.waitForTimeout(500);
      await page.screenshot({ path: `${folder}/new-key-${width}-${theme}.png` });
      await page.keyboard.press("Escape");
      await page.goto("/datanets/0");
      await page.getByLabel("Amount").fill("1");
      await page.getByRole("button", { name: "Fund the pool" }).click();
      await page.waitForTimeout(2500);
      await page.screenshot({ path: `${folder}/transaction-${width}-${theme}.png` });
    });
  }
}
