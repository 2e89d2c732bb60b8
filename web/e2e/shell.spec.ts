import { expectUsable } from "./steps.ts";
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

  test("says that the gateway stands still, or shows the past, why, and what to do", async ({ page }) => {
    let change: object = { trouble: "the index cannot be written: the disk is full" };
    await page.route("**/v1/status", async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), ...change } });
    });
    await page.goto("/network");
    const notice = page.getByRole("alert");
    await expect(notice).toContainText("The gateway stands still: the index cannot be written");
    await expect(notice).toContainText("It tries again by itself");
    await expectUsable(page);
    change = { stopped: "block 7 is of runtime version 999, which this program does not know" };
    await page.reload();
    await expect(notice).toContainText("This gateway shows the past: block 7 is of runtime version 999");
    await expect(notice).toContainText("Use another gateway");
    await expectUsable(page);
    change = { best: null };
    await page.reload();
    await expect(notice).toContainText("The gateway’s node does not answer");
  });

  test("shows nothing that the chain has not said, and says that one waits for it", async ({ page }) => {
    await page.routeWebSocket("**/rpc", () => undefined);
    await page.goto("/factory");
    const estimate = page.getByRole("region", { name: "Estimate" });
    const line = (name: string) => estimate.locator("dl div").filter({ hasText: name });
    await expect(line("Deposit, comes back")).toContainText("not known yet");
    await expect(line("Held now")).toContainText("not known yet");
    await expect(estimate.getByText("Wait until the chain says its limits")).toBeVisible();
    await expect(estimate.getByText(/^0( OPEN)?$/)).toHaveCount(0);
    await page.getByRole("checkbox", { name: /Lighthouses/ }).click();
    await expect(page.getByText("Asking the chain for its version")).toBeVisible();
    await expect(page.getByRole("alert")).toContainText("The chain has not answered yet");
    await expectUsable(page);
  });

  test("has its pages in a menu on a phone", async ({ page }) => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto("/");
    await page.getByRole("button", { name: "Menu" }).click();
    await page.getByRole("dialog").getByRole("link", { name: "Accounts" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Accounts");
  });
});
