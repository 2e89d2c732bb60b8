import { writeFileSync } from "node:fs";
import { expect, test } from "@playwright/test";

// `npm run usable`: how long somebody waits who opens a page for the first time on a slow phone with a slow
// connection. No test: what it prints is stated in docs/web.md, and `scripts/bench web` writes it down.

const ROUNDS = 5;
/** 1.6 Mbit/s down, 750 kbit/s up, 150 ms there and back; a processor a quarter as fast as this one. */
const connection = {
  offline: false,
  latency: 150,
  downloadThroughput: 1_600_000 / 8,
  uploadThroughput: 750_000 / 8,
};
const SLOWER = 4;

/** Pages, and what stands there when one can begin. */
const waited: readonly { name: string; path: string; text: string }[] = [
  // The newest final block, as the gateway says it.
  { name: "home", path: "/", text: "Final block\\s*[\\d,]+" },
  { name: "datanets", path: "/datanets", text: "Field notes" },
  { name: "contribute", path: "/contribute", text: "Choose an account first" },
];

test("a first visit on a slow connection", async ({ browser }) => {
  test.setTimeout(600_000);
  const lines: { name: string; unit: string; ours: number; bytes: number }[] = [];
  for (const { name, path, text } of waited) {
    const times: number[] = [];
    let bytes = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      // Another context has nothing in its cache.
      const context = await browser.newContext({ baseURL: process.env.OPENLEDGER_E2E_ORIGIN ?? "" });
      const page = await context.newPage();
      const session = await context.newCDPSession(page);
      await session.send("Network.enable");
      await session.send("Network.emulateNetworkConditions", connection);
      await session.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });
      bytes = 0;
      session.on("Network.loadingFinished", ({ encodedDataLength }) => {
        bytes += encodedDataLength;
      });
      await page.goto(path, { waitUntil: "commit" });
      const shown = await page.waitForFunction(
        // Since the address was opened; asked for once a frame.
        (words) => new RegExp(words).test(document.body.textContent ?? "") && performance.now(),
        text,
        { timeout: 60_000 },
      );
      times.push(Number(await shown.jsonValue()));
      await context.close();
    }
    times.sort((one, other) => one - other);
    const median = times[Math.floor(ROUNDS / 2)] ?? 0;
    console.log(
      `${name}: ${Math.round(median)} ms (${Math.round(times[0] ?? 0)} to ${Math.round(times.at(-1) ?? 0)}), ${bytes} bytes by then`,
    );
    lines.push({ name: `usable_ms_${name}`, unit: "ms", ours: Math.round(median), bytes });
    expect(median).toBeGreaterThan(0);
  }
  const file = process.env.OPENLEDGER_USABLE;
  if (file) writeFileSync(file, JSON.stringify(lines));
});
