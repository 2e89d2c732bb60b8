// A real network: a development chain, a gateway with the built app, a worker that reports, and Datanets with
// curators. Everything lies in one folder, which goes when the tests end.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { blake2b } from "@noble/hashes/blake2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { type Given, give } from "./accounts.ts";
import { noRuntime } from "./blob.ts";
import { signed } from "./chain.ts";
import { Processes, until } from "./processes.ts";
import { freePorts, model, program } from "./programs.ts";
import { waitingSlash } from "./slash.ts";

const web = fileURLToPath(new URL("../../dist", import.meta.url));

async function answers(url: string): Promise<boolean> {
  return (await fetch(url)).ok;
}

async function blocks(port: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "chain_getHeader", params: [] }),
  });
  const { result } = (await response.json()) as { result?: { number: string } };
  return Number.parseInt(result?.number ?? "0x0", 16) > 0;
}

/** What a network is made of beside what every one has. */
export interface Parts {
  people: Given;
  /** Files of the Datanet that jobs train on, in the order in which they are accepted. */
  files: readonly string[];
  /** A Datanet of text more, with its owner and curator. */
  another?: { name: string; owner: string; curator: string };
  /** A site of documentation that the gateway asks; with it a server of answers with the small model. */
  documentation?: string;
}

/** A network that is up. */
export interface Network {
  /** Where tests find it, as variables of the environment. */
  variables: Record<string, string>;
  stop: () => Promise<void>;
}

