// What the network is made of: the built programs, the small model, free ports.

import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";

const cache = process.env.OPENLEDGER_CACHE ?? join(homedir(), ".cache/openledger");
const binaries = join(process.env.CARGO_TARGET_DIR ?? join(cache, "target"), "debug");

/** A program that was built; `OPENLEDGER_GATEWAY_BIN` and the like name another. */
export function program(name: string, variable: string): string {
  const path = process.env[variable] ?? join(binaries, name);
  if (!existsSync(path))
    throw new Error(`there is no ${path}; build it with: cargo build --workspace --bin ${name}`);
  return path;
}

/** The base model that is trained and asked. */
export function model(): string {
  const path = process.env.OPENLEDGER_MODEL ?? join(cache, "models/SmolLM2-135M-Instruct.Q4_1.gguf");
  if (!existsSync(path)) throw new Error(`there is no ${path}; fetch it with: scripts/model`);
  return path;
}

/** Ports that nothing listens on, each another one. */
export async function freePorts<const Names extends readonly string[]>(
  ...names: Names
): Promise<Record<Names[number], number>> {
  const held = await Promise.all(
    names.map(
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer();
          server.once("error", reject);
          server.listen(0, "127.0.0.1", () => resolve(server));
        }),
    ),
  );
  const ports = held.map((server) => {
    const address = server.address();
    return typeof address === "object" && address ? address.port : 0;
  });
  await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))));
  return Object.fromEntries(names.map((name, n) => [name, ports[n]])) as Record<Names[number], number>;
}
