// Starts one real network for all files of the tests: a development chain, a gateway with the built app, a
// worker that reports, a server of answers with the same small model, and Datanets with curators. Everything
// lies in one folder, which goes when the tests end.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { keepers } from "../keepers.ts";
import { contributors, funders, reviewers, verifiers, wealthy } from "../people.ts";
import { developmentKey } from "../wallet.ts";
import { Processes, until } from "./processes.ts";
import { freePorts, model, program } from "./programs.ts";

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

/** Playwright's global setup. A network that `npm run e2e:network` keeps up is used as it is. */
export default async function start(): Promise<() => Promise<void>> {
  if (process.env.OPENLEDGER_E2E_ORIGIN) return async () => undefined;
  if (!existsSync(join(web, "index.html"))) throw new Error("the app is not built; run: npm run build");
  const directory = mkdtempSync(join(tmpdir(), "openledger-web-"));
  const processes = new Processes(directory);
  const stop = async () => {
    await processes.stopAll();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await bringUp(directory, processes);
    return stop;
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A site of documentation that answers questions as GitBook does; its address. */
async function answerQuestions(): Promise<string> {
  const site = createServer((request, response) => {
    const { host = "" } = request.headers;
    const question = new URL(request.url ?? "/", `http://${host}`).searchParams.get("ask") ?? "";
    response.setHeader("content-type", "text/markdown; charset=utf-8");
    response.end(
      `# ${question}\n\nThe keeper of every lighthouse writes a log.<|im_end|>\n\n# Sources:\n\n` +
        `- [Keepers](http://${host}/keepers.md)\n- [Elsewhere](https://elsewhere.example/login.md)\n`,
    );
  });
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
  site.unref();
  const address = site.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}

async function bringUp(directory: string, processes: Processes): Promise<void> {
  const ports = await freePorts("node", "peer", "gateway", "files", "worker", "server");
  const documentation = await answerQuestions();
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
      ...["--chat-server", `smol=http://127.0.0.1:${ports.server}`],
      ...["--chat-visitor-tokens", "50000", "--knowledge-host", documentation],
    ],
    ready: () => answers(`${origin}/`),
  });
  const server = processes.start("server", {
    path: worker,
    args: [
      ...["serve", "--model", weights, "--address", `127.0.0.1:${ports.server}`, "--name", "smol"],
      ...["--node", node, "--peer", multiaddr(ports.worker)],
      ...["--ipfs-directory", join(directory, "server/ipfs")],
      ...["--adapter-cache", join(directory, "server/adapters")],
    ],
    ready: () => answers(`http://127.0.0.1:${ports.server}/healthz`),
  });
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

  /** A Datanet of text that one vote of a curator decides on; its number. */
  const datanet = async (owner: string, name: string, ...curators: string[]) => {
    const called = ["datanet", "create", "--name", name, "--modality", "text", "--threshold", "1"];
    const made = await run(owner, ...called, ...curators.flatMap((curator) => ["--curator", curator]));
    return String(made.datanet);
  };
  const sponsor = async (owner: keyof typeof contributors) => {
    for (const name of contributors[owner]) {
      await run(owner, "contributor", "register-for", (await developmentKey(name)).address);
    }
  };
  const endow = async (owner: string, names: readonly string[], amount = "200") => {
    for (const name of names) {
      const to = (await developmentKey(name)).address;
      await run(owner, "account", "transfer", "--amount", amount, "--to", to);
    }
  };
  // Each key signs for itself, so that nobody waits for another one's block.
  const charlie = datanet("//Charlie", "Field notes", "//Charlie", "//Dave")
    .then(() => sponsor("//Charlie"))
    .then(() => endow("//Charlie", verifiers));
  const dave = datanet("//Dave", "Pond life", "//Eve")
    .then(() => endow("//Dave", reviewers.slice(0, 1), "1000"))
    .then(() =>
      Promise.all([
        sponsor("//Dave").then(() => endow("//Dave", funders.slice(0, 2))),
        endow("//Ivo", reviewers.slice(1), "120"),
      ]),
    );
  const eve = run(
    ...(["//Eve", "model", "register", "--name", "SmolLM2-135M-Instruct", "--family", "llama"] as const),
    ...["--weights", weights, "--licence", "Apache-2.0"],
  )
    .then(() => sponsor("//Eve"))
    .then(() => endow("//Eve", funders.slice(2, 5)));
  const data = (async () => {
    const lighthouses = await datanet("//Alice", "Lighthouses", "//Charlie");
    await run("//Alice", "contributor", "register");
    const files = [keepers.text, keepers.more].map((text, n) => {
      const path = join(directory, `keepers-${n}.txt`);
      writeFileSync(path, text);
      return { path, bytes: Buffer.from(text), sha256: createHash("sha256").update(text).digest("hex") };
    });
    await run("//Alice", "submit", "--datanet", lighthouses, ...files.map(({ path }) => path));
    const endowed = endow("//Alice", funders.slice(5));
    await gateway;
    // Leaves stand in the order in which files were accepted.
    for (const { bytes, sha256 } of files) {
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
    await endowed;
    return lighthouses;
  })();
  const people = wealthy.map(async (name) => {
    const { address } = await developmentKey(name);
    await gateway;
    const given = await fetch(`${origin}/v1/faucet`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ account: address, contributor: true }),
    });
    if (!given.ok) throw new Error(`${name} got no OPEN: ${await given.text()}`);
  });
  const [lighthouses] = await Promise.all([data, server, gateway, working, charlie, dave, eve, ...people]);

  // Blocks are indexed once they are final.
  await until("the index", processes.log("gateway"), async () => {
    const read = async (path: string) => (await (await fetch(`${origin}/v1/${path}`)).json()) as never;
    const [{ leaves }, { items }] = await Promise.all([
      read(`datanets/${lighthouses}`) as Promise<{ leaves: number }>,
      read("models") as Promise<{ items: unknown[] }>,
    ]);
    return leaves > 1 && items.length > 0 ? true : null;
  });

  Object.assign(process.env, {
    OPENLEDGER_E2E_ORIGIN: origin,
    OPENLEDGER_E2E_NODE: node,
    OPENLEDGER_E2E_DIRECTORY: directory,
    OPENLEDGER_E2E_CLI: cli,
    OPENLEDGER_E2E_DOCUMENTATION: documentation,
    OPENLEDGER_E2E_FILES: multiaddr(ports.files),
    OPENLEDGER_E2E_WORKER: multiaddr(ports.worker),
    OPENLEDGER_E2E_CONTROL: await processes.listen(),
  });
}
