// What the network is made of: the built programs, the small model, free ports.

import { randomInt } from "node:crypto";
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

/**
 * Ports that nothing listens on, each another one. Below those that Linux gives to outgoing connections (32768 and
 * up), one of which could take a port before its program listens.
 */
export async function freePorts<const Names extends readonly string[]>(
  ...names: Names
): Promise<Record<Names[number], number>> {
  const hold = (tries: number): Promise<ReturnType<typeof createServer>> =>
    new Promise((resolve, reject) => {
      const server = createServer();
      server.once("error", (error) => (tries > 1 ? resolve(hold(tries - 1)) : reject(error)));
      server.listen(randomInt(20_000, 32_768), "127.0.0.1", () => resolve(server));
    });
  const held = await Promise.all(names.map(() => hold(50)));
  const ports = held.map((server) => {
    const address = server.address();
    return typeof address === "object" && address ? address.port : 0;
  });
  await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))));
  return Object.fromEntries(names.map((name, n) => [name, ports[n]])) as Record<Names[number], number>;
}
