import type { RouteDefinition } from "@/app/routes";

export const routes: readonly RouteDefinition[] = [{ path: "/sign", load: () => import("./SignPage") }];
