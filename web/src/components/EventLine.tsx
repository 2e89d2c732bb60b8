import { Link } from "wouter";
import type { Event } from "@/api/types";
import { Time } from "@/components/ui/Values";
import { sayEvent } from "@/lib/events";
import { plural } from "@/lib/format";

/** Something that happened on the chain, in a line; `more` of its kind came before it. */
export function EventLine({ event, more = 0 }: { event: Event; more?: number }) {
  const { text: words, href } = sayEvent(event);
  const text = more > 0 ? `${words}; ${plural(more, "earlier step")}` : words;
  return (
    <li className="flex items-baseline justify-between gap-4 text-sm">
      {href ? (
        <Link href={href} className="min-w-0 hover:text-accent hover:underline">
          {text}
        </Link>
      ) : (
        <span className="min-w-0 first-letter:uppercase">{text}</span>
      )}
      <span className="shrink-0 text-xs text-soft">
        <Time ms={event.time} />
      </span>
    </li>
  );
}
