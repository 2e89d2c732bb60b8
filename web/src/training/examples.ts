// What a training makes of a text, to be looked at before it is paid for. The worker's own reader decides
// (docs/data.md); this shows its rules on the beginning of a file, and nothing is trained by it.

export interface Part {
  /** Who speaks, or what the part is. */
  role: string;
  text: string;
  /** Whether the model learns to write it. */
  learned: boolean;
}

export interface Examples {
  kind: "records" | "questions" | "text";
  /** The first of them. */
  examples: Part[][];
  /** How many there are. */
  count: number;
  /** Records that are of no known shape, by their line. */
  unread: number[];
}

const BYTES_A_TOKEN = 4;
const MOST = 12;

const QUESTION = ["instruction", "question", "query", "prompt", "problem", "input", "user", "human"];
const ANSWER = ["output", "response", "answer", "completion", "solution", "assistant", "target"];
const CONVERSATION = ["messages", "conversations", "conversation", "dialogue", "dialog", "chat", "turns"];
const ASSISTANT = ["assistant", "gpt", "chatgpt", "model", "bot"];

type Fields = Record<string, unknown>;

function text(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() ? value : undefined;
}

function first(fields: Fields, names: readonly string[]): string | undefined {
  for (const name of names) {
    const found = text(fields[name]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function conversation(value: unknown): Part[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const parts: Part[] = [];
  for (const turn of value as Fields[]) {
    const role = text(turn?.role) ?? text(turn?.from);
    const said = text(turn?.content) ?? text(turn?.value);
    if (role === undefined || said === undefined) return undefined;
    const speaks = role.toLowerCase();
    parts.push({ role: speaks, text: said, learned: ASSISTANT.includes(speaks) && turn.train !== false });
  }
  return parts;
}

/** A side of a preference: a text, a message or messages, as one text. */
function side(value: unknown): string | undefined {
  const turns = conversation(Array.isArray(value) ? value : [value]);
  return text(value) ?? turns?.map((turn) => turn.text).join("\n");
}

function record(fields: Fields): Part[] | undefined {
  const chosen = side(fields.chosen);
  const rejected = side(fields.rejected);
  if (chosen !== undefined && rejected !== undefined) {
    const prompt = first(fields, QUESTION);
    const turns = conversation(fields.prompt)?.map((turn) => ({ ...turn, learned: false }));
    return [
      ...(turns ?? (prompt === undefined ? [] : [{ role: "prompt", text: prompt, learned: false }])),
      { role: "chosen", text: chosen, learned: true },
      { role: "rejected", text: rejected, learned: false },
    ];
  }
  for (const name of CONVERSATION) {
    const parts = conversation(fields[name]);
    if (parts) return parts;
  }
  const prompt = text(fields.prompt);
  const completion = text(fields.completion);
  if (prompt !== undefined && completion !== undefined) {
    return [
      { role: "text", text: prompt, learned: false },
      { role: "completion", text: completion, learned: true },
    ];
  }
  const question = first(fields, QUESTION);
  const answer = first(fields, ANSWER);
  if (question !== undefined && answer !== undefined) {
    return [
      { role: "user", text: question, learned: false },
      { role: "assistant", text: answer, learned: true },
    ];
  }
  const raw = text(fields.text) ?? prompt;
  return raw === undefined ? undefined : [{ role: "text", text: raw, learned: true }];
}

function records(lines: readonly string[]): Examples | undefined {
  const examples: Part[][] = [];
  const unread: number[] = [];
  let any = false;
  let count = 0;
  for (const [at, line] of lines.entries()) {
    if (!line.trim()) continue;
    let fields: unknown;
    try {
      fields = JSON.parse(line);
    } catch {
      return undefined;
    }
    if (typeof fields !== "object" || fields === null || Array.isArray(fields)) return undefined;
    any = true;
    const parts = record(fields as Fields);
    if (!parts) {
      unread.push(at + 1);
      continue;
    }
    count += 1;
    if (examples.length < MOST) examples.push(parts);
  }
  return any ? { kind: "records", examples, count, unread } : undefined;
}

function questions(lines: readonly string[]): Examples | undefined {
  const examples: Part[][] = [];
  let question: string[] = [];
  let answer: string[] = [];
  let reading: "question" | "answer" | "nothing" = "nothing";
  const close = () => {
    const [asked, said] = [question.join("\n").trim(), answer.join("\n").trim()];
    if (asked && said) {
      examples.push([
        { role: "user", text: asked, learned: false },
        { role: "assistant", text: said, learned: true },
      ]);
    }
    question = [];
    answer = [];
  };
  for (const line of lines) {
    if (line.startsWith("Q:")) {
      close();
      question = [line.slice(2)];
      reading = "question";
    } else if (line.startsWith("A:") && reading === "question") {
      answer = [line.slice(2)];
      reading = "answer";
    } else if (line.startsWith("#")) {
      reading = "nothing";
    } else if (reading === "question") question.push(line);
    else if (reading === "answer") answer.push(line);
  }
  close();
  const count = examples.length;
  return count > 0 ? { kind: "questions", examples: examples.slice(0, MOST), count, unread: [] } : undefined;
}

/**
 * The first examples of a canonical text. `truncated` says that only its beginning is here, so that its last
 * line is not judged; `longest` is the longest example in tokens, taken for four bytes each.
 */
export function examplesOf(whole: string, truncated: boolean, longest: number, media: string): Examples {
  const lines = whole.split(/\r?\n/);
  if (truncated && lines.length > 1) lines.pop();
  const found = (media === "txt" ? records(lines) : undefined) ?? questions(lines);
  if (found) return found;
  const size = longest * BYTES_A_TOKEN;
  const examples: Part[][] = [];
  for (let at = 0; at < whole.length && examples.length < MOST; at += size) {
    examples.push([{ role: "text", text: whole.slice(at, at + size), learned: true }]);
  }
  return { kind: "text", examples, count: Math.ceil(whole.length / size), unread: [] };
}
