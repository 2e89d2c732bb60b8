import { QueryClient } from "@tanstack/react-query";
import { ApiError } from "./request";

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // Events say when something changed (stream.ts); this is for when they cannot come.
      staleTime: 15_000,
      refetchOnWindowFocus: true,
      // What was refused is refused again; what did not answer may answer.
      retry: (failures, error) => !(error instanceof ApiError && error.status < 500) && failures < 2,
      retryDelay: (attempt) => Math.min(1000 * 2 ** attempt, 8000),
    },
  },
});
