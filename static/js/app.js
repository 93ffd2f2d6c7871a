// Behaviours every page shares, by delegation: parts that htmx swaps in need no set-up.
(() => {
  const root = document.documentElement;
  const within = (event, selector) => event.target instanceof Element && event.target.closest(selector);
  const csrf = () => JSON.parse(document.body.getAttribute("hx-headers") || "{}")["X-CSRFToken"];

  // Theme -------------------------------------------------------------------------------------------------------
  function toggleTheme() {
    const theme = root.dataset.bsTheme === "dark" ? "light" : "dark";
    root.dataset.bsTheme = theme;
    try { localStorage.setItem("theme", theme); } catch { /* kept for this page only */ }
    const url = document.querySelector("[data-theme-url]")?.dataset.themeUrl;
    if (url) fetch(url, { method: "POST", headers: { "X-CSRFToken": csrf() }, body: new URLSearchParams({ theme }) });
    document.dispatchEvent(new CustomEvent("themechange"));
  }

  // Copy ---------------------------------------------------------------------------------------------------------
  async function copy(button) {
    await navigator.clipboard.writeText(button.dataset.copy);
    const words = button.querySelector("span");
    const before = words ? words.textContent : button.getAttribute("aria-label");
    const say = (text) => (words ? (words.textContent = text) : button.setAttribute("aria-label", text));
    say("Copied");
    button.querySelector("use")?.setAttribute("href", sprite("check"));
    setTimeout(() => { say(before); button.querySelector("use")?.setAttribute("href", sprite("copy")); }, 2000);
  }
  const sprite = (name) => document.querySelector("svg.icon use").getAttribute("href").split("#")[0] + "#" + name;

  // Save what is shown as a file, without asking the server for it again ------------------------------------------
  function save(button) {
    const words = document.querySelector(button.dataset.save).textContent;
    const link = Object.assign(document.createElement("a"), { download: button.dataset.name, href: URL.createObjectURL(new Blob([words], { type: "text/plain" })) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  // Dialogs ------------------------------------------------------------------------------------------------------
  function open(dialog) {
    if (dialog.open) return;
    dialog.showModal();
    const first = dialog.querySelector("[autofocus], .is-invalid, input:not([type=hidden]), select, textarea, footer .btn-primary, footer .btn");
    first?.focus({ focusVisible: false });
  }
  function openAll(part) {
    part.querySelectorAll("dialog[data-open]").forEach(open);
  }
  // A dialog that shows something once has neither cross nor Escape.
  document.addEventListener("cancel", (event) => {
    if (event.target.matches?.("dialog[data-once]")) event.preventDefault();
  }, true);

  // Toasts: 6 s, longer while the pointer or the focus is on them ------------------------------------------------
  function age(toast) {
    if (toast.dataset.ages) return;
    toast.dataset.ages = "yes";
    let timer;
    const start = () => { timer = setTimeout(() => toast.remove(), 6000); };
    const stop = () => clearTimeout(timer);
    for (const name of ["mouseenter", "focusin"]) toast.addEventListener(name, stop);
    for (const name of ["mouseleave", "focusout"]) toast.addEventListener(name, start);
    start();
  }
  const ageAll = () => document.querySelectorAll(".sr-toast").forEach(age);

  // One-time codes: checked as soon as the last digit is in -------------------------------------------------------
  document.addEventListener("input", (event) => {
    const code = within(event, "[data-otp]");
    if (code && /^\d{6}$/.test(code.value.replace(/\s/g, ""))) code.form.requestSubmit();
    const typed = within(event, "[data-confirm-name]");
    if (typed) {
      const button = typed.form.querySelector("[data-confirm-button]");
      button.disabled = typed.value.trim() !== typed.dataset.confirmName;
    }
  });

  document.addEventListener("change", (event) => {
    const stored = within(event, "[data-stored]");
    if (stored) document.querySelector(stored.dataset.stored)?.toggleAttribute("disabled", !stored.checked);
    if (within(event, "[data-autosubmit]")) event.target.form.requestSubmit();
  });

  document.addEventListener("click", (event) => {
    const copier = within(event, "[data-copy]");
    if (copier) copy(copier);
    if (within(event, "[data-theme-toggle]")) toggleTheme();
    const opener = within(event, "[data-dialog]");
    if (opener) open(document.getElementById(opener.dataset.dialog));
    const closed = within(event, "[data-close]") && event.target.closest("dialog");
    if (closed) { event.preventDefault(); closed.close(); } // a link where the dialog is a page of its own
    if (within(event, "[data-dismiss]")) event.target.closest(".sr-toast").remove();
    const emptier = within(event, "[data-empties]");
    if (emptier) document.querySelector(emptier.dataset.empties).value = "";
    const saver = within(event, "[data-save]");
    if (saver) save(saver);
    const eye = within(event, "[data-show-password]");
    if (eye) {
      const input = eye.parentElement.querySelector("input");
      const show = input.type === "password";
      input.type = show ? "text" : "password";
      eye.setAttribute("aria-pressed", String(show));
    }
  });

  // Popover menus where the browser cannot place them beside their button itself
  if (!CSS.supports("position-area", "block-end")) {
    document.addEventListener("toggle", (event) => {
      const menu = event.target;
      if (event.newState !== "open" || !menu.matches(".sr-menu:not(.acct)")) return;
      const box = document.querySelector(`[popovertarget="${menu.id}"]`).getBoundingClientRect();
      Object.assign(menu.style, { position: "fixed", inset: "auto", top: `${box.bottom}px`, left: `${Math.max(8, box.right - menu.offsetWidth)}px` });
    }, true);
  }

  // Secrets: a masked value is replaced as a whole, and what was typed is kept here while the form is corrected ---
  document.addEventListener("focusin", (event) => {
    const masked = within(event, "[data-masked]");
    if (masked && masked.value === masked.dataset.masked) masked.select();
  });
  const typed = new Map();
  document.addEventListener("htmx:beforeSwap", (event) => {
    typed.clear();
    if (event.detail.xhr.status === 422) event.detail.target.querySelectorAll("[data-kept]").forEach((input) => typed.set(input.name, input.value));
  });
  const putBack = (part) => part.querySelectorAll("[data-kept]").forEach((input) => { if (typed.has(input.name)) input.value = typed.get(input.name); });

  // A form is sent once: a second click while the first is on its way does nothing --------------------------------
  const LONGEST = 5000; // an answer that leaves the page standing, such as a file
  const sending = new WeakSet();
  const send = (form) => { sending.add(form); setTimeout(() => sending.delete(form), LONGEST); };
  const isPost = (form) => form.getAttribute("method")?.toLowerCase() === "post";
  document.addEventListener("submit", (event) => {
    if (!isPost(event.target) || !sending.has(event.target)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
  document.addEventListener("submit", (event) => { if (isPost(event.target) && !event.defaultPrevented) send(event.target); });
  window.addEventListener("pageshow", (event) => { if (event.persisted) document.querySelectorAll("form").forEach((form) => sending.delete(form)); });
  document.addEventListener("htmx:beforeRequest", (event) => { if (event.detail.elt.matches("form")) send(event.detail.elt); });
  document.addEventListener("htmx:afterRequest", (event) => { if (!event.detail.xhr.getResponseHeader("HX-Redirect")) sending.delete(event.detail.elt); });

  // htmx ---------------------------------------------------------------------------------------------------------
  document.addEventListener("htmx:afterSwap", (event) => { putBack(event.detail.target); typed.clear(); openAll(event.detail.target); ageAll(); });
  document.addEventListener("htmx:oobAfterSwap", ageAll);
  document.addEventListener("close-dialog", () => document.querySelectorAll("#dialog dialog[open]").forEach((dialog) => dialog.close()));
  // Once more a moment later: browsers put the focus of a closed dialog aside when they next draw.
  document.addEventListener("focus-on", (event) => {
    const put = () => document.activeElement?.id === event.detail.value || document.getElementById(event.detail.value)?.focus();
    put();
    setTimeout(() => document.activeElement === document.body && put(), 100);
  });
  document.addEventListener("htmx:responseError", (event) => {
    const { status } = event.detail.xhr;
    undo(event);
    if (status === 401 || status === 503) location.reload(); // signed out, or sealed: the page itself says so
    else fail(status === 403 ? "That is not allowed here: by your role, or because the account is read-only. Nothing was changed." : status === 404 ? "It is gone. Reload the page to see what is there." : `The server answered ${status}. Nothing was changed.`);
  });
  document.addEventListener("htmx:sendError", (event) => undo(event) || fail("The server did not answer. Check the connection and try again."));
  // A row that saves by itself shows again what is stored.
  const undo = (event) => { if (event.detail.elt.matches('form[hx-trigger="change"]')) event.detail.elt.reset(); };
  function fail(sentence) {
    const place = document.querySelector("#main .sr-page");
    if (!place) return;
    place.querySelector(".sr-callout[data-failure]")?.remove();
    const box = document.createElement("div");
    box.className = "sr-callout is-bad";
    box.dataset.failure = "";
    box.setAttribute("role", "alert");
    const words = document.createElement("p");
    words.textContent = sentence;
    const inner = document.createElement("div");
    inner.append(words);
    box.append(inner);
    place.prepend(box);
    document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
    box.scrollIntoView({ block: "nearest" });
  }

  openAll(document);
  ageAll();
  // Where sections scroll sideways (phones), the current one is in sight.
  const here = document.querySelector(".sr-pagenav [aria-current]");
  if (here) here.closest(".sr-pagenav").scrollLeft = here.offsetLeft - 60;
  // After a refused form, the focus goes to the first fault.
  document.querySelector("main form .is-invalid")?.focus();
})();
