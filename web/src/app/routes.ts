import { type ComponentType, type LazyExoticComponent, lazy } from "react";
import type { IconName } from "@/components/ui/Icon";

export type Group = "start" | "data" | "models" | "network";

export interface RouteDefinition {
  /** Path with parameters, as wouter reads it: `/datanets/:id`. */
  path: string;
  /** Loads the page, whose default export takes the path's parameters as properties. */
  load: () => Promise<{ default: ComponentType<Record<string, string>> }>;
  /** Its entry in the navigation, where it has one. */
  navigation?: { title: string; icon: IconName; group: Group; order: number };
}

export interface Route extends RouteDefinition {
  Page: LazyExoticComponent<ComponentType<Record<string, string>>>;
}

// A page is a folder under pages/ with a route.ts: nothing here changes when one is added.
const modules = import.meta.glob<{ routes: readonly RouteDefinition[] }>("../pages/*/route.ts", {
  eager: true,
});

export const routes: readonly Route[] = Object.values(modules)
  .flatMap((module) => module.routes)
  .map((route) => ({ ...route, Page: lazy(route.load) }));

export const groups: readonly { group: Group; title: string }[] = [
  { group: "start", title: "" },
  { group: "data", title: "Data" },
  { group: "models", title: "Models" },
  { group: "network", title: "Network" },
];

/** The navigation's entries of a group, in order. */
export function entries(group: Group) {
  return routes
    .flatMap((route) =>
      route.navigation?.group === group ? [{ path: route.path, ...route.navigation }] : [],
    )
    .sort((one, other) => one.order - other.order);
}
