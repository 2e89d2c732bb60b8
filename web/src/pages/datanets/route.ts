import type { RouteDefinition } from "@/app/routes";

export const routes: readonly RouteDefinition[] = [
  {
    path: "/datanets",
    load: () => import("./DatanetsPage"),
    navigation: { title: "Datanets", icon: "datanets", group: "data", order: 0 },
  },
  { path: "/datanets/new", load: () => import("./NewDatanetPage") },
  { path: "/datanets/:id", load: () => import("./DatanetPage") },
  { path: "/submissions/:id", load: () => import("./SubmissionPage") },
];
