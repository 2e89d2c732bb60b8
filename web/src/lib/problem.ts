/** A failure in words: what happened, and what to do next where there is something to do. */
export interface Problem {
  title: string;
  next?: string;
}

/** An error that knows how to say itself. */
export class ProblemError extends Error {
  readonly next: string | undefined;

  constructor(message: string, next?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ProblemError";
    this.next = next;
  }
}

/** Puts any error in words; never shows a stack or "[object Object]". */
export function describeProblem(error: unknown): Problem {
  if (error instanceof ProblemError) {
    return error.next ? { title: error.message, next: error.next } : { title: error.message };
  }
  if (error instanceof TypeError && /fetch|network/i.test(error.message)) {
    return {
      title: "The gateway does not answer",
      next: "See that you are online. This page goes on by itself once it answers again.",
    };
  }
  if (error instanceof Error && error.message) return { title: error.message };
  if (typeof error === "string" && error) return { title: error };
  return { title: "Something failed that gave no reason", next: "Try it again." };
}
