import type { RouteDefinition } from "@/app/routes";

export const routes: readonly RouteDefinition[] = [
  { path: "/agents/:id", load: () => import("./AgentPage") },
];
