/** How long a tab may be out of sight before it gives its connections back. */
const PATIENCE = 5000;

/**
 * Runs something while the tab can be seen. Browsers open six connections to a gateway for all tabs together, and
 * tabs that stream out of sight would leave none for the one in sight.
 */
export function whileVisible(start: () => () => void): () => void {
  let stop: (() => void) | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const update = () => {
    clearTimeout(timer);
    if (!document.hidden) stop ??= start();
    else {
      timer = setTimeout(() => {
        stop?.();
        stop = null;
      }, PATIENCE);
    }
  };
  document.addEventListener("visibilitychange", update);
  update();
  return () => {
    document.removeEventListener("visibilitychange", update);
    clearTimeout(timer);
    stop?.();
  };
}
