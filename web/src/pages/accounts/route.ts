import type { RouteDefinition } from "@/app/routes";

export const routes: readonly RouteDefinition[] = [
  {
    path: "/accounts",
    load: () => import("./AccountsPage"),
    navigation: { title: "Accounts", icon: "wallet", group: "start", order: 1 },
  },
  { path: "/accounts/:account", load: () => import("./AccountPage") },
];