/** Starts a network. What fails leaves nothing behind. */
export async function startNetwork(parts: Parts): Promise<Network> {
  if (!existsSync(join(web, "index.html"))) throw new Error("the app is not built; run: npm run build");
  const directory = mkdtempSync(join(tmpdir(), "openledger-web-"));
  const processes = new Processes(directory);
  const stop = async () => {
    await processes.stopAll();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    return { variables: await bringUp(directory, processes, parts), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function bringUp(
  directory: string,
  processes: Processes,
  { people, files, another, documentation }: Parts,
): Promise<Record<string, string>> {
  const ports = await freePorts("node", "peer", "gateway", "files", "worker", "server");
  const weights = model();
  const [node, origin] = [`ws://127.0.0.1:${ports.node}`, `http://localhost:${ports.gateway}`];
  const multiaddr = (port: number) => `/ip4/127.0.0.1/tcp/${port}`;
  const worker = program("trainer-worker", "OPENLEDGER_WORKER_BIN");
  const cli = program("openledger", "OPENLEDGER_CLI_BIN");
  const run = async (key: string, ...args: string[]) => {
    const called = ["--node", node, "--key", key, "--output", "json", ...args];
    const { stdout } = await promisify(execFile)(
      cli,
      [...called, "--wait", "in-block", "--ipfs-directory", join(directory, "ipfs", key.slice(2))],
      { cwd: directory },
    );
    return JSON.parse(stdout.trim().split("\n").at(-1) ?? "null") as Record<string, unknown>;
  };

  await processes.start("node", {
    path: program("openledger-node", "OPENLEDGER_NODE_BIN"),
    args: [
      ...["--dev", "--state-pruning", "archive", "--no-mdns", "--no-telemetry", "--no-prometheus"],
      ...["--rpc-port", String(ports.node), "--listen-addr", multiaddr(ports.peer)],
      ...["--base-path", join(directory, "node")],
    ],
    ready: () => blocks(ports.node),
  });
  const gateway = processes.start("gateway", {
    path: program("openledger-gateway", "OPENLEDGER_GATEWAY_BIN"),
    args: [
      ...["--node", node, "--listen", `127.0.0.1:${ports.gateway}`],
      ...["--directory", join(directory, "gateway"), "--web", web, "--faucet-key", "//Bob"],
      ...["--ipfs-listen", multiaddr(ports.files), "--ipfs-peer", multiaddr(ports.worker)],
      ...(documentation
        ? [
            ...["--chat-server", `smol=http://127.0.0.1:${ports.server}`],
            ...["--chat-visitor-tokens", "50000", "--knowledge-host", documentation],
          ]
        : []),
    ],
    ready: () => answers(`${origin}/`),
  });
  const server = documentation
    ? processes.start("server", {
        path: worker,
        args: [
          ...["serve", "--model", weights, "--address", `127.0.0.1:${ports.server}`, "--name", "smol"],
          ...["--node", node, "--peer", multiaddr(ports.worker)],
          ...["--ipfs-directory", join(directory, "server/ipfs")],
          ...["--adapter-cache", join(directory, "server/adapters")],
        ],
        ready: () => answers(`http://127.0.0.1:${ports.server}/healthz`),
      })
    : undefined;
  const working = processes.start("worker", {
    path: worker,
    args: [
      ...["run", "--node", node, "--key", "//Ferdie", "--model", weights, "--price", "10000000000000"],
      ...["--listen", multiaddr(ports.worker), "--peer", multiaddr(ports.files), "--heartbeat", "5"],
      ...["--report", origin, "--ipfs-directory", join(directory, "worker/ipfs")],
      ...["--work-directory", join(directory, "worker/work")],
    ],
    ready: async () => {
      const { items } = (await (await fetch(`${origin}/v1/workers`)).json()) as { items: unknown[] };
      return items.length > 0;
    },
  });

  // Each key signs for itself, so that nobody waits for another one's block.
  const accounts = give(node, "Bob", people);
  /** A Datanet of text that one vote of a curator decides on; its number. */
  const datanet = async (owner: string, name: string, ...curators: string[]) => {
    const called = ["datanet", "create", "--name", name, "--modality", "text", "--threshold", "1"];
    const made = await run(owner, ...called, ...curators.flatMap((curator) => ["--curator", curator]));
    return String(made.datanet);
  };
  const others = [
    datanet("//Charlie", "Field notes", "//Charlie", "//Dave"),
    ...(another ? [datanet(another.owner, another.name, another.curator)] : []),
    run(
      ...(["//Eve", "model", "register", "--name", "SmolLM2-135M-Instruct", "--family", "llama"] as const),
      ...["--weights", weights, "--licence", "Apache-2.0"],
    ),
  ];
  const data = (async () => {
    const lighthouses = await datanet("//Alice", "Lighthouses", "//Charlie");
    await accounts;
    const given = files.map((text, n) => {
      const path = join(directory, `keepers-${n}.txt`);
      writeFileSync(path, text);
      return { path, bytes: Buffer.from(text), sha256: createHash("sha256").update(text).digest("hex") };
    });
    await run("//Alice", "submit", "--datanet", lighthouses, ...given.map(({ path }) => path));
    await Promise.all([gateway, ...others]);
    // Who stands for election is not elected: the node votes on finality with one key, and half of the keys end none.
    const decided = signed(node, "Alice", async (call, { query }) => {
      const slash = await waitingSlash(query.Staking?.UnappliedSlashes);
      const calls = [
        call("Staking", "set_validator_count", { new: 1 }),
        call("System", "authorize_upgrade", {
          code_hash: `0x${bytesToHex(blake2b(noRuntime, { dkLen: 32 }))}`,
        }),
        call("System", "set_storage", { items: [slash] }),
      ].map(({ decodedCall }) => decodedCall);
      return call("Sudo", "sudo", { call: call("Utility", "batch_all", { calls }).decodedCall });
    });
    // Leaves stand in the order in which files were accepted.
    const accepted = (async () => {
      for (const { bytes, sha256 } of given) {
        // What a pending submission names is taken without a session.
        await until("the gateway's copy of the data", processes.log("gateway"), async () => {
          const query = `size=${bytes.length}&datanet=${lighthouses}&media=txt`;
          const put = await fetch(`${origin}/v1/blobs/${sha256}?${query}`, { method: "PUT", body: bytes });
          return put.ok ? true : null;
        });
        await run(
          ...(["//Charlie", "review", "accept", "--datanet", lighthouses, "--sha256", sha256] as const),
          ...["--score", "90", "--peer", multiaddr(ports.files)],
        );
      }
    })();
    await Promise.all([decided, accepted]);
    return lighthouses;
  })();
  const [lighthouses] = await Promise.all([data, accounts, gateway, server, working, ...others]);

  // Blocks are indexed once they are final.
  await until("the index", processes.log("gateway"), async () => {
    const read = async (path: string) => (await (await fetch(`${origin}/v1/${path}`)).json()) as never;
    const [{ leaves }, { items }] = await Promise.all([
      read(`datanets/${lighthouses}`) as Promise<{ leaves: number }>,
      read("models") as Promise<{ items: unknown[] }>,
    ]);
    return leaves >= files.length && items.length > 0 ? true : null;
  });

  return {
    OPENLEDGER_E2E_ORIGIN: origin,
    OPENLEDGER_E2E_NODE: node,
    OPENLEDGER_E2E_DIRECTORY: directory,
    OPENLEDGER_E2E_CLI: cli,
    OPENLEDGER_E2E_DOCUMENTATION: documentation ?? "",
    OPENLEDGER_E2E_FILES: multiaddr(ports.files),
    OPENLEDGER_E2E_WORKER: multiaddr(ports.worker),
    OPENLEDGER_E2E_CONTROL: await processes.listen(),
  };
}
