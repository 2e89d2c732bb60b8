import type { RouteDefinition } from "@/app/routes";

export const routes: readonly RouteDefinition[] = [
  {
    path: "/chat",
    load: () => import("./ChatPage"),
    navigation: { title: "Chat", icon: "chat", group: "models", order: 2 },
  },
];
