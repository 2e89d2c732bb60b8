import { defineConfig } from "@playwright/test";

const chromium = process.env.OPENLEDGER_CHROMIUM ?? "/usr/bin/chromium";

// One network for all files, started by e2e/network.ts: the chain gives an answer every 3 seconds and the
// machine has few cores, so that workers side by side only wait for each other.
export default defineConfig({
  testDir: "e2e",
  outputDir: "test-results",
  globalSetup: "./e2e/network/start.ts",
  workers: 1,
  timeout: 90_000,
  expect: { timeout: 20_000 },
  reporter: process.env.CI ? [["list"]] : [["line"]],
  forbidOnly: Boolean(process.env.CI),
  use: {
    launchOptions: { executablePath: chromium, args: ["--no-sandbox", "--disable-dev-shm-usage"] },
    locale: "en-GB",
    timezoneId: "UTC",
    trace: "retain-on-failure",
  },
  projects: [
    { name: "web", testMatch: "*.spec.ts", testIgnore: "screenshots.spec.ts" },
    // Only with `npm run screenshots`.
    ...(process.env.OPENLEDGER_SCREENSHOTS
      ? [{ name: "screenshots", testMatch: "screenshots.spec.ts", dependencies: [] }]
      : []),
  ],
});
