import { type ReactNode, useEffect } from "react";

/** A page's heading and content. The heading takes the focus when one comes to the page (app/Shell.tsx). */
export function Page({
  title,
  about,
  actions,
  children,
}: {
  title: string;
  about?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  useEffect(() => {
    document.title = title === "OpenLedger" ? title : `${title} · OpenLedger`;
  }, [title]);
  return (
    <div className="mx-auto grid w-full max-w-6xl grid-cols-[minmax(0,1fr)] gap-6 px-4 py-6 sm:px-6 sm:py-8 lg:px-8">
      <header className="flex flex-wrap items-end justify-between gap-4">
        <div className="max-w-2xl min-w-0">
          <h1 tabIndex={-1} className="text-2xl font-semibold break-words sm:text-[1.75rem] sm:leading-9">
            {title}
          </h1>
          {about && <p className="mt-1.5 text-soft">{about}</p>}
        </div>
        {actions && <div className="flex flex-wrap gap-2">{actions}</div>}
      </header>
      {children}
    </div>
  );
}
