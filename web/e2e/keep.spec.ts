import { test } from "@playwright/test";

// `npm run e2e:network`: keeps a network up until Ctrl-C, for one who writes a test. What it prints is for the
// shell in which `npm run e2e -- e2e/some.spec.ts` is run.
test("a network is kept up", async () => {
  test.setTimeout(0);
  for (const [name, value] of Object.entries(process.env)) {
    if (name.startsWith("OPENLEDGER_E2E_")) console.log(`export ${name}=${value}`);
  }
  await new Promise(() => setInterval(() => undefined, 60_000));
});
