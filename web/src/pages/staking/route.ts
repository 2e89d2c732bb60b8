import type { RouteDefinition } from "@/app/routes";

export const routes: readonly RouteDefinition[] = [
  {
    path: "/staking",
    load: () => import("./StakingPage"),
    navigation: { title: "Staking", icon: "stake", group: "network", order: 2 },
  },
];
