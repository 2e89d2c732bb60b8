import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { openledger } from "./command.ts";
import { freePorts, model, program } from "./network/programs.ts";
import { verifiers } from "./people.ts";
import { api, chainTime, datanetCalled, expectUsable } from "./steps.ts";
import { expect, test } from "./test.ts";
import { developmentKey } from "./wallet.ts";

const trainingTime = { timeout: 300_000 };

/** What measures a result again is a program of each verifier's own. */
const running: ChildProcess[] = [];

/** Starts the verifiers' programs and waits until the chain knows them. They ask too much to be given a job. */
async function startVerifiers(): Promise<void> {
  const { OPENLEDGER_E2E_NODE, OPENLEDGER_E2E_DIRECTORY, OPENLEDGER_E2E_FILES, OPENLEDGER_E2E_WORKER } =
    process.env;
  const ports = await freePorts(...verifiers);
  for (const name of verifiers) {
    const place = join(OPENLEDGER_E2E_DIRECTORY ?? "", name.toLowerCase());
    const child = spawn(
      program("trainer-worker", "OPENLEDGER_WORKER_BIN"),
      [
        ...["run", "--node", OPENLEDGER_E2E_NODE ?? "", "--key", `//${name}`, "--model", model()],
        ...["--price", "1OPEN", "--serve", "0", "--listen", `/ip4/127.0.0.1/tcp/${ports[name]}`],
        ...["--peer", OPENLEDGER_E2E_FILES ?? "", "--peer", OPENLEDGER_E2E_WORKER ?? ""],
        ...["--ipfs-directory", join(place, "ipfs"), "--work-directory", join(place, "work")],
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    const log = createWriteStream(join(OPENLEDGER_E2E_DIRECTORY ?? "", `${name.toLowerCase()}.log`));
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    running.push(child);
  }
  const known = async () => {
    const { items } = await api<{ items: { account: string }[] }>("workers");
    const addresses = await Promise.all(verifiers.map(async (name) => (await developmentKey(name)).address));
    return addresses.filter((address) => items.some(({ account }) => account === address)).length;
  };
  await expect.poll(known, trainingTime).toBe(verifiers.length);
}

const signal = (which: readonly ChildProcess[], what: NodeJS.Signals) => {
  for (const child of which) child.kill(what);
};

test.afterAll(() => {
  // One that stands still does not end.
  signal(running, "SIGCONT");
  signal(running, "SIGTERM");
});

test("a result in dispute is shown from its opening over who is drawn and what they find to its end", async ({
  page,
}) => {
  test.setTimeout(900_000);
  await startVerifiers();
  const { job } = await openledger(
    "//Dora",
    ...["job", "create", "--model", "0", "--datanet", String(await datanetCalled("Lighthouses"))],
    ...["--budget", "1OPEN", "--token-ceiling", "2000", "--num-train-epochs", "1", "--method", "qlora"],
    ...["--max-seq-length", "64", "--lora-r", "4", "--learning-rate", "2e-3"],
  );
  await page.goto(`/runs/${job}`);
  await expect(page.getByText("Token ceiling")).toBeVisible(chainTime);
  // Paid three blocks later on this chain, which the index follows some blocks behind: that is no time to read a
  // page and sign, so the chain is asked.
  const state = async () => (await openledger("//Dora", "job", "show", String(job))).state;
  await expect.poll(state, { timeout: 600_000, intervals: [500] }).toBe("submitted");
  signal(running, "SIGSTOP");
  await openledger("//Dora", "job", "dispute", String(job));

  const card = page.getByRole("region", { name: "Dispute" });
  await expect(card.getByText(/^(drawing|being looked at)$/)).toBeVisible(chainTime);
  const dora = (await developmentKey("Dora")).address;
  await expect(card.locator("dl div").filter({ hasText: "Disputed by" })).toContainText(dora.slice(0, 4));
  await expect(card.locator("dl div").filter({ hasText: "At stake" })).toContainText("3 OPEN");

  await expect(card.getByText("being looked at", { exact: true })).toBeVisible(chainTime);
  await expect(
    card.getByText("seal what they find so that none can copy it", { exact: false }),
  ).toBeVisible();
  const judges = card.locator("dl div").filter({ hasText: "Judged by" });
  await expect(judges).toHaveCount(3);
  await expect(judges.filter({ hasText: "has shown nothing yet" })).toHaveCount(3);
  await expectUsable(page);

  // What one has sealed says nothing of what it found.
  signal(running.slice(0, 1), "SIGCONT");
  await expect(judges.filter({ hasText: "has sealed a finding" })).toHaveCount(1, trainingTime);
  await expect(judges.filter({ hasText: "has shown nothing yet" })).toHaveCount(2);
  await expect(card.getByText(/found:/)).toHaveCount(0);

  signal(running.slice(1), "SIGCONT");
  await expect(card.getByText("rejected", { exact: true })).toBeVisible(trainingTime);
  await expect(card.getByText("Two found that the result holds: its worker is paid.")).toBeVisible();
  await expect(judges.filter({ hasText: "found: it holds" })).toHaveCount(3);
  await expect(judges.filter({ hasText: "paid 1 OPEN" })).toHaveCount(3);
  await expect(card.getByText("Until")).toHaveCount(0);
  await expectUsable(page);
  await expect.poll(state, chainTime).toBe("completed");
  await expect(page.getByRole("link", { name: "Chat with it" })).toBeVisible(chainTime);
});
