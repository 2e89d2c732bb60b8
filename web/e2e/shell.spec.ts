import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { pages } from "./pages.ts";
import { asAlice, seed } from "./seed.ts";
import { expect, test } from "./test.ts";

test.describe("the shell", () => {
  test("shows the chain and names every page", async ({ page }) => {
    await page.goto("/");
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("OpenLedger");
    await page.getByRole("link", { name: "Accounts" }).first().click();
    await expect(page.getByRole("heading", { level: 1 })).toBeFocused();
    await expect(page).toHaveTitle("Accounts · OpenLedger");
    await page.goto("/no-such-page");
    await expect(page.getByText("Nothing is at this address")).toBeVisible();
  });

  test("lets the keyboard skip to the content", async ({ page }) => {
    await page.goto("/");
    await page.locator("h1").waitFor();
    await page.keyboard.press("Tab");
    await expect(page.getByRole("link", { name: "Skip to content" })).toBeFocused();
    await page.keyboard.press("Enter");
    await expect(page.locator("#content")).toBeFocused();
  });

  test("keeps the theme that was chosen, from the first paint", async ({ page }) => {
    await page.emulateMedia({ colorScheme: "light" });
    await page.goto("/");
    await expect(page.locator("html")).toHaveAttribute("data-theme", "light");
    await page.getByRole("button", { name: "Theme" }).click();
    await page.getByRole("menuitemradio", { name: "Dark" }).click();
    await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
    await page.goto("/accounts", { waitUntil: "commit" });
    await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  });

  test("has its pages in a menu on a phone, and nothing wider than it", async ({ page }) => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto("/");
    await page.getByRole("button", { name: "Menu" }).click();
    await page.getByRole("dialog").getByRole("link", { name: "Accounts" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Accounts");
    for (const { path } of pages) {
      await page.goto(path);
      await page.locator("h1").first().waitFor();
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(width, path).toBeLessThanOrEqual(390);
    }
  });
});

async function findings(page: Page): Promise<string[]> {
  await page.locator("h1").first().waitFor();
  await page.waitForTimeout(500);
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(
      ({ id, nodes }) =>
        `${id}: ${nodes
          .map((node) => node.html)
          .slice(0, 3)
          .join(" | ")}`,
    );
}

for (const theme of ["light", "dark"] as const) {
  test(`axe finds nothing serious in the ${theme} theme`, async ({ page }) => {
    test.setTimeout(400_000);
    await seed();
    await asAlice(page);
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    for (const { name, path } of pages) {
      await page.goto(path);
      expect(await findings(page), name).toEqual([]);
    }
  });
}

test("axe finds nothing serious in what a visitor without an account sees", async ({ page }) => {
  test.setTimeout(180_000);
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  for (const path of ["/", "/accounts", "/contribute", "/review", "/rewards", "/datanets/new"]) {
    await page.goto(path);
    expect(await findings(page), path).toEqual([]);
  }
});
