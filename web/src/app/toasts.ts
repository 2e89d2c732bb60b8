import { createStore } from "@/lib/store";
import { announce } from "./announce";

export interface Toast {
  id: number;
  tone: "good" | "bad" | "info";
  text: string;
}

/** More at once hide the page. */
const MOST = 3;
const SHOWN_FOR = 6000;
let next = 0;

export const toasts = createStore<readonly Toast[]>([]);

/** Says in a corner that something happened, and to screen readers. Nothing that must be acted on. */
export function toast(text: string, tone: Toast["tone"] = "good"): void {
  const id = next++;
  toasts.set((shown) => [...shown.slice(1 - MOST), { id, tone, text }]);
  announce(text);
  setTimeout(() => dismiss(id), SHOWN_FOR);
}

export function dismiss(id: number): void {
  toasts.set((shown) => shown.filter((other) => other.id !== id));
}
