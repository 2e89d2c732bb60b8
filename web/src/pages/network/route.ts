import type { RouteDefinition } from "@/app/routes";

export const routes: readonly RouteDefinition[] = [
  {
    path: "/network",
    load: () => import("./NetworkPage"),
    navigation: { title: "Network", icon: "network", group: "network", order: 5 },
  },
];
