import type { RouteDefinition } from "@/app/routes";

export const routes: readonly RouteDefinition[] = [
  {
    path: "/runs",
    load: () => import("./RunsPage"),
    navigation: { title: "Runs", icon: "runs", group: "models", order: 1 },
  },
  { path: "/runs/compare", load: () => import("./ComparePage") },
  { path: "/runs/:id", load: () => import("./RunPage") },
];
