import type { QueryKey } from "@tanstack/react-query";
import { useList } from "@/api/queries";
import type { Event } from "@/api/types";
import { EventLine } from "@/components/EventLine";
import { Button } from "@/components/ui/Button";
import { Card } from "@/components/ui/Card";
import { EmptyState, Loaded } from "@/components/ui/States";
import { foldSteps } from "@/lib/events";

/** Events of the chain, newest first, page by page. */
export function EventsCard({
  title,
  about,
  queryKey,
  path,
}: {
  title: string;
  about: string;
  queryKey: QueryKey;
  path: string;
}) {
  const events = useList<Event>(queryKey, path);
  return (
    <Card title={title} about={about}>
      <Loaded
        query={events}
        isEmpty={(list) => list.length === 0}
        empty={<EmptyState icon="info" title="Nothing has happened yet" />}
      >
        {(list) => (
          <div className="grid gap-5">
            <ul className="grid gap-3">
              {foldSteps(list).map(({ event, more }) => (
                <EventLine key={event.id} event={event} more={more} />
              ))}
            </ul>
            {events.hasNextPage && (
              <Button
                className="justify-self-start"
                busy={events.isFetchingNextPage}
                onClick={() => void events.fetchNextPage()}
              >
                Earlier ones
              </Button>
            )}
          </div>
        )}
      </Loaded>
    </Card>
  );
}
