import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, type Page } from "@playwright/test";
import { openledger } from "./command.ts";
import { actAs, api, chainTime } from "./steps.ts";
import { developmentKey, installWallet } from "./wallet.ts";

const origin = () => process.env.OPENLEDGER_E2E_ORIGIN ?? "";

/** A file of plain text of a contributor, given to Datanet 0 and sent to the gateway. */
async function give(name: string, text: string): Promise<string> {
  const path = join(process.env.OPENLEDGER_E2E_DIRECTORY ?? "", name);
  writeFileSync(path, text);
  await openledger("//Alice", "submit", "--datanet", "0", path);
  const sha256 = createHash("sha256").update(text).digest("hex");
  const sent = await fetch(
    `${origin()}/v1/blobs/${sha256}?${new URLSearchParams({ size: String(text.length), datanet: "0", media: "txt" })}`,
    { method: "PUT", body: text },
  );
  if (!sent.ok) throw new Error(`the gateway does not take ${name}: ${await sent.text()}`);
  return sha256;
}

/**
 * Fills the pages for pictures: Alice has an accepted, a refused and a pending submission in Datanet 0, whose pool
 * has OPEN. Done once for a network.
 */
export async function seed(): Promise<void> {
  const { address } = await developmentKey("Alice");
  const mine = async () =>
    (await api<{ items: { datanet: number }[] }>(`submissions?contributor=${address}`)).items;
  const before = await mine();
  if (before.length > 1) return;
  const { curators, owner } = await api<{ curators: string[]; owner: string }>("datanets/0");
  const named = await Promise.all(["Alice", "Charlie", "Dave", "Eve"].map(developmentKey));
  const keyOf = (one: (address: string) => boolean) => `//${named.find((key) => one(key.address))?.name}`;
  const curator = keyOf((address) => curators.includes(address));
  await openledger(
    keyOf((address) => address === owner),
    ...["rewards", "terms", "--datanet", "0", "--per-period", "10", "--max-per-point", "0.0001OPEN"],
  );
  await openledger("//Bob", "rewards", "fund", "--datanet", "0", "--amount", "100");
  const lines = (about: string) =>
    Array.from({ length: 9 }, (_, n) => `Day ${n + 1}: what was seen of ${about}, and when.`).join("\n");
  const [accepted, refused] = [
    await give("river.txt", lines("the river")),
    await give("weather.txt", lines("the weather")),
  ];
  const called = ["--datanet", "0", "--sha256"];
  await openledger(curator, "review", "accept", ...called, accepted, "--score", "85");
  await openledger(curator, "review", "reject", ...called, refused, "--reason", "off-topic");
  await give("birds.txt", lines("the birds"));
  // Blocks are indexed once they are final.
  await expect.poll(async () => (await mine()).length, chainTime).toBe(before.length + 3);
}

/** Opens the app as Alice, whose data `seed` made. */
export async function asAlice(page: Page): Promise<void> {
  await installWallet(page, await developmentKey("Alice"));
  await actAs(page, "Alice");
}
