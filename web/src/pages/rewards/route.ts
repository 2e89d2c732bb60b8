import type { RouteDefinition } from "@/app/routes";

export const routes: readonly RouteDefinition[] = [
  {
    path: "/rewards",
    load: () => import("./RewardsPage"),
    navigation: { title: "Rewards", icon: "wallet", group: "data", order: 4 },
  },
];
