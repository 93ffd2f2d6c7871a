// Runs before the first paint: the theme the server knows of the user, else the one chosen here, else the system's.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const remembered = () => {
    try { return localStorage.getItem("theme"); } catch { return null; } // storage can be forbidden
  };
  const chosen = root.dataset.bsTheme || remembered();
  const apply = () => { root.dataset.bsTheme = chosen || (system.matches ? "dark" : "light"); };
  apply();
  if (!chosen) system.addEventListener("change", apply);
  // The server writes times in the reader's zone; only the browser knows it.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) document.cookie = `tz=${encodeURIComponent(zone)}; path=/; max-age=31536000; samesite=lax`;
})();
