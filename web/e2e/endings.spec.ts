// What ends: a closed Datanet's pool, a submission that waits too long, the permission to train on a file, a base
// model.

import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openledger } from "./command.ts";
import { actAs, api, chainTime, datanetCalled, expectUsable, heldBy, signAndWait } from "./steps.ts";
import { expect, test } from "./test.ts";
import { developmentKey, installWallet } from "./wallet.ts";

/** A file of plain text that Rex submits; its submission. */
async function submitted(datanet: string, name: string, text: string): Promise<number> {
  const path = join(process.env.OPENLEDGER_E2E_DIRECTORY ?? "", name);
  writeFileSync(path, text);
  const given = await openledger("//Rex", "submit", "--datanet", datanet, path);
  const [{ submission }] = given.submissions as [{ submission: number }];
  // The gateway does not know it before its block is final.
  const known = () => api(`submissions/${submission}`).then(Boolean, () => false);
  await expect.poll(known, chainTime).toBe(true);
  return submission;
}

test.describe
  .serial("what ends", () => {
    let datanet = "";
    let accepted = 0;

    test.beforeAll(async () => {
      test.setTimeout(180_000);
      const made = await openledger(
        "//Rex",
        ...["datanet", "create", "--name", "Old ledgers", "--modality", "text", "--min-units", "10"],
        ...["--curator", "//Sam", "--threshold", "1"],
      );
      datanet = String(made.datanet);
      await openledger("//Rex", "contributor", "register").catch(() => undefined);
      // A period takes nearly all: what is left is less than a thousandth of what must be paid in at once.
      const terms = ["--per-period", "0.9995", "--max-per-point", "1OPEN"];
      await openledger("//Rex", "rewards", "terms", "--datanet", datanet, ...terms);
      await openledger("//Rex", "rewards", "fund", "--datanet", datanet, "--amount", "1");
      const text = "What the ledger of the harbour says of the year. ".repeat(8).trim();
      accepted = await submitted(datanet, "ledger.txt", text);
      const sha256 = createHash("sha256").update(text).digest("hex");
      const verdict = ["review", "accept", "--datanet", datanet, "--sha256", sha256, "--score", "70"];
      await openledger("//Sam", ...verdict);
    });

    test("whoever registered a base model retires it, and the deposit comes back", async ({ page }) => {
      test.setTimeout(180_000);
      const rex = await developmentKey("Rex");
      const before = await heldBy(rex.address);
      const weights = join(process.env.OPENLEDGER_E2E_DIRECTORY ?? "", "old.gguf");
      writeFileSync(weights, "No worker here takes it.");
      const model = ["--name", "Old slate", "--family", "llama", "--licence", "MIT", "--weights", weights];
      await openledger("//Rex", "model", "register", ...model);
      await installWallet(page, rex);
      await actAs(page, "Rex");
      await page.goto("/factory");
      await page.getByRole("radio", { name: "Old slate" }).check(chainTime);
      await page.getByText("You registered this model").click();
      await page.getByRole("button", { name: "Retire it" }).click();
      const dialog = page.getByRole("dialog");
      await expect(dialog.getByText("No new job may name it, for ever.", { exact: false })).toBeVisible();
      await expect(dialog.getByText("10 OPEN", { exact: true })).toBeVisible();
      await signAndWait(page);
      await expect(page.getByText("This model was retired")).toBeVisible(chainTime);
      await expect(page.getByRole("button", { name: "Retire it" })).toHaveCount(0);
      await page.reload();
      await expect(page.getByRole("radio", { name: "SmolLM2-135M-Instruct" })).toBeVisible();
      await expect(page.getByRole("radio", { name: "Old slate" })).toHaveCount(0);
      await expect.poll(() => heldBy(rex.address)).toBe(before);
    });

    test("a submission that waits too long can be expired, and not before the chain says so", async ({
      page,
    }) => {
      test.setTimeout(180_000);
      const submission = await submitted(
        String(await datanetCalled("Field notes")),
        "waits.txt",
        "Something that nobody looks at. ".repeat(9).trim(),
      );
      await installWallet(page, await developmentKey("Rex"));
      await actAs(page, "Rex");
      await page.goto(`/submissions/${submission}`);
      await expect(page.getByText("If nobody decides by", { exact: false })).toBeVisible(chainTime);
      await expect(page.getByRole("button", { name: "Expire it" })).toHaveCount(0);
      // Seven days are too long for a test: the page is told that they have passed, and the chain is not.
      await page.route("**/v1/status", async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, json: { ...(await response.json()), best: 300_000 } });
      });
      await page.reload();
      await page.getByRole("button", { name: "Expire it" }).click(chainTime);
      const dialog = page.getByRole("dialog");
      await expect(dialog.getByText("it ends without points lost", { exact: false })).toBeVisible();
      await expect(dialog.getByText("Expiring what waited too long costs no fee.")).toBeVisible();
      await dialog.getByRole("button", { name: "Sign and send" }).click();
      await expect(dialog.getByText(/Datanets::NotExpired/)).toBeVisible(chainTime);
      await expect(
        dialog.getByText("The submission's page says from which block on.", { exact: false }),
      ).toBeVisible();
    });

    test("a contributor revokes a file, and every page that concerns it says so", async ({ page }) => {
      test.setTimeout(180_000);
      await installWallet(page, await developmentKey("Rex"));
      await actAs(page, "Rex");
      await page.goto(`/submissions/${accepted}`);
      await page.getByText("It was not yours to give?").click(chainTime);
      await page.getByRole("button", { name: "Revoke it" }).click();
      await expect(page.getByRole("dialog").getByText("for ever", { exact: false })).toBeVisible();
      await signAndWait(page);
      await expect(page.getByText("It was revoked", { exact: true })).toBeVisible(chainTime);
      await expect(page.getByText("Revoked", { exact: true })).toBeVisible(chainTime);
      await expectUsable(page);
      await page.goto(`/datanets/${datanet}`);
      await expect(page.getByText("1 file of it was revoked")).toBeVisible(chainTime);
      await expect(page.getByText("New jobs leave it out", { exact: false })).toBeVisible();
      const verdicts = page.getByRole("region", { name: "Recent verdicts" });
      await expect(verdicts.getByText("Revoked", { exact: true })).toBeVisible();
      await page.goto("/factory");
      await page.getByRole("checkbox", { name: /Old ledgers/ }).click();
      await expect(
        page.getByRole("alert").filter({ hasText: "The one file of this version was revoked" }),
      ).toBeVisible(chainTime);
    });

    test("what is nobody's in a pool that is closed is recovered by whoever comes", async ({ page }) => {
      test.setTimeout(240_000);
      // Once the period of the points has ended the pool is paid out but for a rest; who funds it then begins anew.
      const paidOut = async () => {
        const { pool } = await api<{ pool: { available: string } }>(`datanets/${datanet}`);
        return BigInt(pool.available) < 10n ** 15n;
      };
      const fund = () => openledger("//Rex", "rewards", "fund", "--datanet", datanet, "--amount", "1");
      const { address } = await developmentKey("Rex");
      const owed = async () =>
        (await api<{ items: { claimable: string }[] }>(`accounts/${address}/rewards`)).items.some(
          ({ claimable }) => claimable !== "0",
        );
      await expect.poll(owed, chainTime).toBe(true);
      await openledger("//Rex", "rewards", "claim", "--datanet", datanet);
      await expect.poll(paidOut, chainTime).toBe(true);
      await fund();
      await openledger("//Rex", "datanet", "close", datanet);
      await installWallet(page, await developmentKey("Rex"));
      await actAs(page, "Rex");
      await page.goto(`/datanets/${datanet}`);
      const funders = page.getByRole("region", { name: "Funders" });
      await expect(funders.getByText("They may leave: the Datanet is closed.")).toBeVisible(chainTime);
      await funders.getByRole("button", { name: "Recover it" }).click();
      await expect(
        page.getByRole("dialog").getByText("you get nothing of it", { exact: false }),
      ).toBeVisible();
      await signAndWait(page);
      await expect(funders.getByRole("button", { name: "Recover it" })).toHaveCount(0, chainTime);
      await expect(funders.getByText("Your shares are worth", { exact: true })).toBeVisible();
    });
  });
