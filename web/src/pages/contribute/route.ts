import type { RouteDefinition } from "@/app/routes";

export const routes: readonly RouteDefinition[] = [
  {
    path: "/contribute",
    load: () => import("./ContributePage"),
    navigation: { title: "Contribute", icon: "contribute", group: "data", order: 1 },
  },
];
