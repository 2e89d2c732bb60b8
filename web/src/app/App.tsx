import { CSPProvider } from "@base-ui/react/csp-provider";
import { QueryClientProvider } from "@tanstack/react-query";
import { Component, type ReactNode, Suspense } from "react";
import { Route, Switch, useLocation } from "wouter";
import { queryClient } from "@/api/queryClient";
import { LiveUpdates } from "@/api/stream";
import { TransactionHost } from "@/chain/TransactionHost";
import { ButtonLink } from "@/components/ui/Button";
import { Page } from "@/components/ui/Page";
import { Skeleton } from "@/components/ui/Skeleton";
import { EmptyState, ErrorState } from "@/components/ui/States";
import { routes } from "./routes";
import { Shell } from "./Shell";

/** A fault in one page leaves the rest of the app standing. */
class Boundary extends Component<{ at: string; children: ReactNode }, { error: unknown; at: string }> {
  override state: { error: unknown; at: string } = { error: null, at: this.props.at };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  static getDerivedStateFromProps(props: { at: string }, state: { error: unknown; at: string }) {
    return props.at === state.at ? null : { error: null, at: props.at };
  }

  override render() {
    if (this.state.error === null) return this.props.children;
    return (
      <Page title="This page failed">
        <ErrorState error={this.state.error} retry={() => window.location.reload()} />
      </Page>
    );
  }
}

function Loading() {
  return (
    <div className="mx-auto grid w-full max-w-6xl gap-6 px-4 py-8 sm:px-6 lg:px-8">
      <Skeleton lines={6} />
    </div>
  );
}

function NotFound() {
  return (
    <Page title="There is no such page">
      <EmptyState
        icon="search"
        title="Nothing is at this address"
        actions={<ButtonLink href="/">Go home</ButtonLink>}
      >
        A link may be old or mistyped.
      </EmptyState>
    </Page>
  );
}

function Pages() {
  const [location] = useLocation();
  return (
    <Boundary at={location}>
      <Suspense fallback={<Loading />}>
        <Switch>
          {routes.map(({ path, Page: Shown }) => (
            <Route key={path} path={path}>
              {(parameters) => <Shown {...(parameters as Record<string, string>)} />}
            </Route>
          ))}
          <Route>
            <NotFound />
          </Route>
        </Switch>
      </Suspense>
    </Boundary>
  );
}

export function App() {
  return (
    // The gateway's policy allows no style elements.
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={queryClient}>
        <LiveUpdates />
        <Shell>
          <Pages />
        </Shell>
        <TransactionHost />
      </QueryClientProvider>
    </CSPProvider>
  );
}
