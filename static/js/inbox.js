/* global htmx */
// The inbox: drafts, canned replies, sending by keyboard, and a thread that keeps its place while it grows.
(() => {
  const POLL = 30_000;
  const $ = (selector, root = document) => root.querySelector(selector);
  const composer = () => $("[data-composer]");
  const reply = () => $("#reply");

  // Drafts: what was typed outlives a reload and a refused answer, in this tab alone ------------------------------
  const key = () => `draft:${composer().dataset.draft}`;
  const remember = () => { try { reply().value ? sessionStorage.setItem(key(), reply().value) : sessionStorage.removeItem(key()); } catch { /* not kept */ } };
  function restore() {
    if (!composer() || reply().value) return;
    try { reply().value = sessionStorage.getItem(key()) || ""; } catch { /* nothing kept */ }
  }

  // The thread: at its end unless somebody reads further up --------------------------------------------------------
  const scroller = () => {
    const box = $("#thread-scroll");
    return box && getComputedStyle(box).overflowY === "auto" ? box : document.scrollingElement;
  };
  const atEnd = () => { const box = scroller(); return box.scrollHeight - box.scrollTop - box.clientHeight < 80; };
  const toEnd = () => { if ($("#thread")) { const box = scroller(); box.scrollTop = box.scrollHeight; } };
  let follow = true, own = false, said = 0;
  const countSaid = () => $("#thread").querySelectorAll(".sr-msg").length;
  // What came in below is offered, not shown: whoever reads further up keeps their place.
  document.addEventListener("scroll", () => { if ($("#new-lines") && !$("#new-lines").hidden && atEnd()) $("#new-lines").hidden = true; }, { capture: true, passive: true });

  // Canned replies ---------------------------------------------------------------------------------------------------
  const canned = { asked: false, from: -1 };
  const listbox = () => $("#canned-list");
  const shownOptions = () => [...listbox().querySelectorAll("[role=option]:not([hidden])")];
  const chosen = () => $("[aria-selected=true]", listbox());
  // The word under the caret, when it begins with a slash and stands at the beginning or after a blank.
  function slashed() {
    const before = reply().value.slice(0, reply().selectionStart);
    const match = /(^|\s)\/([\w-]*)$/.exec(before);
    return match ? { from: before.length - match[2].length - 1, words: match[2] } : null;
  }
  async function openCanned(from, words) {
    canned.from = from;
    if (!canned.asked) {
      canned.asked = true;
      await htmx.ajax("GET", composer().dataset.canned, { target: "#canned-list" });
      if (canned.from < 0) return;
      words = slashed()?.words ?? words;
    }
    $("#canned").hidden = false;
    narrow(words);
  }
  function narrow(words) {
    const wanted = words.toLowerCase();
    const rank = (option) => { const text = option.textContent.toLowerCase(); return text.startsWith(`/${wanted}`) ? 0 : text.includes(wanted) ? 1 : 2; };
    const options = [...listbox().querySelectorAll("[role=option]")];
    options.forEach((option) => { option.hidden = rank(option) === 2; });
    options.sort((one, other) => rank(one) - rank(other) || one.textContent.localeCompare(other.textContent)).forEach((option) => listbox().append(option));
    $("#canned-none").hidden = shownOptions().length > 0;
    choose(shownOptions()[0]);
  }
  function choose(option) {
    listbox().querySelectorAll("[aria-selected=true]").forEach((other) => other.setAttribute("aria-selected", "false"));
    option?.setAttribute("aria-selected", "true");
    if (option) reply().setAttribute("aria-activedescendant", option.id);
    else reply().removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  }
  function move(step) {
    const options = shownOptions();
    if (options.length) choose(options[(options.indexOf(chosen()) + step + options.length) % options.length]);
  }
  function closeCanned() {
    canned.from = -1;
    if (!$("#canned") || $("#canned").hidden) return;
    $("#canned").hidden = true;
    reply().removeAttribute("aria-activedescendant");
  }
  // Put text in place of the slash and what follows it, or where the caret is.
  function insert(text, from = reply().selectionStart) {
    const field = reply();
    field.focus();
    field.setRangeText(text, from, field.selectionEnd, "end");
    closeCanned();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  document.addEventListener("input", (event) => {
    if (event.target !== reply()) return;
    remember();
    const typed = slashed();
    if (typed) openCanned(typed.from, typed.words);
    else closeCanned();
  });

  document.addEventListener("keydown", (event) => {
    if (event.target !== reply()) return;
    const open = !$("#canned").hidden;
    if (open && (event.key === "ArrowDown" || event.key === "ArrowUp")) { event.preventDefault(); move(event.key === "ArrowDown" ? 1 : -1); }
    else if (open && event.key === "Escape") { event.preventDefault(); closeCanned(); }
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); closeCanned(); if (!$("#send").disabled) composer().requestSubmit($("#send")); }
    else if (open && (event.key === "Enter" || event.key === "Tab") && chosen()) { event.preventDefault(); insert(chosen().dataset.text, canned.from); }
  });

  document.addEventListener("click", (event) => {
    const at = (selector) => event.target instanceof Element && event.target.closest(selector);
    const option = at("#canned-list [role=option]");
    if (option) insert(option.dataset.text, canned.from < 0 ? undefined : canned.from);
    else if (at("[data-canned-open]")) {
      if (!$("#canned").hidden) return closeCanned();
      reply().focus();
      const typed = slashed();
      openCanned(typed ? typed.from : reply().selectionStart, typed ? typed.words : "");
    } else if (!at("#composer")) closeCanned();
    if (at("#new-lines")) { toEnd(); $("#new-lines").hidden = true; $("#thread-scroll").focus({ preventScroll: true }); }
    const inserter = at("[data-insert]");
    if (inserter && reply()) {
      if (location.hash === "#about") location.hash = "conversation-head"; // the panel lies over the composer on phones
      insert(inserter.dataset.insert);
    }
  });

  // htmx -----------------------------------------------------------------------------------------------------------
  let sent = null;
  let kept = null;
  const listFiles = () => {
    const names = [...$("#files").files].map((file) => { const row = document.createElement("li"); row.textContent = file.name; return row; });
    $("#files-chosen").replaceChildren(...names);
    $("#files-chosen").hidden = !names.length;
  };
  document.addEventListener("change", (event) => {
    if (event.target.id === "files") listFiles();
    if (event.target.id === "note") reply().placeholder = event.target.checked ? reply().dataset.asNote : reply().dataset.asReply;
  });
  document.addEventListener("htmx:configRequest", (event) => {
    const { elt, parameters } = event.detail;
    if (elt.matches("[data-thread]")) {
      const lines = elt.querySelectorAll("[data-line]");
      parameters.last = lines.length ? lines[lines.length - 1].dataset.line : "";
      parameters.head = $("#conversation-head")?.dataset.version ?? "";
    }
    if (elt.matches("[data-conversations]")) parameters.shown = elt.querySelectorAll(".sr-conv").length;
    if (elt.matches("[data-composer]")) sent = reply().value;
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id === "thread") { follow = own || atEnd(); own = false; said = countSaid(); }
    if (event.detail.target.id !== "composer") return;
    // What was typed while the message was on its way belongs to the next one.
    const typed = reply().value;
    kept = event.detail.xhr.status === 422 ? $("#files").files : null; // a refusal keeps the files, too
    sent = event.detail.xhr.status === 200 && sent !== null && typed.startsWith(sent) ? typed.slice(sent.length) : null;
    if (event.detail.xhr.status === 200) { try { sessionStorage.removeItem(key()); } catch { /* was not kept */ } own = true; }
  });
  // The head is not taken away from under an open menu: the next news bring it.
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    if (event.detail.target.querySelector?.(":popover-open")) event.detail.shouldSwap = false;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const { target } = event.detail;
    if (target.id === "thread" && follow) toEnd();
    else if (target.id === "thread" && countSaid() > said && $("#new-lines")) $("#new-lines").hidden = false;
    if (target.id === "composer" && sent) { reply().value = sent; remember(); }
    if (target.id === "composer" && kept?.length) { $("#files").files = kept; listFiles(); }
    if (target.id === "composer") { kept = null; sent = null; canned.asked = false; canned.from = -1; typedAt = 0; tellWhere(); }
  });

  // News: told by the socket, asked for while there is none -----------------------------------------------------------
  // Parts are fetched one request at a time each: what changes meanwhile is fetched once more afterwards.
  const fetching = new Set(), due = new Set();
  const HIDDEN_PAUSE = 5_000;
  let flushing = 0, live = false, fetchedAt = 0, outdated = false;
  const open = () => $("[data-thread]")?.dataset.thread;
  const isSeen = () => document.visibilityState === "visible";
  const kindOf = (element) => (element?.matches?.("[data-thread]") ? "thread" : element?.matches?.("[data-conversations]") ? "list" : null);
  const renew = () => { if (outdated && isSeen()) location.reload(); };
  function want(parts, wait = 120) {
    parts.forEach((part) => due.add(part));
    if (!flushing) flushing = setTimeout(flush, wait);
  }
  function flush() {
    flushing = 0;
    // Unseen, the list alone is kept up, for the count in the title: fetching what was said would mark it as read.
    const parts = [...due].filter((part) => !fetching.has(part) && (isSeen() || part === "list"));
    if (!isSeen() && parts.length && Date.now() - fetchedAt < HIDDEN_PAUSE) { want([], HIDDEN_PAUSE); return; }
    fetchedAt = Date.now();
    for (const part of parts) { due.delete(part); document.body.dispatchEvent(new CustomEvent(`${part}-changed`)); }
  }
  document.addEventListener("htmx:beforeRequest", (event) => { const kind = kindOf(event.detail.requestConfig.elt); if (kind) fetching.add(kind); });
  document.addEventListener("htmx:afterRequest", (event) => {
    const kind = kindOf(event.detail.requestConfig.elt);
    if (kind) { fetching.delete(kind); if (due.size) want([]); }
  });
  // A look that failed is no alarm: nobody asked for it, and it is repeated.
  const failed = new Set();
  const hush = (event) => {
    const { requestConfig, xhr } = event.detail;
    const cause = requestConfig?.triggeringEvent?.type;
    const asked = cause ? !cause.endsWith("-changed") : requestConfig?.elt === document.body; // without: a part that loads by itself
    if (!requestConfig || asked || (xhr.status && xhr.status < 500)) return;
    event.stopPropagation();
    failed.add(kindOf(requestConfig.elt) ?? "thread");
    setTimeout(again, 4_000 + 4_000 * Math.random()); // the socket may stand all the while
  };
  const again = () => { if (live) { want([...failed]); failed.clear(); } };
  for (const name of ["htmx:sendError", "htmx:responseError"]) document.addEventListener(name, hush, true);
  const everything = (wait) => want(["list", "thread"], wait);
  document.body.addEventListener("conversation-changed", () => everything(0));
  document.body.addEventListener("live:changed", ({ detail }) => {
    if (!$("#conversations")) { outdated = true; renew(); return; } // the first conversation of all
    if (!detail) { want(["list", "thread", "panel"]); return; }
    const here = detail.subject === open();
    want(detail.parts.map((part) => (part === "head" ? "thread" : part)).filter((part) => part === "list" || here));
  });
  setInterval(() => { if (!live && isSeen()) everything(); }, POLL);
  document.addEventListener("visibilitychange", () => { if (isSeen() && !live) everything(); else if (isSeen()) { clearTimeout(flushing); flushing = 0; want([]); } tellWhere(); renew(); });

  // Said quietly, and only when it lasts
  let saying = 0;
  function sayState() {
    clearTimeout(saying);
    const show = (words) => document.querySelectorAll("[data-live-state]").forEach((place) => { place.textContent = words; place.hidden = !words; });
    if (live) show("");
    else saying = setTimeout(show, 6_000, "Not live: looks for news every 30 seconds.");
  }
  document.body.addEventListener("live:state", ({ detail }) => { live = detail.live; sayState(); if (live) { tellWhere(); again(); } else company([]); });
  sayState();

  // The title counts what nobody read
  const title = document.title;
  const count = () => { const unread = parseInt($("#count-side-inbox")?.textContent, 10) || 0; document.title = unread ? `(${unread}) ${title}` : title; };
  document.addEventListener("htmx:oobAfterSwap", count);
  count();

  // Who else is here --------------------------------------------------------------------------------------------------
  const WRITING = 8_000;
  let typedAt = 0, told = "", stopping = 0;
  function tellWhere(again = false) {
    if (!open()) return;
    const writing = Date.now() - typedAt < WRITING && !!reply()?.value;
    const message = { type: "here", conversation: isSeen() ? open() : null, writing };
    if (!again && live && told === JSON.stringify(message)) return;
    told = live ? JSON.stringify(message) : "";
    document.body.dispatchEvent(new CustomEvent("live:say", { detail: message }));
  }
  setInterval(() => live && tellWhere(true), 25_000);
  document.addEventListener("input", (event) => {
    if (event.target !== reply()) return;
    typedAt = Date.now();
    tellWhere();
    clearTimeout(stopping);
    stopping = setTimeout(tellWhere, WRITING + 100);
  });
  const names = (members) => members.map((member) => member.name).join(", ").replace(/, ([^,]*)$/, " and $1");
  function company(members) {
    const place = $("#company");
    if (!place) return;
    const writing = members.filter((member) => member.writing), reading = members.filter((member) => !member.writing);
    const are = (some) => (some.length > 1 ? "are" : "is");
    const words = [];
    if (writing.length) words.push(`${names(writing)} ${are(writing)} writing`);
    if (reading.length) words.push(`${names(reading)} ${are(reading)} reading`);
    place.textContent = words.length ? `${words.join(", ")} here.` : "";
  }
  document.body.addEventListener("live:company", ({ detail }) => { if (detail.conversation === open()) company(detail.members); });

  // The list stays where it was scrolled to ---------------------------------------------------------------------------
  const list = $("[data-keep-scroll]");
  if (list) {
    try { list.scrollTop = Number(sessionStorage.getItem("scroll:inbox")) || 0; } catch { /* from the top */ }
    $("[aria-current]", list)?.scrollIntoView({ block: "nearest" });
    list.addEventListener("scroll", () => { try { sessionStorage.setItem("scroll:inbox", String(list.scrollTop)); } catch { /* not kept */ } }, { passive: true });
  }
  restore();
  toEnd();
})();
