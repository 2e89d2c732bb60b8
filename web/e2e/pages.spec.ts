import { pages } from "./pages.ts";
import { expectUsable } from "./steps.ts";
import { test } from "./test.ts";

for (const { name, path } of pages) {
  test(`${name}: axe finds nothing serious in both themes, and nothing is wider than a phone`, async ({
    page,
  }) => {
    await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
    await page.goto(path);
    await page.locator("h1").first().waitFor();
    await page.waitForTimeout(300);
    await expectUsable(page);
  });
}
