import type { RouteDefinition } from "@/app/routes";

export const routes: readonly RouteDefinition[] = [
  {
    path: "/operators",
    load: () => import("./OperatorsPage"),
    navigation: { title: "Operators", icon: "operators", group: "network", order: 1 },
  },
];
