import type { RouteDefinition } from "@/app/routes";

export const routes: readonly RouteDefinition[] = [
  {
    path: "/invite",
    load: () => import("./InvitePage"),
    navigation: { title: "Sponsor a newcomer", icon: "plus", group: "network", order: 9 },
  },
];
