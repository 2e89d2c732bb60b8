import { Dialog } from "@base-ui/react/dialog";
import { lazy, type ReactNode, Suspense, useEffect, useRef, useState } from "react";
import { Link, useLocation } from "wouter";
import { AccountMenu } from "@/accounts/AccountMenu";
import { IconButton } from "@/components/ui/Button";
import { Icon } from "@/components/ui/Icon";
import { classes } from "@/lib/classes";
import { useStore } from "@/lib/store";
import { anyKept } from "@/review/kept";
import { announcement } from "./announce";
import { ChainState } from "./ChainState";
import { GatewayNotice } from "./GatewayNotice";
import { Navigation } from "./Navigation";
import { ThemeMenu } from "./ThemeMenu";
import { dismiss, toasts } from "./toasts";

// Only whoever has sealed a vote in this browser needs it.
const RevealKeeper = lazy(() => import("@/review/RevealKeeper"));

function Reveals() {
  return useStore(anyKept) ? (
    <Suspense fallback={null}>
      <RevealKeeper />
    </Suspense>
  ) : null;
}

function Brand() {
  return (
    <Link
      href="/"
      className="inline-flex items-center gap-2.5 rounded-control text-[1.05rem] font-semibold tracking-tight"
    >
      <img src="/icon.svg" alt="" className="size-8" />
      OpenLedger
    </Link>
  );
}

/** Moves the focus to the heading of a page that one came to, so that it is read out. */
function useFocusOnNavigation(): void {
  const [location] = useLocation();
  const first = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a change of page is what it waits for
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    window.scrollTo(0, 0);
    // The page may still be loading: its heading comes later.
    const focus = () => {
      const heading = document.querySelector<HTMLElement>("#content h1");
      // The page before it stays hidden in the document until the new one is there.
      if (!heading?.checkVisibility()) return false;
      heading.focus({ preventScroll: true });
      return true;
    };
    if (focus()) return;
    const content = document.getElementById("content");
    if (!content) return;
    const observer = new MutationObserver(() => focus() && observer.disconnect());
    observer.observe(content, { childList: true, subtree: true, attributeFilter: ["style"] });
    return () => observer.disconnect();
  }, [location]);
}

function Toasts() {
  const shown = useStore(toasts);
  return (
    <div className="pointer-events-none fixed inset-x-4 bottom-4 z-[60] grid justify-items-center gap-2 sm:inset-x-auto sm:right-4 sm:justify-items-end">
      {shown.map((toast) => (
        <div
          key={toast.id}
          className="pointer-events-auto flex max-w-md items-start gap-3 rounded-card border border-line bg-raised py-3 pr-2 pl-4 text-sm shadow-high"
        >
          <Icon
            name={toast.tone === "bad" ? "alert" : toast.tone === "info" ? "info" : "check"}
            className={classes(
              "mt-0.5",
              toast.tone === "bad" ? "text-bad" : toast.tone === "info" ? "text-info" : "text-good",
            )}
          />
          <p className="min-w-0 flex-1 py-0.5 break-words">{toast.text}</p>
          <IconButton label="Dismiss" className="size-7" onClick={() => dismiss(toast.id)}>
            <Icon name="close" className="size-4" />
          </IconButton>
        </div>
      ))}
    </div>
  );
}

function LiveRegion() {
  const { text, count } = useStore(announcement);
  return (
    <div role="status" aria-live="polite" className="sr-only">
      {/* The same words twice are said twice. */}
      <span key={count}>{text}</span>
    </div>
  );
}

function PhoneMenu() {
  const [open, setOpen] = useState(false);
  return (
    <Dialog.Root open={open} onOpenChange={setOpen}>
      <Dialog.Trigger
        aria-label="Menu"
        className="-ml-2 grid size-10 place-items-center rounded-control text-soft hover:bg-sunken hover:text-ink lg:hidden"
      >
        <Icon name="menu" />
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop fixed inset-0 z-40" />
        <Dialog.Popup className="drawer fixed inset-y-0 left-0 z-50 flex w-72 max-w-[85vw] flex-col gap-6 overflow-y-auto border-r border-line bg-surface p-4 outline-none">
          <Dialog.Title className="sr-only">Menu</Dialog.Title>
          <div className="flex items-center justify-between">
            <Brand />
            <Dialog.Close
              aria-label="Close menu"
              className="grid size-9 place-items-center rounded-control text-soft hover:bg-sunken"
            >
              <Icon name="close" />
            </Dialog.Close>
          </div>
          <Navigation onChosen={() => setOpen(false)} />
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

/** What is around every page. */
export function Shell({ children }: { children: ReactNode }) {
  useFocusOnNavigation();
  return (
    <>
      <a
        href="#content"
        className="fixed top-2 left-2 z-[70] -translate-y-20 rounded-control bg-accent px-4 py-2 font-medium text-on-accent focus:translate-y-0"
      >
        Skip to content
      </a>
      <div className="lg:grid lg:grid-cols-[15rem_minmax(0,1fr)]">
        <aside className="sticky top-0 hidden h-dvh flex-col gap-7 overflow-y-auto border-r border-line bg-surface px-3 py-4 lg:flex">
          <div className="px-2">
            <Brand />
          </div>
          <Navigation />
          <div className="mt-auto px-3">
            <ChainState />
          </div>
        </aside>
        <div className="flex min-h-dvh min-w-0 flex-col">
          <header className="sticky top-0 z-30 flex h-14 items-center gap-2 border-b border-line bg-page/90 px-4 backdrop-blur sm:px-6 lg:px-8">
            <PhoneMenu />
            <div className="max-sm:hidden lg:hidden">
              <Brand />
            </div>
            <div className="ml-auto flex items-center gap-1.5">
              <ThemeMenu />
              <AccountMenu />
            </div>
          </header>
          <main id="content" tabIndex={-1} className="min-w-0 flex-1">
            <GatewayNotice />
            <Reveals />
            {children}
          </main>
          <footer className="px-6 pb-4 lg:hidden">
            <ChainState />
          </footer>
        </div>
      </div>
      <Toasts />
      <LiveRegion />
    </>
  );
}
