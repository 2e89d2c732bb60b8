// What pages of the documentation do beyond HTML: light or dark, search while one types, copied code. All of
// it is extra; without this script the pages, and the search box, work.
(() => {
  "use strict";
  const KEY = "openledger.theme"; // The web app's, so that one choice holds for both.
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");

  const chosen = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // A browser that keeps nothing follows the system.
    }
  };
  const isDark = () => {
    const theme = root.dataset.theme ?? "system";
    return theme === "dark" || (theme !== "light" && system.matches);
  };
  const set = (theme) => {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
  };
  // Before the first paint.
  set(chosen());

  const themes = () => {
    const button = document.querySelector(".theme");
    const show = () => {
      button.textContent = isDark() ? "☀" : "☾";
      button.setAttribute("aria-label", isDark() ? "Switch to light" : "Switch to dark");
    };
    button.addEventListener("click", () => {
      const theme = isDark() ? "light" : "dark";
      set(theme);
      try {
        localStorage.setItem(KEY, theme);
      } catch {
        // Chosen until the page is closed.
      }
      show();
    });
    system.addEventListener("change", show);
    button.hidden = false;
    show();
  };

  const search = () => {
    const form = document.querySelector(".search");
    const input = form.querySelector("input");
    const list = document.createElement("ul");
    list.className = "suggestions";
    list.id = "suggestions";
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Found");
    form.append(list);
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-controls", list.id);
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-expanded", "false");
    let waiting = 0;
    let asked = null;
    let at = -1;

    const close = () => {
      list.hidden = true;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
      at = -1;
    };
    const mark = (to) => {
      const options = [...list.children];
      if (options.length === 0) return;
      at = (to + options.length) % options.length;
      options.forEach((option, n) => {
        option.setAttribute("aria-selected", String(n === at));
      });
      options[at].scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", options[at].id);
    };
    const show = (items) => {
      list.replaceChildren(
        ...items.map((hit, n) => {
          const option = document.createElement("li");
          option.id = `suggestion-${n}`;
          option.setAttribute("role", "option");
          option.setAttribute("aria-selected", "false");
          const link = document.createElement("a");
          const url = new URL(hit.url);
          link.href = url.pathname + url.hash;
          link.tabIndex = -1;
          link.textContent = hit.title === hit.heading ? hit.title : `${hit.title}: ${hit.heading}`;
          const excerpt = document.createElement("small");
          excerpt.textContent = hit.excerpt;
          link.append(excerpt);
          option.append(link);
          return option;
        }),
      );
      at = -1;
      list.hidden = items.length === 0;
      input.setAttribute("aria-expanded", String(items.length > 0));
    };
    const look = async () => {
      asked?.abort();
      const words = input.value.trim();
      if (words === "") return close();
      asked = new AbortController();
      try {
        const answer = await fetch(`/docs/search?q=${encodeURIComponent(words)}`, {
          headers: { accept: "application/json" },
          signal: asked.signal,
        });
        if (answer.ok) show((await answer.json()).items.slice(0, 8));
      } catch {
        // Another word came, or the server is away: Enter still asks it.
      }
    };
    input.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(look, 120);
    });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Escape") close();
      if (list.hidden) return;
      if (event.key === "ArrowDown") mark(at + 1);
      else if (event.key === "ArrowUp") mark(at - 1);
      else if (event.key === "Enter" && at >= 0) list.children[at].querySelector("a").click();
      else return;
      event.preventDefault();
    });
    document.addEventListener("click", (event) => {
      if (!form.contains(event.target)) close();
    });
    document.addEventListener("keydown", (event) => {
      const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? "");
      if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      input.focus();
    });
  };

  const copying = () => {
    if (!navigator.clipboard) return; // Only over https and on this machine.
    for (const code of document.querySelectorAll("pre > code")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy";
      button.textContent = "Copy";
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
        setTimeout(() => {
          button.textContent = "Copy";
        }, 1500);
      });
      code.parentElement.append(button);
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    themes();
    search();
    copying();
  });
})();
