import type { RouteDefinition } from "@/app/routes";

export const routes: readonly RouteDefinition[] = [
  {
    path: "/attribution",
    load: () => import("./AttributionListPage"),
    navigation: { title: "Attribution", icon: "attribution", group: "models", order: 3 },
  },
  { path: "/attribution/:id", load: () => import("./AttributionPage") },
];
