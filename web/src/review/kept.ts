import { createStore } from "@/lib/store";

/** Written beside the votes, so that the app knows without their database whether there is anything to reveal. */
const FLAG = "openledger.votes";

function flagged(): boolean {
  try {
    return localStorage.getItem(FLAG) !== null;
  } catch {
    return false;
  }
}

/** Whether votes may wait to be revealed. */
export const anyKept = createStore<boolean>(flagged());

/** Notes whether any are kept. */
export function flag(any: boolean): void {
  try {
    if (any) localStorage.setItem(FLAG, "1");
    else localStorage.removeItem(FLAG);
  } catch {
    // Known until the page is closed.
  }
  anyKept.set(any);
}
