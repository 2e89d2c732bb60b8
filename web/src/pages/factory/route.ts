import type { RouteDefinition } from "@/app/routes";

export const routes: readonly RouteDefinition[] = [
  {
    path: "/factory",
    load: () => import("./FactoryPage"),
    navigation: { title: "ModelFactory", icon: "factory", group: "models", order: 0 },
  },
];
