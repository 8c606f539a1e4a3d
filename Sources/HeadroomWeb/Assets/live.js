// Puts what the server sends into the page; without it the pages work as they are.
(() => {
  "use strict";

  /** Replaces the live parts that have changed, and leaves the keyboard where it was. */
  function show(html) {
    const parts = new DOMParser().parseFromString(html, "text/html").querySelectorAll("[id][data-live], [id][data-refresh]");
    for (const part of parts) {
      const old = document.getElementById(part.id);
      if (!old || old.outerHTML === part.outerHTML) continue;
      const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
      const isOpen = old.querySelector("details[open]") !== null;
      const scrolled = old.querySelector(".scroll")?.scrollLeft ?? 0;
      old.replaceWith(document.adoptNode(part));
      if (isOpen) part.querySelector("details")?.setAttribute("open", "");
      if (scrolled) part.querySelector(".scroll").scrollLeft = scrolled;
      if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    }
  }

  function note(text) {
    const state = document.getElementById("connection");
    if (state && state.textContent !== text) state.textContent = text;
  }

  const live = document.querySelector("[data-events]");
  if (live) {
    const source = new EventSource(live.dataset.events);
    source.addEventListener("open", () => note("live"));
    source.addEventListener("picture", (event) => show(event.data));
    source.addEventListener("error", async () => {
      note("not live: the dashboard does not answer");
      if (source.readyState !== EventSource.CLOSED) return;
      // It was refused. When the session has ended, here or on another tab, nothing of it stays on the screen.
      const answer = await fetch(location.href, { method: "HEAD" }).catch(() => null);
      if (answer?.redirected) location.assign(answer.url);
    });
  }

  // Parts that change on their own time are asked for again, while somebody looks.
  const due = new Map();
  setInterval(async () => {
    if (document.hidden) return;
    for (const part of document.querySelectorAll("[data-refresh]")) {
      const now = Date.now();
      if (!due.has(part.id)) due.set(part.id, now + part.dataset.seconds * 1000);
      if (due.get(part.id) > now) continue;
      due.set(part.id, Infinity);
      try {
        const answer = await fetch(part.dataset.refresh, { headers: { accept: "text/html" } });
        if (answer.ok && !answer.redirected) show(await answer.text());
      } catch {
        // The next turn tries again.
      }
      due.delete(part.id);
    }
  }, 500);
})();
