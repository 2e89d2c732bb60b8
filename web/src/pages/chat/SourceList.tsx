import type { Consulted } from "@/api/types";
import { Badge } from "@/components/ui/Badge";
import { Icon } from "@/components/ui/Icon";

/** An address that may be a link: what a source names is somebody else's text. */
function isAddress(url: string): boolean {
  return /^https?:\/\//.test(url) || (url.startsWith("/") && !url.startsWith("//"));
}

function host(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}

function Page({ url, outside, children }: { url: string; outside: boolean; children: string }) {
  if (!isAddress(url)) return <span className="break-all">{children}</span>;
  const away = outside ? { target: "_blank", rel: "noopener noreferrer nofollow" } : {};
  return (
    <a href={url} className="link break-words" {...away}>
      {children}
      {outside && (
        <>
          <Icon name="external" className="ml-1 inline size-3.5 align-[-0.15em]" />
          <span className="sr-only"> (opens another site)</span>
        </>
      )}
    </a>
  );
}

/** The documentation that was asked for an answer: what it cites by number, and what could not be asked. */
export function SourceList({ sources }: { sources: readonly Consulted[] }) {
  return (
    <ul className="grid gap-2 text-sm">
      {sources.map((source) => (
        <li key={source.source} className="grid grid-cols-[2rem_minmax(0,1fr)] gap-x-1">
          <span className="tabular text-soft">{source.number === null ? "–" : `[${source.number}]`}</span>
          <div className="grid min-w-0 gap-1">
            <p className="flex min-w-0 flex-wrap items-center gap-x-2 gap-y-1">
              <Page url={source.url} outside={source.outside}>
                {source.outside ? host(source.url) : "OpenLedger’s documentation"}
              </Page>
              {source.outside && <Badge>outside</Badge>}
              {source.state === "failed" && <Badge tone="warn">failed</Badge>}
              {source.state === "nothing" && <Badge>no answer</Badge>}
              {source.cut && <Badge>shortened</Badge>}
            </p>
            {source.state !== "answered" && source.reason && (
              <p className="text-xs break-words text-soft">{source.reason}</p>
            )}
            {source.named.length > 0 && (
              <ul className="flex flex-wrap gap-x-3 gap-y-1 text-xs">
                {source.named.map(({ title, url }) => (
                  <li key={url} className="min-w-0">
                    <Page url={url} outside={source.outside}>
                      {title}
                    </Page>
                  </li>
                ))}
              </ul>
            )}
            {source.leftOut > 0 && (
              <p className="text-xs text-soft">
                {source.leftOut} {source.leftOut === 1 ? "link" : "links"} to other sites not shown
              </p>
            )}
          </div>
        </li>
      ))}
    </ul>
  );
}
