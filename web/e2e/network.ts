// Starts one real network for all files of the tests: a development chain, a gateway with the built app, and
// a Datanet with curators. Everything lies in one folder, which goes when the tests end.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createWriteStream, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const cache = process.env.OPENLEDGER_CACHE ?? join(homedir(), ".cache/openledger");
const binaries = join(process.env.CARGO_TARGET_DIR ?? join(cache, "target"), "debug");
const web = fileURLToPath(new URL("../dist", import.meta.url));
const READY = 90_000;

/** A program that was built; `OPENLEDGER_GATEWAY_BIN` and the like name another. */
function program(name: string, variable: string): string {
  const path = process.env[variable] ?? join(binaries, name);
  if (!existsSync(path))
    throw new Error(`there is no ${path}; build it with: cargo build --workspace --bin ${name}`);
  return path;
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

async function until<T>(what: string, log: string, run: () => Promise<T | null>): Promise<T> {
  const end = Date.now() + READY;
  while (Date.now() < end) {
    const found = await run().catch(() => null);
    if (found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const tail = existsSync(log) ? readFileSync(log, "utf8").split("\n").slice(-15).join("\n") : "";
  throw new Error(`${what} was not ready within ${READY / 1000} s\n${tail}`);
}

async function rpc(port: number, method: string, params: unknown[] = []): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
  const { result } = (await response.json()) as { result?: unknown };
  return result ?? null;
}

export default async function start(): Promise<() => Promise<void>> {
  if (!existsSync(join(web, "index.html"))) throw new Error("the app is not built; run: npm run build");
  const directory = mkdtempSync(join(tmpdir(), "openledger-web-"));
  const running: ChildProcess[] = [];
  const launch = (name: string, path: string, args: string[]): string => {
    const log = join(directory, `${name}.log`);
    const child = spawn(path, args, { stdio: ["ignore", "pipe", "pipe"], cwd: directory });
    const file = createWriteStream(log);
    child.stdout?.pipe(file);
    child.stderr?.pipe(file);
    running.push(child);
    return log;
  };
  const stop = async () => {
    for (const child of running.reverse()) {
      if (child.exitCode !== null) continue;
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      const killer = setTimeout(() => child.kill("SIGKILL"), 5000);
      await gone;
      clearTimeout(killer);
    }
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    const [nodePort, peerPort, gatewayPort, filesPort] = await Promise.all(
      Array.from({ length: 4 }, freePort) as [
        Promise<number>,
        Promise<number>,
        Promise<number>,
        Promise<number>,
      ],
    );
    const nodeLog = launch("node", program("openledger-node", "OPENLEDGER_NODE_BIN"), [
      ...["--dev", "--state-pruning", "archive", "--no-mdns", "--no-telemetry", "--no-prometheus"],
      ...["--rpc-port", String(nodePort), "--listen-addr", `/ip4/127.0.0.1/tcp/${peerPort}`],
      ...["--base-path", join(directory, "node")],
    ]);
    await until("the node", nodeLog, async () => {
      const header = (await rpc(nodePort, "chain_getHeader")) as { number: string } | null;
      return header && Number.parseInt(header.number, 16) > 0 ? header : null;
    });
    const node = `ws://127.0.0.1:${nodePort}`;
    const gatewayLog = launch("gateway", program("openledger-gateway", "OPENLEDGER_GATEWAY_BIN"), [
      ...["--node", node, "--listen", `127.0.0.1:${gatewayPort}`, "--directory", join(directory, "gateway")],
      ...["--web", web, "--faucet-key", "//Bob"],
      ...["--ipfs-listen", `/ip4/127.0.0.1/tcp/${filesPort}`],
    ]);
    const origin = `http://localhost:${gatewayPort}`;
    await until("the gateway", gatewayLog, async () => ((await fetch(`${origin}/`)).ok ? true : null));

    const cli = program("openledger", "OPENLEDGER_CLI_BIN");
    const run = async (key: string, ...args: string[]) => {
      const called = ["--node", node, "--key", key, "--output", "json", ...args];
      const { stdout } = await promisify(execFile)(cli, called, { cwd: directory });
      return JSON.parse(stdout.trim().split("\n").at(-1) ?? "null") as Record<string, unknown>;
    };
    await run(
      ...(["//Alice", "datanet", "create", "--name", "Field notes", "--modality", "text"] as const),
      ...["--curator", "//Charlie", "--curator", "//Dave", "--threshold", "1"],
    );

    // Blocks are indexed once they are final.
    await until("the index", gatewayLog, async () => {
      const list = (await (await fetch(`${origin}/v1/datanets`)).json()) as { items: unknown[] };
      return list.items.length > 0 ? true : null;
    });

    process.env.OPENLEDGER_E2E_ORIGIN = origin;
    process.env.OPENLEDGER_E2E_NODE = node;
    process.env.OPENLEDGER_E2E_DIRECTORY = directory;
    process.env.OPENLEDGER_E2E_CLI = cli;
    process.env.OPENLEDGER_E2E_FILES = `/ip4/127.0.0.1/tcp/${filesPort}`;
    return stop;
  } catch (error) {
    await stop();
    throw error;
  }
}
