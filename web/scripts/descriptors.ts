// Generates the chain's types from client/metadata.scale, which the Rust client is generated from too. Does
// nothing when they are those of this metadata already.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const web = fileURLToPath(new URL("..", import.meta.url));
const papi = fileURLToPath(new URL("../node_modules/.bin/papi", import.meta.url));
const ran = spawnSync(papi, ["generate", "--config", "polkadot-api.json"], { cwd: web, encoding: "utf8" });
if (ran.status !== 0) {
  console.error(`${ran.stdout ?? ""}${ran.stderr ?? ""}${ran.error?.message ?? ""}`);
  console.error("The chain's types could not be generated from client/metadata.scale.");
  process.exit(1);
}
