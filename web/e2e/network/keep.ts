// `npm run e2e:network`: keeps a network up until Ctrl-C, for one who writes a test. What it prints is for the
// shell in which `npm run e2e -- e2e/some.spec.ts` is run.

import start from "./start.ts";

const stop = await start();
for (const [name, value] of Object.entries(process.env)) {
  if (name.startsWith("OPENLEDGER_E2E_")) console.log(`export ${name}=${value}`);
}
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void stop().then(() => process.exit(0)));
}
