// Preferences that somebody marked, as a file that a Datanet takes and trainings learn from.

export interface Turn {
  role: "system" | "user" | "assistant";
  content: string;
}

export interface Pair {
  /** What it is called on the page. */
  id: number;
  prompt: readonly Turn[];
  chosen: string;
  rejected: string;
  /** Whether the chosen answer was written by hand. */
  written: boolean;
}

/**
 * One JSON object a line with `prompt`, `chosen` and `rejected`, each as messages, so that trainings put them
 * through the model's chat template, as this chat did.
 */
export function pairsFile(pairs: readonly Pair[]): string {
  const said = (content: string): Turn[] => [{ role: "assistant", content }];
  return pairs
    .map(({ prompt, chosen, rejected }) => {
      return `${JSON.stringify({ prompt, chosen: said(chosen), rejected: said(rejected) })}\n`;
    })
    .join("");
}

/** What is wrong with a pair. */
export function pairProblem(chosen: string, rejected: string): string | null {
  if (!chosen.trim() || !rejected.trim()) return "Both answers need some text";
  if (chosen.trim() === rejected.trim()) return "Both answers are the same";
  return null;
}
