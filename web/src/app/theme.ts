import { createStore } from "@/lib/store";

export type Theme = "system" | "light" | "dark";

/** The name that public/theme.js reads before the first paint. */
const KEY = "openledger.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

function read(): Theme {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === "light" || kept === "dark" ? kept : "system";
  } catch {
    return "system";
  }
}

export const theme = createStore<Theme>(read());

function apply(): void {
  const chosen = theme.get();
  const dark = chosen === "dark" || (chosen === "system" && system.matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}

theme.subscribe(() => {
  try {
    localStorage.setItem(KEY, theme.get());
  } catch {
    // Chosen until the page is closed.
  }
  apply();
});
system.addEventListener("change", apply);

/** Light or dark, whatever decided it; for what draws on a canvas. @public */
export function isDark(): boolean {
  return document.documentElement.dataset.theme === "dark";
}
