import { defineConfig } from "@playwright/test";

const chromium = process.env.OPENLEDGER_CHROMIUM ?? "/usr/bin/chromium";
// Screenshots, a measurement, or a network that is kept up: what is no test.
const only = process.env.OPENLEDGER_PLAYWRIGHT;

// One network for all files, started by e2e/network/start.ts. Files wait for blocks most of their time, so four
// run side by side, the longest ones first, so that none is left to run alone; each signs with accounts of its own
// (e2e/people.ts). The pages are looked at when there is something on them, and what breaks the network runs last and
// alone.
const long = /\/(owner|committee|dispute|rewards|endings|owners)\.spec\.ts/;
export default defineConfig({
  testDir: "e2e",
  outputDir: "test-results",
  globalSetup: "./e2e/network/start.ts",
  workers: 4,
  timeout: 120_000,
  expect: { timeout: 30_000 },
  reporter: process.env.CI ? [["list"]] : [["line"]],
  // What passes only at a second try is told as flaky at the end; it does not hold back the pages.
  retries: 1,
  forbidOnly: Boolean(process.env.CI),
  use: {
    launchOptions: { executablePath: chromium, args: ["--no-sandbox", "--disable-dev-shm-usage"] },
    locale: "en-GB",
    // What cannot be pressed fails by itself, before the whole test runs out of time.
    actionTimeout: 60_000,
    timezoneId: "UTC",
    // Without pictures, which would be taken all the time for the few that are looked at.
    trace: { mode: "retain-on-failure", screenshots: false },
  },
  projects: only
    ? [{ name: only, testMatch: `${only}.spec.ts` }]
    : [
        { name: "long", testMatch: long },
        { name: "paths", testIgnore: [long, /\/(pages|faults|screenshots|keep|usable)\.spec\.ts/] },
        {
          name: "pages",
          testMatch: "pages.spec.ts",
          fullyParallel: true,
          dependencies: ["long", "paths"],
        },
        { name: "faults", testMatch: "faults.spec.ts", dependencies: ["pages"] },
      ],
});
