import { type ReactNode, useEffect, useRef, useState } from "react";
import { classes } from "@/lib/classes";

// Positioned, since words for screen readers within it would widen the page otherwise.
const scrolling = "relative overflow-x-auto -outline-offset-2";

/**
 * Content that may be wider than the screen and then scrolls by itself, never the page. A shadow stands at each
 * side where more of it is hidden: phones show no scroll bar.
 */
export function Scroller({ label, children }: { label: string; children: ReactNode }) {
  const box = useRef<HTMLElement>(null);
  const [more, setMore] = useState({ left: false, right: false });
  useEffect(() => {
    const seen = box.current;
    if (!seen) return;
    const look = () => {
      const left = seen.scrollLeft > 1;
      const right = seen.scrollLeft + seen.clientWidth < seen.scrollWidth - 1;
      setMore((old) => (old.left === left && old.right === right ? old : { left, right }));
    };
    look();
    seen.addEventListener("scroll", look, { passive: true });
    const observer = new ResizeObserver(look);
    observer.observe(seen);
    for (const child of seen.children) observer.observe(child);
    return () => {
      seen.removeEventListener("scroll", look);
      observer.disconnect();
    };
  }, []);
  return (
    <div className={classes("edges relative", more.left && "edge-left", more.right && "edge-right")}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard */}
      <section ref={box} aria-label={label} tabIndex={0} className={scrolling}>
        {children}
      </section>
    </div>
  );
}
