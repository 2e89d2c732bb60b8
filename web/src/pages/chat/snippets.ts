// The same question from a program.

export interface Question {
  server: string;
  model: string;
  messages: readonly { role: string; content: string }[];
  max_tokens: number;
  temperature: number;
  top_p: number;
  seed: number;
  /** Whether documentation is asked first; as the adapter's owner set it where it is left out. */
  agent?: boolean;
}

/** A text within single quotes of a POSIX shell. */
function shell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

export function curl(origin: string, question: Question): string {
  return [
    `curl -N ${origin}/v1/chat`,
    "-H 'content-type: application/json'",
    `-d ${shell(JSON.stringify(question))}`,
  ].join(" \\\n    ");
}

export function python(origin: string, question: Question): string {
  return `import json, urllib.request

question = json.loads(${pythonText(JSON.stringify(question))})
request = urllib.request.Request(
    "${origin}/v1/chat", json.dumps(question).encode(), {"content-type": "application/json"})
event = ""
with urllib.request.urlopen(request) as answer:
    for line in answer:
        name, _, value = line.decode().rstrip("\\n").partition(": ")
        if name == "event":
            event = value
        elif name == "data" and value != "[DONE]" and event in ("", "message"):
            for choice in json.loads(value).get("choices", []):
                print(choice["delta"].get("content") or "", end="", flush=True)
        elif not name:
            event = ""
`;
}

/** A Python string literal: JSON's escapes are Python's too, once every letter is ASCII. */
function pythonText(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

export function javascript(origin: string, question: Question): string {
  return `const answer = await fetch("${origin}/v1/chat", {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(${JSON.stringify(question, null, 2).replaceAll("\n", "\n  ")}),
});
let rest = "";
for await (const text of answer.body.pipeThrough(new TextDecoderStream())) {
  const events = (rest + text).split("\\n\\n");
  rest = events.pop();
  for (const event of events) {
    if (!event.startsWith("data: {")) continue;
    for (const { delta } of JSON.parse(event.slice(6)).choices ?? []) process.stdout.write(delta?.content ?? "");
  }
}
`;
}
