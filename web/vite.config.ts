import { fileURLToPath } from "node:url";
import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
// `npm run dev` beside a gateway that runs already.
const gateway = process.env.OPENLEDGER_GATEWAY ?? "http://localhost:8000";
// The gateway refuses what pages of another origin send, and this server is one.
const passed = { target: gateway, changeOrigin: true, headers: { origin: gateway } };

export default defineConfig({
  plugins: [react(), tailwind()],
  resolve: {
    alias: {
      "@polkadot-api/descriptors/errors.json": here(".papi/descriptors/dist/errors.json"),
      "@polkadot-api/descriptors": here(".papi/descriptors/dist/index.js"),
      "@": here("src"),
    },
  },
  build: {
    target: "es2023",
    // Pictures and fonts stay files: the content security policy allows no font from a data address.
    assetsInlineLimit: 0,
    // scripts/size.ts follows it from the entry to what a first visit loads.
    manifest: true,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1024,
  },
  server: {
    proxy: {
      "/v1": passed,
      "/ipfs": passed,
      "/openapi.json": passed,
      "/docs": passed,
      "/rpc": { ...passed, ws: true, rewriteWsOrigin: true },
    },
  },
  test: {
    // A test that needs a page says so: // @vitest-environment happy-dom
    environment: "node",
    include: ["src/**/*.test.{ts,tsx}"],
    restoreMocks: true,
  },
});
