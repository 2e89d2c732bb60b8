/** One message of a stream of server-sent events. */
export interface Message {
  id: string | undefined;
  event: string;
  data: string;
}

/** A line or message longer than this is none of ours. */
const LONGEST = 1 << 20;

/** Reads server-sent events as their bytes come (HTML Living Standard, section 9.2.6). */
export class EventParser {
  private rest = "";
  private data: string[] = [];
  private event = "";
  private id: string | undefined;

  /** Takes more text; returns the messages that are complete now. */
  push(text: string): Message[] {
    this.rest += text;
    const messages: Message[] = [];
    for (;;) {
      const end = /\r\n|\n|\r(?!$)/.exec(this.rest);
      if (!end) break;
      const line = this.rest.slice(0, end.index);
      this.rest = this.rest.slice(end.index + end[0].length);
      const message = this.line(line);
      if (message) messages.push(message);
    }
    if (this.rest.length > LONGEST) throw new Error("the stream of events is none");
    return messages;
  }

  private line(line: string): Message | null {
    if (line === "") {
      const message = { id: this.id, event: this.event || "message", data: this.data.join("\n") };
      const any = this.data.length > 0;
      this.data = [];
      this.event = "";
      return any ? message : null;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return null;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.data.push(value);
    else if (name === "event") this.event = value;
    else if (name === "id" && !value.includes("\0")) this.id = value;
    return null;
  }
}
