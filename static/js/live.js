// The page's socket. It tells of changes by DOM events on <body>, and is opened again when it breaks:
//   live:changed  {subject, parts}, or null when anything may have changed
//   live:company  {conversation, members: [{name, writing}]}
//   live:state    {live}
// What is dispatched as live:say is sent, when there is a socket.
(() => {
  const { body } = document;
  if (!body.dataset.live) return;
  const address = new URL(body.dataset.live, location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  const PING = 25_000, SILENT = 60_000, HANDSHAKE = 10_000, LONGEST = 60_000, NEVER_HAD = 300_000;
  // Signed out, not allowed, no such account, suspended: trying again would change nothing.
  const FINAL = [4401, 4403, 4404, 4423];
  let seq = Number(body.dataset.liveSeq) || 0;
  let socket = null, over = false, live = false, tries = 0, everHad = false, heardAt = 0, timer = 0;

  const emit = (name, detail = null) => body.dispatchEvent(new CustomEvent(`live:${name}`, { detail }));
  const say = (message) => { if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message)); };
  const be = (now) => { if (live !== now) { live = now; emit("state", { live }); } };

  const hear = {
    resumed(message) {
      tries = 0;
      everHad = true;
      seq = message.seq;
      be(true);
      if (message.missed) emit("changed");
    },
    changed(message) {
      const gap = message.seq > seq + 1;
      seq = Math.max(seq, message.seq);
      if (gap || !message.changes.length) emit("changed");
      else message.changes.forEach((change) => emit("changed", change));
    },
    stale(message) { seq = Math.max(seq, message.seq); emit("changed"); },
    presence(message) { emit("company", message); },
    pong() { /* a sign of life, as every message is */ },
    error(message) { console.warn(`Live updates: ${message.code} ${message.detail}`); },
  };

  function open() {
    clearTimeout(timer);
    if (socket || over) return;
    let mine;
    try { mine = socket = new WebSocket(address); } catch { return; }
    const patience = setTimeout(() => mine.close(), HANDSHAKE);
    mine.onopen = () => { clearTimeout(patience); heardAt = Date.now(); say({ type: "resume", after: seq }); };
    mine.onmessage = ({ data }) => { heardAt = Date.now(); const message = JSON.parse(data); hear[message.type]?.(message); };
    mine.onclose = ({ code }) => {
      clearTimeout(patience);
      if (socket !== mine) return;
      socket = null;
      be(false);
      if (FINAL.includes(code)) { over = true; return; }
      const most = everHad ? LONGEST : NEVER_HAD;
      timer = setTimeout(open, Math.min(most, 1000 * 2 ** tries++) * (0.5 + Math.random() / 2));
    };
  }
  function close() { clearTimeout(timer); const mine = socket; socket = null; mine?.close(); be(false); }

  setInterval(() => {
    if (!socket || socket.readyState !== WebSocket.OPEN) return;
    // Gone without a farewell: the network changed, or the machine slept.
    if (Date.now() - heardAt > SILENT) { close(); open(); } else say({ type: "ping" });
  }, PING);
  body.addEventListener("live:say", (event) => say(event.detail));
  window.addEventListener("online", open);
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible" && everHad && timer && !socket) open(); });
  open();
})();
