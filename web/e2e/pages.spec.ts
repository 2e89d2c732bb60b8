import { expect, type Page } from "@playwright/test";
import { pages } from "./pages.ts";
import { expectUsable } from "./steps.ts";
import { test as one } from "./test.ts";

// A browser that has been to other pages has the app's parts: only what is on a page is loaded for each.
const test = one.extend<object, { visitor: Page }>({
  visitor: [
    async ({ browser }, use) => {
      const context = await browser.newContext({ baseURL: process.env.OPENLEDGER_E2E_ORIGIN ?? "" });
      await use(await context.newPage());
      await context.close();
    },
    { scope: "worker" },
  ],
  page: async ({ visitor }, use) => use(visitor),
});

for (const { name, path } of pages) {
  test(`${name}: axe finds nothing serious in both themes, and nothing is wider than a phone`, async ({
    page,
  }) => {
    await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
    await page.goto(path);
    await page.locator("h1").first().waitFor();
    // With what is on it, not with what stands there until that comes.
    await expect(page.locator(".skeleton")).toHaveCount(0);
    await expectUsable(page);
  });
}
