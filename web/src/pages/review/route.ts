import type { RouteDefinition } from "@/app/routes";

export const routes: readonly RouteDefinition[] = [
  {
    path: "/review",
    load: () => import("./ReviewPage"),
    navigation: { title: "Review", icon: "review", group: "data", order: 2 },
  },
];
