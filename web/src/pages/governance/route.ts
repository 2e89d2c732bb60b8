import type { RouteDefinition } from "@/app/routes";

export const routes: readonly RouteDefinition[] = [
  {
    path: "/governance",
    load: () => import("./GovernancePage"),
    navigation: { title: "Governance", icon: "vote", group: "network", order: 3 },
  },
  { path: "/governance/new", load: () => import("./ProposePage") },
  { path: "/governance/:id", load: () => import("./ReferendumPage") },
];
