import type { RouteDefinition } from "@/app/routes";

export const routes: readonly RouteDefinition[] = [
  {
    path: "/",
    load: () => import("./HomePage"),
    navigation: { title: "Home", icon: "home", group: "start", order: 0 },
  },
];
