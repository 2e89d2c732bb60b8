import { Link } from "wouter";
import type { Event } from "@/api/types";
import { Time } from "@/components/ui/Values";
import { sayEvent } from "@/lib/events";

/** Something that happened on the chain, in a line. */
export function EventLine({ event }: { event: Event }) {
  const { text, href } = sayEvent(event);
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
