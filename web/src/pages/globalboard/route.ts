import type { RouteDefinition } from "@/app/routes";

export const routes: readonly RouteDefinition[] = [
  { path: "/leaderboard/global", load: () => import("./GlobalBoardPage") },
];
