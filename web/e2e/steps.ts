// What people do on many pages, and tests do too.

import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";
import { addressOf } from "./wallet.ts";

/** A transaction or a block that is waited for: some seconds on an idle machine. */
export const chainTime = { timeout: 90_000 };

/** Chooses an account of the wallet that the test put in, as people do. */
export async function choose(page: Page, name: string): Promise<void> {
  await page.goto("/accounts");
  await page.getByRole("button", { name: "test-wallet" }).click();
  await page.getByRole("button", { name: `Use ${name}` }).click();
}

/**
 * Acts as an account of the wallet that the test put in, from the next page on: as the browser keeps it of one that was
 * chosen on an earlier visit, which takes no page of its own.
 */
export async function actAs(page: Page, name: string): Promise<void> {
  const source = { kind: "extension", extension: "test-wallet" };
  const account = JSON.stringify({ address: addressOf(page, name), name, source });
  const keep = (text: string) => localStorage.setItem("openledger.account", text);
  if (page.url().startsWith("http")) {
    await page.evaluate(keep, account);
    return;
  }
  await page.addInitScript((text) => {
    // Of the first page alone: what is chosen later stands.
    if (sessionStorage.getItem("acts") !== null) return;
    sessionStorage.setItem("acts", "");
    localStorage.setItem("openledger.account", text);
  }, account);
}

/** Has the faucet give OPEN to the account in use and register it. */
export async function getOpen(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Get OPEN" }).click();
  await expect(page.getByText("Contributor", { exact: true })).toBeVisible(chainTime);
}

/** Signs what is asked for, and goes on once it is in a block: what the gateway says of it comes when that is final. */
export async function signAndWait(page: Page): Promise<void> {
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Sign and send" }).click();
  await expect(dialog.getByRole("listitem").filter({ hasText: /^In a block[\d,]+$/ })).toBeVisible(chainTime);
  await dialog.getByRole("button", { name: /^(Close, it goes on|Done)$/ }).click();
}

/** What the gateway says, asked by the test itself. */
export async function api<T>(path: string): Promise<T> {
  const response = await fetch(`${process.env.OPENLEDGER_E2E_ORIGIN}/v1/${path}`);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

/** Plancks that are held on an account. */
export async function heldBy(address: string): Promise<bigint> {
  return BigInt((await api<{ held: string }>(`accounts/${address}`)).held);
}

/** Stops a program of the network, or starts it again as it was, perhaps with more arguments. */
export async function control(what: "stop" | "start", name: string, ...more: string[]): Promise<void> {
  const query = new URLSearchParams(more.map((argument) => ["more", argument]));
  const url = `${process.env.OPENLEDGER_E2E_CONTROL}/${what}/${name}?${query}`;
  const response = await fetch(url, { method: "POST" });
  if (!response.ok) throw new Error(await response.text());
}

/** The number of a Datanet of the network's start. */
export async function datanetCalled(name: "Field notes" | "Lighthouses" | "Pond life"): Promise<number> {
  const { items } = await api<{ items: { id: number; name: string }[] }>("datanets");
  const found = items.find((datanet) => datanet.name === name);
  if (!found) throw new Error(`there is no Datanet ${name}`);
  return found.id;
}

/** The part of axe, as it stands in a page, that is used here. */
interface Axe {
  run(
    on: Document,
    options: object,
  ): Promise<{
    violations: { id: string; impact: string; nodes: { html: string }[] }[];
  }>;
}

/** What axe finds on the page as it is, where it is serious. Axe is put into each document once: it is half a megabyte. */
async function seriousOn(page: Page, rules?: string[]): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in window))) {
    // There are no frames, for which axe would be put into a second page each time.
    await new AxeBuilder({ page }).setLegacyMode().withRules("html-has-lang").analyze();
  }
  return page.evaluate(async (only) => {
    const { axe } = window as unknown as { axe: Axe };
    const { violations } = await axe.run(document, {
      // Nobody looks at what passes, of which there is much.
      resultTypes: ["violations"],
      ...(only ? { runOnly: only } : {}),
    });
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => [id, ...nodes.slice(0, 3).map(({ html }) => html)].join(" | "));
  }, rules);
}

/** That axe finds nothing serious on what is shown, in both themes, and that nothing is wider than a phone. */
export async function expectUsable(page: Page): Promise<void> {
  const before = page.viewportSize();
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  expect(await seriousOn(page)).toEqual([]);
  // Of the other theme the colours are other ones, and nothing else.
  await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  // Colours pass on from one element to those within it frame by frame, however short that is.
  await expect.poll(() => page.evaluate(() => document.getAnimations().length)).toBe(0);
  expect(await seriousOn(page, ["color-contrast"])).toEqual([]);
  await page.setViewportSize({ width: 390, height: 844 });
  // What is drawn is drawn anew a moment later.
  await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  if (before) await page.setViewportSize(before);
}

/**
 * Puts pictures of what only this test shows into the folder of `OPENLEDGER_E2E_PICTURES`, for people to look at: both
 * themes, at the widths of a desk and of a phone. Nothing without it.
 */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.OPENLEDGER_E2E_PICTURES;
  if (!folder) return;
  const before = page.viewportSize();
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 860 });
      await page.evaluate(() => scrollTo(0, 0));
      await page.waitForTimeout(400);
      await page.screenshot({ path: `${folder}/${name}-${width}-${colorScheme}.png`, fullPage: true });
    }
  }
  if (before) await page.setViewportSize(before);
}
