import AxeBuilder from "@axe-core/playwright";
import { pages } from "./pages.ts";
import { expect, test } from "./test.ts";

for (const { name, path } of pages) {
  test(`${name}: axe finds nothing serious in both themes, and nothing is wider than a phone`, async ({
    page,
  }) => {
    const serious = async (axe: AxeBuilder) => {
      const { violations } = await axe.analyze();
      return violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id, nodes }) => [id, ...nodes.slice(0, 3).map(({ html }) => html)].join(" | "));
    };
    await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
    await page.goto(path);
    await page.locator("h1").first().waitFor();
    await page.waitForTimeout(300);
    expect(await serious(new AxeBuilder({ page }))).toEqual([]);
    // Of the other theme the colours are other ones, and nothing else.
    await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
    await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
    expect(await serious(new AxeBuilder({ page }).withRules("color-contrast"))).toEqual([]);
    await page.setViewportSize({ width: 390, height: 844 });
    // What is drawn is drawn anew a moment later.
    await expect
      .poll(() => page.evaluate(() => document.documentElement.scrollWidth))
      .toBeLessThanOrEqual(390);
  });
}
