// Sets the theme before the first paint: a script of its own, since the policy allows none within the page.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem("openledger.theme");
  } catch {
    // A browser that keeps nothing follows the system.
  }
  const dark =
    chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
