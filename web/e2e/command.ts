import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

/** Runs `openledger` as somebody who is not in the browser; its content comes from the gateway's IPFS node. */
export async function openledger(key: string, ...args: string[]): Promise<Record<string, unknown>> {
  const { OPENLEDGER_E2E_NODE, OPENLEDGER_E2E_CLI, OPENLEDGER_E2E_DIRECTORY, OPENLEDGER_E2E_FILES } =
    process.env;
  const called = ["--node", OPENLEDGER_E2E_NODE ?? "", "--key", key, "--output", "json"];
  const { stdout } = await promisify(execFile)(
    OPENLEDGER_E2E_CLI ?? "",
    [...called, "--peer", OPENLEDGER_E2E_FILES ?? "", ...args],
    // What is fetched and given lies in the network's folder, which goes with it.
    {
      cwd: OPENLEDGER_E2E_DIRECTORY,
      env: { ...process.env, OPENLEDGER_IPFS: join(OPENLEDGER_E2E_DIRECTORY ?? "", "cli-ipfs") },
    },
  );
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "null") as Record<string, unknown>;
}
