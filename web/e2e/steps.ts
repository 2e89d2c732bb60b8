// What people do on many pages, and tests do too.

import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

/** A transaction or a block that is waited for: some seconds on an idle machine. */
export const chainTime = { timeout: 90_000 };

/** Acts as an account of the wallet that the test put in. */
export async function actAs(page: Page, name: string): Promise<void> {
  await page.goto("/accounts");
  await page.getByRole("button", { name: "test-wallet" }).click();
  await page.getByRole("button", { name: `Use ${name}` }).click();
}

/** Has the faucet give OPEN to the account in use and register it. */
export async function getOpen(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Get OPEN" }).click();
  await expect(page.getByText("Contributor", { exact: true })).toBeVisible(chainTime);
}

/** Signs what is asked for, and waits until it is final. */
export async function signAndWait(page: Page): Promise<void> {
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Sign and send" }).click();
  await dialog.getByRole("button", { name: "Done" }).click(chainTime);
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

/** That axe finds nothing serious on what is shown, in both themes, and that nothing is wider than a phone. */
export async function expectUsable(page: Page): Promise<void> {
  // There are no frames, for which axe would be put into a second page each time.
  const builder = () => new AxeBuilder({ page }).setLegacyMode();
  const serious = async (axe: AxeBuilder) => {
    const { violations } = await axe.analyze();
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => [id, ...nodes.slice(0, 3).map(({ html }) => html)].join(" | "));
  };
  const before = page.viewportSize();
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  expect(await serious(builder())).toEqual([]);
  // Of the other theme the colours are other ones, and nothing else.
  await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  expect(await serious(builder().withRules("color-contrast"))).toEqual([]);
  await page.setViewportSize({ width: 390, height: 844 });
  // What is drawn is drawn anew a moment later.
  await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  if (before) await page.setViewportSize(before);
}
