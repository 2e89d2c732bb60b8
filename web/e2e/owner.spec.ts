import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import { keepers } from "./keepers.ts";
import { actAs, api, chainTime, datanetCalled, expectUsable, picture, signAndWait } from "./steps.ts";
import { expect, test } from "./test.ts";
import { developmentKey, installWallet, type WalletKey } from "./wallet.ts";

const trainingTime = { timeout: 300_000 };

interface Job {
  state: string;
  parent: number | null;
  result: { sha256: string; content: string; evalLossBefore: number; evalLossAfter: number } | null;
}

/** A job with its result, which the gateway has once the block is final. */
async function ended(job: number): Promise<Job> {
  await expect.poll(async () => (await api<Job>(`jobs/${job}`)).result, chainTime).not.toBeNull();
  return api<Job>(`jobs/${job}`);
}

const runOf = (page: Page) => Number(/\/runs\/(\d+)/.exec(page.url())?.[1]);

/** The newest step that the curve on the page shows. */
async function newestStep(page: Page): Promise<number> {
  const label = await page.getByRole("img", { name: /^Loss, / }).getAttribute("aria-label");
  return Number(/training from \S+ at step 1 to \S+ at step (\d+)/.exec(label ?? "")?.[1] ?? 0);
}

async function launch(page: Page): Promise<number> {
  await page.getByRole("button", { name: "Launch" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByText("Held; the worker is paid from it")).toBeVisible();
  await dialog.getByRole("button", { name: "Sign and send" }).click();
  // The page goes on as soon as the job is in a block; the dialog follows it until it is final.
  await expect(page).toHaveURL(/\/runs\/\d+$/, chainTime);
  // The gateway does not know it before its block is final.
  await expect(page.getByText(/^There is no job/)).toHaveCount(0);
  await expect(page.getByText(/In a block. It is shown once|Token ceiling/).first()).toBeVisible(chainTime);
  await dialog.getByText(/^(Done|Close, it goes on)$/).click();
  return runOf(page);
}

async function ask(page: Page): Promise<void> {
  await page.getByLabel("Question").fill(keepers.question);
  await page.getByLabel("Most tokens").fill("24");
  await page.getByRole("button", { name: "Ask", exact: true }).click();
}

// One story: each part goes on with what the one before left on the chain.
test.describe
  .serial("the owner of a job", () => {
    let owner: WalletKey;
    test.beforeAll(async () => {
      owner = await developmentKey("Olga");
    });
    let first = 0;
    let refined = 0;

    test("puts a job together, sees what it costs and what is trained on, and may refuse to sign", async ({
      page,
    }) => {
      test.setTimeout(600_000);
      const wallet = await installWallet(page, owner);
      await actAs(page, "Olga");

      await page.goto("/factory");
      await expect(page.getByText("Choose a base model", { exact: false }).first()).toBeVisible();
      await page.getByRole("radio", { name: "SmolLM2-135M-Instruct" }).check();
      await page.getByRole("checkbox", { name: /Lighthouses/ }).check();
      await page.getByRole("radio", { name: "LoRA", exact: true }).check();
      await page.getByRole("button", { name: "Learn by heart" }).click();
      await page.getByLabel("Longest example").fill("64");
      await expect(page.getByLabel("Epochs")).toHaveValue("10");

      // What the model will see is the text that curators accepted.
      const examples = page.getByRole("list", { name: "Examples" });
      await expect(examples.getByText(keepers.question)).toBeVisible();
      await expect(examples.getByText("learned").first()).toBeVisible();

      const estimate = page.getByRole("region", { name: "Estimate" });
      await expect(estimate.getByText("8 + 1 held out")).toBeVisible();
      await expect(estimate.getByText("Cheapest worker")).toBeVisible();
      await expect(page.getByText("openledger --key me job create")).toBeVisible();

      // Nothing goes out that was not signed, and what was put together stays.
      wallet.refuses = true;
      await page.getByRole("button", { name: "Launch" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByRole("button", { name: "Sign and send" }).click();
      await expect(dialog.getByText("It was not signed; nothing was sent")).toBeVisible();
      await dialog.getByText("Close", { exact: true }).click();
      await expect(page.getByLabel("Epochs")).toHaveValue("10");
      wallet.refuses = false;
      first = await launch(page);
    });

    test("watches the curve move, and sees all of it in a tab that is opened again", async ({ page }) => {
      test.setTimeout(600_000);
      await page.goto(`/runs/${first}`);
      await expect(page.getByText("training", { exact: true }).first()).toBeVisible(chainTime);
      await expect.poll(() => newestStep(page), trainingTime).toBeGreaterThan(1);
      const seen = await newestStep(page);
      await expect.poll(() => newestStep(page), trainingTime).toBeGreaterThan(seen);
      await expect(page.getByText(/About .* left, as the worker estimates/)).toBeVisible();
      await expect(page.getByRole("log")).toContainText(/\w/);

      await page.close();
      const again = await page.context().newPage();
      await again.goto(`/runs/${first}`);
      // From the first step on, though nobody looked for a while.
      await expect.poll(() => newestStep(again), chainTime).toBeGreaterThan(seen);
      await expect(again.getByText("completed", { exact: true }).first()).toBeVisible(trainingTime);
      const steps = async () => {
        const path = `jobs/${first}/metrics?limit=1000`;
        const { items } = await api<{ items: { kind: string; step?: number }[] }>(path);
        return items.filter(({ kind }) => kind === "step").map(({ step }) => step);
      };
      // The worker may tell its last steps a moment after the chain has the result.
      await expect(async () => {
        const told = await steps();
        expect(told).toEqual(Array.from({ length: told.length }, (_, n) => n + 1));
        expect(await newestStep(again)).toBe(told.length);
      }).toPass(chainTime);

      for (const moment of [
        "Queued; the budget is held",
        "Given to a worker; its price is fixed",
        "The worker began",
      ])
        await expect(again.getByText(moment)).toBeVisible();
      await expect(again.getByText("The worker was paid, the adapter registered")).toBeVisible();
      const { result } = await ended(first);
      await expect(again.getByText(result?.sha256 ?? "none")).toBeVisible();
      const [download] = await Promise.all([
        again.waitForEvent("download"),
        again.getByRole("button", { name: "Download" }).click(),
      ]);
      expect(download.suggestedFilename()).toBe(`adapter-${first}.safetensors`);
      const bytes = readFileSync(await download.path());
      expect(createHash("sha256").update(bytes).digest("hex")).toBe(result?.sha256);
      await again.close();
    });

    test("asks the adapter what only it knows, and gives a better answer to a Datanet", async ({ page }) => {
      test.setTimeout(300_000);
      const wallet = await installWallet(page, owner);
      await actAs(page, "Olga");
      await page.goto(`/chat?adapter=${first}`);
      await ask(page);
      const base = page.getByRole("article", { name: "Base model" });
      const adapter = page.getByRole("article", { name: `With adapter ${first}` });
      await expect(adapter.getByText("as on chain")).toBeVisible(chainTime);
      await expect(base.getByText("none")).toBeVisible(chainTime);
      await expect(adapter).toContainText(keepers.word);
      await expect(base).not.toContainText(keepers.word);
      await expect(page.getByRole("region", { name: "From a program" })).toContainText("/v1/chat");

      await base.getByRole("button", { name: "Write a better one" }).click();
      await base.getByLabel("A better answer").fill(`It is old ${keepers.word}.`);
      await base.getByRole("button", { name: "Mark as a pair" }).click();
      await adapter.getByRole("button", { name: "This one is better" }).click();
      await expect(page.getByRole("list", { name: "Marked pairs" }).getByRole("listitem")).toHaveCount(2);
      await page.getByLabel("Datanet").selectOption({ label: "Lighthouses" });
      // Promised first, as every file is.
      await page.getByRole("button", { name: "Submit 2 pairs" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByRole("button", { name: "Sign and send" }).click();
      await expect(dialog.getByRole("heading", { name: "open, 2 of 2" })).toBeVisible(chainTime);
      await dialog.getByRole("button", { name: "Done" }).click(chainTime);
      await expect(page.getByText("Say under an answer that it is the better one")).toBeVisible();
      const path = `submissions?contributor=${owner.address}`;
      const given = async () => {
        const { items } = await api<{ items: { media: string; state: string }[] }>(path);
        return items.map(({ media, state }) => `${media} ${state}`);
      };
      await expect.poll(given, chainTime).toEqual(["txt pending"]);
      const [upload, promise, opening] = wallet.signed;
      expect(typeof upload).toBe("string");
      const [{ sha256 }] = (await api<{ items: [{ sha256: string }] }>(path)).items;
      expect(typeof promise === "object" && promise.method).not.toContain(sha256);
      expect(typeof opening === "object" && opening.method).toContain(sha256);
      expect(wallet.signed).toHaveLength(3);
    });

    test("instructs the adapter by a signature, and sees which documentation an answer rests on", async ({
      page,
      browser,
    }) => {
      test.setTimeout(300_000);
      const site = process.env.OPENLEDGER_E2E_DOCUMENTATION ?? "";
      await installWallet(page, owner);
      await actAs(page, "Olga");
      await page.goto(`/runs/${first}`);
      await page.getByRole("link", { name: "Its agent" }).click();
      await expect(page.getByText("Its owner has not instructed it")).toBeVisible();
      await page.getByLabel("System text").fill("You know lighthouses. Be brief.");
      await page.getByLabel("Goal").fill("to find a lighthouse");
      const others = page.getByLabel("Other documentation");
      await others.fill("https://evil.example/guide");
      await page.getByRole("button", { name: "Look at it and sign" }).click();
      await expect(page.getByText("evil.example is not among the hosts")).toBeVisible();
      await others.fill(`${site}/guide`);
      await page.getByLabel("Ask OpenLedger’s documentation").uncheck();
      await page.getByRole("button", { name: "Look at it and sign" }).click();
      const dialog = page.getByRole("dialog");
      await expect(dialog).toContainText(`Adapter: ${first}`);
      await expect(dialog).toContainText(`- ${site}/guide`);
      await picture(page, "sign");
      await dialog.getByRole("button", { name: "Sign", exact: true }).click();
      await expect(page.getByText("Version 1", { exact: true }).first()).toBeVisible();

      // Who does not own it reads it and has nothing to change; a page of this context would act as Olga.
      const elsewhere = await browser.newContext({ baseURL: process.env.OPENLEDGER_E2E_ORIGIN ?? "" });
      const stranger = await elsewhere.newPage();
      const ownerKnown = stranger.waitForResponse((response) =>
        new URL(response.url()).pathname.endsWith(`/v1/adapters/${first}`),
      );
      await stranger.goto(`/agents/${first}`);
      await ownerKnown;
      await expect(stranger.getByText("You know lighthouses. Be brief.", { exact: true })).toBeVisible();
      await expect(stranger.getByLabel("System text")).toHaveCount(0);
      await elsewhere.close();

      await page.goto(`/chat?adapter=${first}`);
      await expect(page.getByLabel("Ask the documentation first")).toBeChecked();
      await ask(page);
      const adapter = page.getByRole("article", { name: `With adapter ${first}` });
      const sources = adapter.getByRole("region", { name: "Sources" });
      await expect(sources).toContainText("[1]");
      await expect(sources.getByText("outside")).toBeVisible();
      await expect(sources.getByRole("link", { name: /Keepers/ })).toHaveAttribute(
        "href",
        `${site}/keepers.md`,
      );
      await expect(sources).toContainText("1 link to other sites not shown");
      await expect(adapter.getByText("Docs receipt")).toBeVisible(chainTime);
      await expect(page.getByRole("article", { name: "Base model" }).getByText("Sources")).toHaveCount(0);
      const receipts = async () => (await api<{ items: unknown[] }>(`adapters/${first}/receipts`)).items;
      await expect
        .poll(receipts, chainTime)
        .toMatchObject([{ sources: [{ state: "answered" }], block: { number: expect.any(Number) } }]);
      await picture(page, "chat");
      await page.goto(`/agents/${first}`);
      await expect(page.getByText("answered")).toBeVisible();
      await picture(page, "agent");
    });

    test("refines with the same settings, from the adapter, and lays the runs side by side", async ({
      page,
    }) => {
      test.setTimeout(600_000);
      await installWallet(page, owner);
      await actAs(page, "Olga");
      await page.goto(`/runs/${first}`);
      await page.getByRole("link", { name: "Refine" }).click();
      await expect(page.getByText(`The settings of run ${first}`)).toBeVisible();
      await expect(page.getByLabel("Epochs")).toHaveValue("10");
      await expect(page.getByLabel("Longest example")).toHaveValue("64");
      await expect(page.getByRole("checkbox", { name: /Lighthouses/ })).toBeChecked();
      await page.getByRole("button", { name: "Continue from its adapter" }).click();
      await expect(page.getByText("It goes on from that run's adapter")).toBeVisible();
      await expect(page.getByLabel("Rank")).toBeDisabled();
      await page.getByLabel("Epochs").fill("1");
      refined = await launch(page);

      // While it trains, another job that no worker takes for its price waits, and is called off.
      await page.goto(`/factory?from=${first}`);
      await expect(page.getByText(`The settings of run ${first}`)).toBeVisible();
      // A suggestion comes once the chain has said how much data there is.
      await expect(page.getByLabel("Token ceiling")).toHaveValue(/\d/);
      await page.getByLabel("Token ceiling").fill("80000000");
      await page.getByLabel("Offer").fill("0.2");
      await expect(page.getByText("The offer is below the cheapest worker's floor")).toBeVisible();
      // What is offered, and the deposit that comes back.
      const held = page
        .getByRole("region", { name: "Estimate" })
        .locator("dl div")
        .filter({ hasText: "Held now" });
      await expect(held).toContainText("0.3 OPEN");
      await launch(page);
      await page.getByRole("button", { name: "Cancel the run" }).click(chainTime);
      await expect(page.getByRole("dialog").getByText("0.2 OPEN").first()).toBeVisible();
      await signAndWait(page);
      await expect(page.getByText("cancelled", { exact: true }).first()).toBeVisible(chainTime);
      await expect(
        page.getByText("Called off by its owner; the rest of the budget was given back"),
      ).toBeVisible();

      await page.goto(`/runs/${refined}`);
      await expect(page.getByText("completed", { exact: true }).first()).toBeVisible(trainingTime);
      await expect(page.getByRole("link", { name: `adapter ${first}` })).toBeVisible();
      const [parent, child] = await Promise.all([ended(first), ended(refined)]);
      expect(child.parent).toBe(first);
      expect(child.result?.evalLossBefore).toBe(parent.result?.evalLossAfter);

      await page.goto("/runs");
      await page.getByLabel("Whose").selectOption("own");
      await page.getByLabel(`Compare run ${first}`, { exact: true }).check();
      await page.getByLabel(`Compare run ${refined}`, { exact: true }).check();
      await page.getByRole("button", { name: "Compare 2" }).click();
      await expect(page.getByRole("img", { name: /^Training loss/ })).toHaveAttribute(
        "aria-label",
        new RegExp(`run ${first} from .*run ${refined} from `),
      );
      const row = (name: string) => page.getByRole("row", { name: new RegExp(`^${name}`) });
      await expect(row("Epochs")).toContainText("10");
      await expect(row("Parent adapter")).toContainText(String(first));
    });

    test("learns that a file which the adapter was trained on was revoked, and trains without it", async ({
      page,
    }) => {
      test.setTimeout(300_000);
      const lighthouses = await datanetCalled("Lighthouses");
      const { items } = await api<{ items: { id: number; leaf: number | null }[] }>(
        `datanets/${lighthouses}/submissions?state=accepted`,
      );
      const revoked = items.find(({ leaf }) => leaf === 1)?.id;
      await installWallet(page, await developmentKey("Alice"));
      await actAs(page, "Alice");
      await page.goto(`/submissions/${revoked}`);
      await page.getByText("It was not yours to give?").click(chainTime);
      await page.getByRole("button", { name: "Revoke it" }).click();
      await signAndWait(page);
      await expect(page.getByText("New jobs leave it out", { exact: false })).toBeVisible(chainTime);
      // The index follows final blocks.
      const holds = async () => (await api<{ holdsRevoked: boolean }>(`adapters/${first}`)).holdsRevoked;
      await expect.poll(holds, chainTime).toBe(true);
      for (const path of ["runs", "agents", "chat?adapter=", "attribution"]) {
        await page.goto(path.endsWith("=") ? `/${path}${first}` : `/${path}/${first}`);
        await expect(page.getByText("It was trained on a file that was revoked since")).toBeVisible();
      }
      await expectUsable(page);
      const files = page.getByRole("table", { name: "Files with their shares" });
      await expect(files.getByRole("row").filter({ hasText: "revoked" })).toHaveCount(1);
      await page.goto("/attribution");
      await expect(page.getByText("holds a revoked file").first()).toBeVisible();
      await page.goto("/factory");
      await page.getByRole("radio", { name: "SmolLM2-135M-Instruct" }).check();
      await page.getByRole("checkbox", { name: /Lighthouses/ }).check();
      await expect(page.getByText("1 file of this version was revoked: it is left out")).toBeVisible();
      const version = page.getByRole("textbox", { name: "Version" });
      await expect(version).toHaveValue("2");
      await version.fill("1");
      await version.press("Enter");
      await expect(page.getByText("1 file of this version was revoked: it is left out")).toBeHidden();
    });
  });
