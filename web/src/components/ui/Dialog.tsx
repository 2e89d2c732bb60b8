import { Dialog as Base } from "@base-ui/react/dialog";
import type { ReactNode } from "react";
import { Icon } from "./Icon";

/** A dialog over the page. The focus stays within it and returns to where it was; Escape closes it. */
export function Dialog({
  open,
  onClose,
  title,
  about,
  locked = false,
  children,
  actions,
}: {
  open: boolean;
  onClose: () => void;
  title: ReactNode;
  about?: ReactNode;
  /** Neither Escape nor a press beside it closes it: something would be lost. */
  locked?: boolean;
  children?: ReactNode;
  actions?: ReactNode;
}) {
  return (
    <Base.Root
      open={open}
      disablePointerDismissal={locked}
      onOpenChange={(next, details) => {
        if (next || (locked && details.reason === "escape-key")) return;
        onClose();
      }}
    >
      <Base.Portal>
        <Base.Backdrop className="backdrop fixed inset-0 z-40" />
        <Base.Popup className="popup fixed inset-x-0 bottom-0 z-50 mx-auto flex max-h-[92dvh] w-full flex-col rounded-t-2xl border border-line bg-surface shadow-high outline-none sm:inset-y-0 sm:my-auto sm:h-fit sm:max-w-lg sm:rounded-2xl">
          <header className="flex items-start justify-between gap-3 px-5 pt-5">
            <div>
              <Base.Title className="text-lg font-semibold">{title}</Base.Title>
              {about && <Base.Description className="mt-1 text-sm text-soft">{about}</Base.Description>}
            </div>
            <Base.Close
              aria-label="Close"
              className="-mt-1 -mr-2 grid size-9 shrink-0 place-items-center rounded-control text-soft hover:bg-sunken hover:text-ink"
            >
              <Icon name="close" />
            </Base.Close>
          </header>
          <div className="min-h-0 overflow-y-auto px-5 py-4">{children}</div>
          {actions && (
            <footer className="flex flex-wrap justify-end gap-2 border-t border-line px-5 py-4">
              {actions}
            </footer>
          )}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
