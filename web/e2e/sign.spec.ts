import { type Prepared, prepare } from "./agent.ts";
import { openledger } from "./command.ts";
import { actAs, api, chainTime, expectUsable, signAndWait } from "./steps.ts";
import { expect, test } from "./test.ts";
import { developmentKey, installWallet } from "./wallet.ts";

interface Datanet {
  id: number;
  name: string;
  pool: { totalIn: string } | null;
}

const NAME = "Tide tables";
const tides = async () =>
  (await api<{ items: Datanet[] }>("datanets")).items.find(({ name }) => name === NAME);
const link = (prepared: Prepared) => `/sign#${prepared.signUrl.split("#")[1]}`;

test.describe
  .serial("what an agent prepared", () => {
    let prepared: Prepared;

    test.beforeAll(async () => {
      test.setTimeout(180_000);
      const { address } = await developmentKey("Hal");
      const created = ["datanet", "create", "--name", NAME, "--modality", "text", "--threshold", "1"];
      const made = await openledger("//Hal", ...created, "--curator", address);
      const datanet = Number(made.datanet);
      const terms = ["--per-period", "10", "--max-per-point", "0.0001OPEN"];
      await openledger("//Hal", "rewards", "terms", "--datanet", String(datanet), ...terms);
      // Blocks are indexed once they are final.
      await expect.poll(async () => (await tides())?.id, chainTime).toBe(datanet);
      prepared = await prepare("prepareFunding", { account: address, datanet, amount: "2.5 OPEN" });
    });

    test("is shown in full and signed by its owner, from the tool's answer to a final block", async ({
      page,
    }) => {
      const asked: string[] = [];
      page.on("request", (request) => asked.push(request.url()));
      await installWallet(page, await developmentKey("Hal"));
      await actAs(page, "Hal");
      await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
      await page.goto(link(prepared));
      await expect(page.getByRole("heading", { name: "Sign a transaction" })).toBeVisible();
      const call = page.getByRole("region", { name: "The call" });
      await expect(call.getByText("Leaderboard.fund")).toBeVisible(chainTime);
      await expect(call.getByText("(2,500,000,000,000,000,000 plancks)")).toBeVisible();
      for (const name of ["datanet", "amount", "rules", "terms", "per_period", "policy", "next_policy"]) {
        await expect(call.getByText(name, { exact: true })).toBeVisible();
      }
      const costs = page.getByRole("region", { name: "What it costs" });
      await expect(costs.getByText("2.5")).toBeVisible();
      await expect(costs.getByText(/^0\.\d+ OPEN$/)).toBeVisible();
      await expect(page.getByText(prepared.genesisHash)).toBeVisible();
      await expectUsable(page);

      await page.getByRole("button", { name: "Go on to sign" }).click();
      await signAndWait(page);
      await expect(page.getByText(/^It is in block/)).toBeVisible();
      await expect.poll(async () => (await tides())?.pool?.totalIn, chainTime).toBe("2500000000000000000");
      // What stands behind # never leaves the browser but within the signed transaction.
      expect(asked.filter((url) => url.includes(prepared.call.slice(2)))).toEqual([]);
    });

    test("is refused for another chain or version, cut off, or hidden in sudo; a description is not shown", async ({
      page,
    }) => {
      const call = prepared.call.slice(2);
      const address = (change: Record<string, string>) =>
        `/sign#${new URLSearchParams({
          call,
          genesis: prepared.genesisHash,
          spec: String(prepared.specVersion),
          ...change,
        })}`;
      await page.goto(address({ description: "Claim your prize", amount: "0" }));
      await expect(page.getByText("The link says more than the call")).toBeVisible(chainTime);
      await expect(page.getByText("Leaderboard.fund")).toBeVisible();
      await expect(page.getByText("prize")).toHaveCount(0);
      await expect(page.getByText("Choose the account that signs")).toBeVisible();
      // Sudo is pallet 11, and its call 0 runs another call.
      for (const [change, words] of [
        [{ genesis: "ab".repeat(32) }, "The transaction is for another chain"],
        [{ spec: String(prepared.specVersion + 1) }, "The transaction is for version"],
        [{ call: call.slice(0, -2) }, "The bytes are not a call of this chain"],
        [{ call: `${call}00` }, "The bytes hold more than the call"],
        [{ call: `0b00${call}` }, "This page does not sign Sudo.sudo"],
        [{ call: "" }, "The link names no call"],
      ] as const) {
        await page.goto(address(change));
        await expect(page.getByText(words)).toBeVisible(chainTime);
        await expect(page.getByRole("button", { name: "Go on to sign" })).toHaveCount(0);
      }
    });
  });
