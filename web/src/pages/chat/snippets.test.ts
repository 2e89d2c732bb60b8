import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { curl, javascript, python, type Question } from "./snippets";

const question: Question = {
  server: "local",
  model: "openledger:3",
  messages: [{ role: "user", content: 'What\'s "this"? $HOME `x` \\ é 😀\nNew line' }],
  ...{ max_tokens: 64, temperature: 0, top_p: 1, seed: 42 },
};

describe("snippets", () => {
  const asked: unknown[] = [];
  const folder = mkdtempSync(join(tmpdir(), "openledger-snippets-"));
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (piece: Buffer) => {
      body += piece.toString();
    });
    request.on("end", () => {
      asked.push(JSON.parse(body));
      response.setHeader("content-type", "text/event-stream");
      for (const content of ["Hel", "lo"]) {
        response.write(`data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`);
      }
      response.end('event: budget\ndata: {"kind":"visitor"}\n\ndata: [DONE]\n\n');
    });
  });
  let origin = "";
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    origin = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  });
  afterAll(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  const run = async (program: string, ...words: string[]) =>
    (await promisify(execFile)(program, words, { timeout: 20_000 })).stdout;
  const has = (program: string) => {
    try {
      execFileSync(program, ["--version"]);
      return true;
    } catch {
      return false;
    }
  };

  it("in JavaScript asks the same and prints the answer", async () => {
    const file = join(folder, "ask.mjs");
    writeFileSync(file, javascript(origin, question));
    expect(await run(process.execPath, file)).toBe("Hello");
    expect(asked.at(-1)).toEqual(question);
  });
  it.runIf(has("python3"))("in Python asks the same and prints the answer", async () => {
    const file = join(folder, "ask.py");
    writeFileSync(file, python(origin, question));
    expect(await run("python3", file)).toBe("Hello");
    expect(asked.at(-1)).toEqual(question);
  });
  it.runIf(has("curl"))("for curl asks the same", async () => {
    expect(await run("sh", "-c", curl(origin, question))).toContain("[DONE]");
    expect(asked.at(-1)).toEqual(question);
  });
});
