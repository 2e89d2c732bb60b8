// Generates the chain's types from client/metadata.scale, which the Rust client is generated from too. Does
// nothing when they are those of this metadata already.

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { decAnyMetadata, unifyMetadata } from "@polkadot-api/substrate-bindings";

const web = fileURLToPath(new URL("..", import.meta.url));
const ran = spawnSync("npx", ["--no", "papi", "generate", "--config", "polkadot-api.json"], {
  cwd: web,
  encoding: "utf8",
});
if (ran.status !== 0) {
  console.error(`${ran.stdout ?? ""}${ran.stderr ?? ""}${ran.error?.message ?? ""}`);
  console.error("The chain's types could not be generated from client/metadata.scale.");
  process.exit(1);
}

// What pallets say about their errors is in the metadata, and the generated types leave it out.
const raw = readFileSync(fileURLToPath(new URL("../../client/metadata.scale", import.meta.url)));
const metadata = unifyMetadata(decAnyMetadata(raw));
const errors: Record<string, Record<string, string>> = {};
for (const pallet of metadata.pallets) {
  const id = typeof pallet.errors === "object" ? pallet.errors.type : pallet.errors;
  const definition = id === undefined ? undefined : metadata.lookup[id]?.def;
  if (definition?.tag !== "variant") continue;
  errors[pallet.name] = Object.fromEntries(
    definition.value.map(({ name, docs }) => [name, docs.join(" ").replaceAll(/\s+/g, " ").trim()]),
  );
}
writeFileSync(`${web}/.papi/descriptors/dist/errors.json`, JSON.stringify(errors));
