import { createStore } from "@/lib/store";
import type { BrowserKey } from "./keys";

/** What UnlockDialog asks for; null while nothing is asked. */
export const asking = createStore<{
  key: BrowserKey;
  problem: string | null;
  answer: (password: string | null) => void;
} | null>(null);
