/* The admin: what Unfold does not do. A revealed key leaves the page by itself. */
document.addEventListener("DOMContentLoaded", () => {
  for (const output of document.querySelectorAll("[data-empty-after]")) {
    const empty = () => { output.textContent = "Hidden again."; };
    setTimeout(empty, Number(output.dataset.emptyAfter) * 1000);
    document.addEventListener("visibilitychange", () => { if (document.hidden) empty(); });
    window.addEventListener("pagehide", empty);
  }
});
