import { createStore } from "@/lib/store";

/** What screen readers say next; app/Shell.tsx holds the live region. */
export const announcement = createStore({ text: "", count: 0 });

/** Has screen readers say something that is only seen otherwise. */
export function announce(text: string): void {
  announcement.set((last) => ({ text, count: last.count + 1 }));
}
