import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { openledger } from "./command.ts";
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
 * Fills the pages: Alice has an accepted, a refused and a pending submission in Datanet 0, whose pool has OPEN.
 * Done once for a network.
 */
export async function seed(): Promise<void> {
  const alice = await developmentKey("Alice");
  const there = await fetch(`${origin()}/v1/submissions?contributor=${alice.address}`);
  if (((await there.json()) as { items: unknown[] }).items.length > 0) return;
  await openledger("//Alice", "contributor", "register");
  await openledger(
    "//Bob",
    ...["rewards", "fund", "--datanet", "0", "--amount", "100"],
    ...["--per-period", "10", "--max-per-point", "0.0001OPEN"],
  );
  const lines = (about: string) =>
    Array.from({ length: 9 }, (_, n) => `Day ${n + 1}: what was seen of ${about}, and when.`).join("\n");
  const [accepted, refused] = [
    await give("river.txt", lines("the river")),
    await give("weather.txt", lines("the weather")),
  ];
  const called = ["--datanet", "0", "--sha256"];
  await openledger("//Charlie", "review", "accept", ...called, accepted, "--score", "85");
  await openledger("//Charlie", "review", "reject", ...called, refused, "--reason", "off-topic");
  await give("birds.txt", lines("the birds"));
  // Blocks are indexed once they are final.
  for (let n = 0; n < 150; n += 1) {
    const read = await fetch(`${origin()}/v1/submissions?contributor=${alice.address}`);
    if (((await read.json()) as { items: unknown[] }).items.length === 3) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error("the index did not come to the seeded submissions within 30 s");
}

/** Opens the app as Alice, whose data `seed` made. */
export async function asAlice(page: Page): Promise<void> {
  const alice = await developmentKey("Alice");
  await installWallet(page, alice);
  await page.addInitScript(
    (account) => localStorage.setItem("openledger.account", account),
    JSON.stringify({
      address: alice.address,
      name: "Alice",
      source: { kind: "extension", extension: "test-wallet" },
    }),
  );
}
