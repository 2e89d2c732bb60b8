import {
  type BrowserContext,
  test as base,
  type CDPSession,
  type ConsoleMessage,
  expect,
  type Page,
  type Request,
} from "@playwright/test";

const origin = () => process.env.OPENLEDGER_E2E_ORIGIN ?? "";

interface Fixtures {
  /** Whether the test breaks connections itself, which browsers write to the console. */
  interrupts: boolean;
  /** Fails a test whose page asked another host, or wrote an error to the console. */
  watched: undefined;
  /** Opens a page in another browser, which knows nothing of this one; watched like it. */
  another: () => Promise<Page>;
}

/** Watches a page, and says at the end what it did that none may. */
function watch(page: Page, interrupts: boolean): () => void {
  const hosts = new Set<string>();
  const faults: string[] = [];
  const asks = (request: Request) => {
    const { protocol, origin: asked } = new URL(request.url());
    if (protocol.startsWith("http") && asked !== origin()) hosts.add(asked);
  };
  const fails = (error: Error) => faults.push(error.message);
  const says = (message: ConsoleMessage) => {
    // A refused request is the page's to show, and the tests' to look at.
    const text = message.text();
    if (message.type() !== "error" || text.startsWith("Failed to load resource")) return;
    if (interrupts && /^WebSocket connection to .* failed|ERR_CONNECTION|Unable to connect to ws/.test(text))
      return;
    faults.push(text);
  };
  page.on("request", asks).on("pageerror", fails).on("console", says);
  return () => {
    page.off("request", asks).off("pageerror", fails).off("console", says);
    expect([...hosts], "other hosts that were asked").toEqual([]);
    expect(faults, "errors of the page").toEqual([]);
  };
}

export const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of what is used
  baseURL: async ({}, use) => {
    await use(origin());
  },
  interrupts: [false, { option: true }],
  watched: [
    async ({ page, interrupts }, use) => {
      const look = watch(page, interrupts);
      await use(undefined);
      look();
    },
    { auto: true },
  ],
  another: async ({ browser, baseURL, interrupts }, use) => {
    const opened: { context: BrowserContext; look: () => void }[] = [];
    await use(async () => {
      const context = await browser.newContext({ baseURL: baseURL ?? origin() });
      const page = await context.newPage();
      opened.push({ context, look: watch(page, interrupts) });
      return page;
    });
    for (const { context } of opened) await context.close();
    for (const { look } of opened) look();
  },
});

export { expect };

/** An authenticator within the browser, with PRF, as phones and laptops have one. */
export async function addAuthenticator(page: Page, hasPrf = true): Promise<CDPSession> {
  const session = await page.context().newCDPSession(page);
  await session.send("WebAuthn.enable");
  await session.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      ctap2Version: "ctap2_1",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      hasPrf,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return session;
}
