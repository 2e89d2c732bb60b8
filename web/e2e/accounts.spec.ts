import { addAuthenticator, expect, test } from "./test.ts";
import { developmentKey, installWallet, newKey } from "./wallet.ts";

test.describe("somebody without a wallet", () => {
  test("has a passkey that gives PRF results", async ({ page }) => {
    await addAuthenticator(page);
    await page.goto("/accounts");
    const length = await page.evaluate(async () => {
      const random = () => crypto.getRandomValues(new Uint8Array(32));
      const made = (await navigator.credentials.create({
        publicKey: {
          challenge: random(),
          rp: { name: "test" },
          user: { id: random(), name: "test", displayName: "test" },
          pubKeyCredParams: [{ type: "public-key", alg: -7 }],
          authenticatorSelection: { residentKey: "required", userVerification: "required" },
          extensions: { prf: {} },
        },
      })) as PublicKeyCredential;
      const given = (await navigator.credentials.get({
        publicKey: {
          challenge: random(),
          allowCredentials: [{ type: "public-key", id: made.rawId }],
          extensions: { prf: { eval: { first: random() } } },
        },
      })) as PublicKeyCredential;
      const first = given.getClientExtensionResults().prf?.results?.first;
      return first instanceof ArrayBuffer ? first.byteLength : 0;
    });
    expect(length).toBe(32);
  });

  test("makes a key by passkey, is given OPEN, backs it up, and restores it elsewhere", async ({
    page,
    browser,
  }) => {
    await addAuthenticator(page);
    await page.goto("/accounts");
    await page.getByRole("button", { name: "Make a key" }).click();
    await page.getByLabel("Name").fill("Ada");
    await page.getByRole("button", { name: "Make the key" }).click();
    await expect(page.getByText("no backup", { exact: true })).toBeVisible();
    await page.getByRole("button", { name: "Get OPEN" }).click();
    await expect(page.getByText("Contributor", { exact: true })).toBeVisible({ timeout: 60_000 });

    // What is kept opens nothing by itself.
    const kept = await page.evaluate(async () => {
      const open = await new Promise<IDBDatabase>((resolve) => {
        const asked = indexedDB.open("openledger");
        asked.onsuccess = () => resolve(asked.result);
      });
      return new Promise<string>((resolve) => {
        const asked = open.transaction("keys").objectStore("keys").getAll();
        asked.onsuccess = () => resolve(JSON.stringify(asked.result));
      });
    });

    await page.reload();
    await page.getByRole("button", { name: "Back up" }).click();
    await page.getByRole("button", { name: "Show the 12 words" }).click();
    const phrase = page.getByRole("list", { name: "Recovery phrase" }).locator(".font-mono");
    await expect(phrase).toHaveCount(12);
    const words = await phrase.allTextContents();
    for (const word of words.filter((each) => each.length > 4))
      expect(kept).not.toMatch(new RegExp(`\\b${word}\\b`));
    await page.getByRole("button", { name: "Keep a sealed copy" }).click();
    await expect(page.getByText("The gateway keeps a sealed copy").first()).toBeVisible();
    await page.getByLabel("I wrote them down").check();
    await page.getByRole("button", { name: "Done" }).click();
    await expect(page.getByText("no backup", { exact: true })).toBeHidden();
    const address = await page.evaluate(
      () => JSON.parse(localStorage.getItem("openledger.account") ?? "{}").address,
    );

    // A browser that has the passkey and nothing else.
    await page.getByRole("button", { name: "Forget", exact: true }).click();
    await page.getByRole("button", { name: "Forget it" }).click();
    await expect(page.getByText("No key is in this browser yet")).toBeVisible();
    await page.getByRole("button", { name: "Restore by passkey" }).click();
    await expect(page.getByText("You act as Ada now").first()).toBeVisible();
    await expect(page.getByRole("button", { name: "Back up" })).toBeVisible();

    const other = await browser.newContext({ baseURL: process.env.OPENLEDGER_E2E_ORIGIN ?? "" });
    const elsewhere = await other.newPage();
    await elsewhere.goto("/accounts");
    await elsewhere.getByRole("button", { name: "Restore from words" }).click();
    await elsewhere.getByLabel("Recovery phrase").fill(words.join(" "));
    await elsewhere.getByLabel("Name").fill("Ada again");
    await elsewhere.getByLabel("A password").check();
    await elsewhere.getByLabel("Password", { exact: true }).fill("a long password");
    await elsewhere.getByRole("button", { name: "Restore", exact: true }).click();
    await expect(elsewhere.getByText("You act as Ada again now").first()).toBeVisible();
    const restored = () =>
      elsewhere.evaluate(() => JSON.parse(localStorage.getItem("openledger.account") ?? "{}").address);
    await expect.poll(restored).toBe(address);
    await other.close();
  });

  test("is asked for a password where a passkey has no PRF", async ({ page }) => {
    await addAuthenticator(page, false);
    await page.goto("/accounts");
    await page.getByRole("button", { name: "Make a key" }).click();
    await page.getByLabel("Name").fill("Ben");
    await page.getByRole("button", { name: "Make the key" }).click();
    await expect(page.getByText("This passkey cannot seal a key")).toBeVisible();
    await page.getByLabel("Password", { exact: true }).fill("a long password");
    await page.getByRole("button", { name: "Make the key" }).click();
    await expect(page.getByRole("listitem").filter({ hasText: "Ben" }).getByText("password")).toBeVisible();
  });
});

test.describe("somebody with a wallet", () => {
  test("sponsors a newcomer, sees the cost first, and may refuse to sign", async ({ page }) => {
    const [tess, newcomer] = [await developmentKey("Tess"), newKey("Newcomer")];
    const wallet = await installWallet(page, tess);
    await page.goto("/accounts");
    await page.getByRole("button", { name: "test-wallet" }).click();
    await page.getByRole("button", { name: "Use Tess" }).click();
    await page.goto(`/invite?account=${newcomer.address}`);

    await page.getByRole("button", { name: "Sponsor this account" }).click();
    const dialog = page.getByRole("dialog");
    await expect(dialog.getByText("Held, and comes back")).toBeVisible();
    await expect(dialog.getByText(/^0\.\d+ OPEN$/).first()).toBeVisible();
    wallet.refuses = true;
    await dialog.getByRole("button", { name: "Sign and send" }).click();
    await expect(dialog.getByText("It was not signed; nothing was sent")).toBeVisible();
    expect(wallet.signed).toEqual([]);

    wallet.refuses = false;
    await dialog.getByRole("button", { name: "Try again" }).click();
    await expect(dialog.getByRole("button", { name: "Done" })).toBeVisible({ timeout: 60_000 });
    await dialog.getByRole("button", { name: "Done" }).click();
    await expect(page.getByText("This account is a contributor already")).toBeVisible();
    expect(wallet.signed).toHaveLength(1);
  });

  test("is told in words why the chain refused", async ({ page }) => {
    const poor = newKey("Poor");
    await installWallet(page, poor);
    await page.goto("/accounts");
    await page.getByRole("button", { name: "test-wallet" }).click();
    await page.getByRole("button", { name: "Use Poor" }).click();
    await page.goto(`/invite?account=${newKey("Other").address}`);
    await page.getByRole("button", { name: "Sponsor this account" }).click();
    await expect(page.getByText("The account has too little free OPEN for this")).toBeVisible();
    await expect(page.getByRole("button", { name: "Sign and send" })).toBeDisabled();
  });
});
