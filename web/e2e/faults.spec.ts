import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { sign } from "@scure/sr25519";
import { openledger } from "./command.ts";
import { keepers } from "./keepers.ts";
import { type Network, startNetwork } from "./network/network.ts";
import { payload, struck } from "./payload.ts";
import { actAs, api, chainTime, control, datanetCalled } from "./steps.ts";
import { expect, test } from "./test.ts";
import { developmentKey, installWallet } from "./wallet.ts";

const trainingTime = { timeout: 300_000 };

// What is broken here nobody else uses: these tests have a network of their own, beside the others'.
let network: Network | undefined;
const others = { ...process.env };

test.beforeAll(async () => {
  test.setTimeout(240_000);
  network = await startNetwork({
    people: { endowed: new Map(), registered: ["Alice", "Uma"] },
    files: [keepers.text],
  });
  Object.assign(process.env, network.variables);
});

test.afterAll(async () => {
  for (const name of Object.keys(network?.variables ?? {})) process.env[name] = others[name];
  await network?.stop();
});

test.describe("what breaks in the middle", () => {
  test.use({ interrupts: true });
  // The next one needs the network after this, whatever happened.
  test.afterEach(async () => {
    await control("stop", "gateway");
    await control("start", "node").catch(() => undefined);
    await control("start", "gateway");
  });

  test("an upload goes on where the gateway left it", async ({ page }) => {
    test.setTimeout(240_000);
    await installWallet(page, await developmentKey("Uma"));
    await actAs(page, "Uma");
    await page.goto(`/contribute?datanet=${await datanetCalled("Field notes")}`);
    await page.getByLabel("Files to contribute").setInputFiles({
      name: "long.txt",
      mimeType: "text/plain",
      buffer: Buffer.from(randomBytes(1_500_000).toString("hex")),
    });
    const offsets: number[] = [];
    page.on("request", (request) => {
      if (request.method() === "PUT") offsets.push(Number(request.headers()["upload-offset"]));
    });
    const network = await page.context().newCDPSession(page);
    const throttle = (uploadThroughput: number) =>
      network.send("Network.emulateNetworkConditions", {
        ...{ offline: false, latency: 0, downloadThroughput: -1, uploadThroughput },
      });
    await network.send("Network.enable");
    await throttle(400_000);
    await page.getByRole("button", { name: "Store 1 file" }).click(chainTime);
    const sent = async () => {
      const words = await page.getByText(/^Storing, /).textContent();
      return Number(words?.match(/\d+/)?.[0]);
    };
    await expect.poll(sent, chainTime).toBeGreaterThan(20);
    await control("stop", "gateway");
    await control("start", "gateway");
    await throttle(-1);
    await expect(page.getByText("Stored")).toBeVisible(chainTime);
    expect(offsets.length).toBeGreaterThan(1);
    expect(offsets[0]).toBe(0);
    expect(offsets.at(-1)).toBeGreaterThan(0);
  });

  test("a run is followed over restarts of gateway and node, and nothing of it is lost", async ({ page }) => {
    test.setTimeout(600_000);
    const lighthouses = String(await datanetCalled("Lighthouses"));
    const { job } = await openledger(
      ...(["//Eve", "job", "create", "--model", "0", "--datanet", lighthouses] as const),
      ...["--budget", "1OPEN", "--token-ceiling", "20000", "--num-train-epochs", "8"],
      ...["--max-seq-length", "64", "--lora-r", "4", "--learning-rate", "2e-3"],
    );
    const newestStep = async () => {
      const label = await page.getByRole("img", { name: /^Loss, / }).getAttribute("aria-label");
      return Number(/training from \S+ at step 1 to \S+ at step (\d+)/.exec(label ?? "")?.[1] ?? 0);
    };
    await page.goto(`/runs/${job}`);
    await expect.poll(newestStep, trainingTime).toBeGreaterThan(1);
    await control("stop", "gateway");
    await expect(page.getByText("reconnecting")).toBeVisible();
    const before = await newestStep();
    await control("start", "gateway");
    await expect(page.getByText("live", { exact: true })).toBeVisible(chainTime);
    await expect.poll(newestStep, trainingTime).toBeGreaterThan(before);

    await control("stop", "node");
    await expect(page.getByText("The node does not answer").first()).toBeVisible(chainTime);
    await expect(page.getByText("The gateway’s node does not answer")).toBeVisible(chainTime);
    await control("start", "node");
    await expect(page.getByText(/^Block \d/).first()).toBeVisible(chainTime);
    await expect(page.getByText("completed", { exact: true }).first()).toBeVisible(trainingTime);

    // The worker waits up to half a minute before it tries a gateway again that was gone.
    const steps = async () => {
      const path = `jobs/${job}/metrics?limit=1000`;
      const { items } = await api<{ items: { kind: string; step?: number }[] }>(path);
      return items.filter(({ kind }) => kind === "step").map(({ step }) => step);
    };
    await expect.poll(steps, chainTime).toEqual(Array.from({ length: 16 }, (_, n) => n + 1));
    await expect.poll(newestStep, chainTime).toBe(16);

    // The worker may go on telling, and tells what it likes.
    const worker = await developmentKey("Ferdie");
    const { genesisHash } = await api<{ genesisHash: string }>("config");
    const entry = {
      at: Date.now(),
      seen: { kind: "log", text: `${payload}<script>window.struck=1</script>` },
    };
    const body = Buffer.from(JSON.stringify({ entries: [entry], dropped: 0 }));
    const number = (value: number, size: number) => {
      const bytes = Buffer.alloc(size);
      bytes.writeUIntLE(value, 0, Math.min(size, 6));
      return bytes;
    };
    const tell = (next: number) => {
      const message = Buffer.concat([
        ...[Buffer.from("openledger:training-metrics:1"), Buffer.from(genesisHash, "hex")],
        ...[number(Number(job), 8), number(0, 1), number(next, 8)],
        createHash("sha256").update(body).digest(),
      ]);
      return fetch(`${process.env.OPENLEDGER_E2E_ORIGIN}/v1/jobs/${job}/attempts/0/metrics`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-openledger-number": String(next),
          "x-openledger-account": worker.address,
          "x-openledger-signature": Buffer.from(sign(worker.secret, message)).toString("hex"),
        },
        body,
      });
    };
    const first = await tell(0);
    expect(first.status).toBe(409);
    const told = await tell(Number(first.headers.get("x-openledger-number")));
    expect(told.status).toBe(200);
    await expect(page.getByRole("log")).toContainText(payload);
    expect(await page.evaluate(struck)).toBeUndefined();
  });

  test("what a server answers is shown as text", async ({ page }) => {
    const said = `${payload}<script>window.struck=1</script>[x](javascript:window.struck=1)`;
    const name = "<img/src=x/onerror=window.struck=1>";
    const server = createServer((request, response) => {
      if (request.url === "/v1/models") {
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify({ object: "list", data: [{ id: name, object: "model" }] }));
        return;
      }
      response.setHeader("content-type", "text/event-stream");
      const choice = { index: 0, delta: { content: said }, finish_reason: null };
      const head = { id: "1", object: "chat.completion.chunk", created: 1, model: name };
      response.write(`data: ${JSON.stringify({ ...head, choices: [choice] })}\n\n`);
      const end = { ...choice, delta: {}, finish_reason: "stop" };
      response.end(`data: ${JSON.stringify({ ...head, choices: [end] })}\n\ndata: [DONE]\n\n`);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await control("stop", "gateway");
    const servers = ["known", "stranger"].flatMap((name) => [
      "--chat-server",
      `${name}=http://127.0.0.1:${port}`,
    ]);
    await control("start", "gateway", ...servers);
    await page.goto("/chat");
    await page
      .getByLabel("Compare the base model with")
      .selectOption("Nothing: the base model on stranger alone");
    await page.getByLabel("Question").fill(payload);
    await page.getByRole("button", { name: "Ask", exact: true }).click();
    await expect(page.getByRole("article")).toContainText(said, chainTime);
    expect(await page.evaluate(struck)).toBeUndefined();
    server.close();
  });
});
