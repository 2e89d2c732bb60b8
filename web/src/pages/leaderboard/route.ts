import type { RouteDefinition } from "@/app/routes";

export const routes: readonly RouteDefinition[] = [
  {
    path: "/leaderboard",
    load: () => import("./LeaderboardPage"),
    navigation: { title: "Leaderboard", icon: "board", group: "data", order: 3 },
  },
  { path: "/leaderboard/:datanet/:account", load: () => import("./WhyPage") },
];
