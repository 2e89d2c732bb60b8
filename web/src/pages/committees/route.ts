import type { RouteDefinition } from "@/app/routes";

export const routes: readonly RouteDefinition[] = [
  {
    path: "/committees",
    load: () => import("./CommitteesPage"),
    navigation: { title: "Committees", icon: "shield", group: "data", order: 2.5 },
  },
  { path: "/committees/:id", load: () => import("./DrawPage") },
];
