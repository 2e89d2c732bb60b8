// The processes of the network. Tests stop one and start it again over the setup's own little server, since
// they run in processes of their own.

import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

const READY = 180_000;
const EVERY = 100;

interface Kind {
  path: string;
  args: readonly string[];
  /** Whether it does what it is there for; what it throws counts as no. */
  ready: () => Promise<boolean>;
}

/** A program that ended by itself is not waited for. */
class Ended extends Error {}

/** Tries until something is there. */
export async function until<T>(what: string, log: string, run: () => Promise<T | null>): Promise<T> {
  const began = Date.now();
  let ended = false;
  while (!ended && Date.now() < began + READY) {
    const found = await run().catch((error) => {
      ended = error instanceof Ended;
      return null;
    });
    if (found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, EVERY));
  }
  const tail = existsSync(log) ? readFileSync(log, "utf8").split("\n").slice(-15).join("\n") : "";
  throw new Error(
    `${what} ${ended ? "ended" : "was not ready"} within ${Math.ceil((Date.now() - began) / 1000)} s\n${tail}`,
  );
}

export class Processes {
  private readonly kinds = new Map<string, Kind>();
  private readonly running = new Map<string, ChildProcess>();
  private readonly directory: string;
  private server: Server | undefined;

  constructor(directory: string) {
    this.directory = directory;
  }

  log(name: string): string {
    return join(this.directory, `${name}.log`);
  }

  /** Starts a program and waits until it is ready. */
  async start(name: string, kind: Kind): Promise<void> {
    this.kinds.set(name, kind);
    await this.again(name);
  }

  /** Starts a program that was stopped as it was started before, perhaps with more arguments this time. */
  async again(name: string, more: readonly string[] = []): Promise<void> {
    const kind = this.kinds.get(name);
    if (!kind) throw new Error(`no ${name} was ever started`);
    if (this.running.has(name)) throw new Error(`${name} runs`);
    const child = spawn(kind.path, [...kind.args, ...more], {
      stdio: ["ignore", "pipe", "pipe"],
      cwd: this.directory,
    });
    const file = createWriteStream(this.log(name), { flags: "a" });
    child.stdout?.pipe(file, { end: false });
    child.stderr?.pipe(file, { end: false });
    this.running.set(name, child);
    await until(name, this.log(name), async () => {
      if (child.exitCode !== null) throw new Ended();
      return (await kind.ready()) ? true : null;
    });
  }

  async stop(name: string): Promise<void> {
    const child = this.running.get(name);
    this.running.delete(name);
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    const killer = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await gone;
    clearTimeout(killer);
  }

  /** Stops all at once: nobody starts them again, and their folder goes. */
  async stopAll(): Promise<void> {
    this.server?.close();
    await Promise.all([...this.running.keys()].map((name) => this.stop(name)));
  }

  /** Takes `POST /stop/NAME` and `POST /start/NAME?more=ARGUMENT` from tests; returns where. */
  async listen(): Promise<string> {
    const server = createServer(async (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? "/", "http://control");
      const [, what, name] = pathname.split("/");
      try {
        if (request.method !== "POST" || !name) throw new Error("POST /stop/NAME or /start/NAME");
        if (what === "stop") await this.stop(name);
        else if (what === "start") await this.again(name, searchParams.getAll("more"));
        else throw new Error(`cannot ${what}`);
        response.end();
      } catch (error) {
        response.statusCode = 500;
        response.end(String(error));
      }
    });
    this.server = server;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
}
