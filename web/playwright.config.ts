import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

// As scripts/lib.sh chooses it: Chromium without windows where there is one.
const installed = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"];
const chromium = process.env.OPENLEDGER_CHROMIUM ?? installed.find((path) => existsSync(path)) ?? "chromium";
// Screenshots, a measurement, or a network that is kept up: what is no test.
const only = process.env.OPENLEDGER_PLAYWRIGHT;

// One network for all files, started by e2e/network/start.ts; what breaks a network has one of its own. Files wait for
// blocks most of their time, so six run side by side, the longest ones first, so that none is left to run alone; each
// signs with accounts of its own (e2e/people.ts). The pages are looked at when there is something on them.
const file = (...names: string[]) => new RegExp(`/(${names.join("|")})\\.spec\\.ts`);
const longest = file("owner", "rewards", "committee", "faults", "dispute", "owners");
const long = file("creation", "endings", "funders", "governance", "market", "pools", "staking");
const apart = file("pages", "screenshots", "keep", "usable");
export default defineConfig({
  testDir: "e2e",
  outputDir: "test-results",
  globalSetup: "./e2e/network/start.ts",
  workers: 6,
  timeout: 120_000,
  expect: { timeout: 30_000 },
  reporter: process.env.CI ? [["list"]] : [["line"]],
  // What passes only at a second try is told as flaky at the end; it does not hold back the pages.
  retries: 1,
  forbidOnly: Boolean(process.env.CI),
  use: {
    launchOptions: { executablePath: chromium, args: ["--no-sandbox", "--disable-dev-shm-usage"] },
    // A spinner that turns is drawn sixty times a second, in six browsers without a graphics card, for as long as one waits.
    contextOptions: { reducedMotion: "reduce" },
    locale: "en-GB",
    // What cannot be pressed fails by itself, before the whole test runs out of time.
    actionTimeout: 60_000,
    timezoneId: "UTC",
    // Without pictures of screen and document, which would be taken all the time for the few that are looked at: what
    // stood on the page when a test failed is told beside its error.
    trace: { mode: "retain-on-failure", screenshots: false, snapshots: false },
  },
  projects: only
    ? [{ name: only, testMatch: `${only}.spec.ts` }]
    : [
        { name: "longest", testMatch: longest },
        { name: "long", testMatch: long },
        { name: "paths", testIgnore: [longest, long, apart], fullyParallel: true },
        {
          name: "pages",
          testMatch: "pages.spec.ts",
          fullyParallel: true,
          dependencies: ["longest", "long", "paths"],
        },
      ],
});
