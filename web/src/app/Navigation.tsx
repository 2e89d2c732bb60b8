import { Link, useLocation } from "wouter";
import { Icon } from "@/components/ui/Icon";
import { classes } from "@/lib/classes";
import { entries, groups } from "./routes";

/** The pages, in groups. */
export function Navigation({ onChosen }: { onChosen?: () => void }) {
  const [location] = useLocation();
  return (
    <nav aria-label="Pages" className="grid gap-5">
      {groups.map(({ group, title }) => {
        const pages = entries(group);
        if (pages.length === 0) return null;
        return (
          <div key={group}>
            {title && <h2 className="mb-1 px-3 text-xs font-semibold text-soft">{title}</h2>}
            <ul className="grid gap-0.5">
              {pages.map((page) => {
                const here =
                  page.path === "/" ? location === "/" : `${location}/`.startsWith(`${page.path}/`);
                return (
                  <li key={page.path}>
                    <Link
                      href={page.path}
                      {...(onChosen ? { onClick: onChosen } : {})}
                      aria-current={here ? "page" : undefined}
                      className={classes(
                        "flex min-h-9 items-center gap-3 rounded-control px-3 py-1.5 text-sm font-medium transition-colors",
                        here
                          ? "bg-accent-soft text-accent-strong"
                          : "text-soft hover:bg-sunken hover:text-ink",
                      )}
                    >
                      <Icon name={page.icon} className="size-[1.15rem]" />
                      {page.title}
                    </Link>
                  </li>
                );
              })}
            </ul>
          </div>
        );
      })}
      {/* Pages of the gateway, not of this app. */}
      <a
        href="/docs"
        className="flex min-h-9 items-center gap-3 rounded-control px-3 py-1.5 text-sm font-medium text-soft transition-colors hover:bg-sunken hover:text-ink"
      >
        <Icon name="info" className="size-[1.15rem]" />
        Docs
      </a>
    </nav>
  );
}
