// Fails when a first visit loads more than it may: the page, its styles, fonts in use, and every script that
// the entry and the home page import without being asked for, in the bytes that travel.

import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const limit = 250 * 1000;
const dist = fileURLToPath(new URL("../dist", import.meta.url));

interface Chunk {
  file: string;
  imports?: string[];
  css?: string[];
  assets?: string[];
  isEntry?: boolean;
}
const manifest = JSON.parse(readFileSync(join(dist, ".vite/manifest.json"), "utf8")) as Record<string, Chunk>;

const files = new Set(["index.html", "theme.js", "icon.svg"]);
const seen = new Set<string>();
function follow(name: string): void {
  const chunk = manifest[name];
  if (!chunk) throw new Error(`${name} is not in the build's manifest`);
  if (seen.has(name)) return;
  seen.add(name);
  for (const file of [chunk.file, ...(chunk.css ?? [])]) files.add(file);
  for (const imported of chunk.imports ?? []) follow(imported);
}
for (const [name, chunk] of Object.entries(manifest)) if (chunk.isEntry) follow(name);
follow("src/pages/home/HomePage.tsx");
// The one font that every Latin page loads.
for (const [name, chunk] of Object.entries(manifest)) {
  if (name.includes("inter-latin-wght")) files.add(chunk.file);
}

let total = 0;
for (const file of [...files].sort()) {
  const path = join(dist, file);
  const packed = existsSync(`${path}.br`) ? `${path}.br` : path;
  const size = statSync(packed).size;
  total += size;
  console.log(`${size.toString().padStart(8)}  ${file}`);
}
console.log(`${total.toString().padStart(8)}  first load, of ${limit} allowed`);
if (total > limit) {
  console.error("The first load is too large: import what the home page does not need when it is needed.");
  process.exit(1);
}
