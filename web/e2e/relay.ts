import type { Page } from "@playwright/test";
export async function relay(page: Page): Promise<void> {
  const node = process.env.OPENLEDGER_E2E_NODE ?? "";
  await page.routeWebSocket(/\/rpc$/, (ws) => {
    const server = new WebSocket(node);
    const waiting: (string | Buffer)[] = [];
    server.onopen = () => {
      for (const m of waiting) server.send(m as string);
      waiting.length = 0;
    };
    server.onmessage = (m) => ws.send(m.data as string);
    ws.onMessage((m) => {
      if (server.readyState === 1) server.send(m as string);
      else waiting.push(m);
    });
    ws.onClose(() => server.close());
  });
}
