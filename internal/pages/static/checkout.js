// The script of the checkout page: counts down, copies, and keeps the page true.
// The server renders everything; when the state changes, this reads the page
// again and exchanges the parts marked data-live.
(function () {
  "use strict";

  const body = document.body;
  const query = new URLSearchParams(location.search);
  const id = query.get("id");
  const modal = query.get("view") === "modal" && window.parent !== window;
  const clockSkew = Number(body.dataset.now) - Date.now(); // the server's clock is the one that counts
  const $ = (s) => document.querySelector(s);

  let known = $("#state").dataset.json; // the state that the page shows
  let told = "";                        // the status the shop's page was told last
  let paidTold = false;
  let reading = false;
  let again = false;

  // ---- the shop's page around us

  function post(message) {
    if (modal) window.parent.postMessage(message, "*");
  }

  // Shops listen for "paid"; an invoice that trusts a payment on sight skips it.
  function tell(state) {
    if (state.status === told) return;
    told = state.status;
    const settled = ["paid", "confirmed", "complete"].includes(state.status);
    const list = settled && !paidTold && state.status !== "paid" ? ["paid", state.status] : [state.status];
    paidTold = paidTold || settled;
    for (const status of list) {
      post(status);
      post({ status: status, invoiceId: state.id, exceptionStatus: state.exceptionStatus });
    }
  }

  // ---- keeping the page true

  async function refresh() {
    if (reading) { again = true; return; }
    reading = true;
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!page.querySelector("#state")) { location.reload(); return; }
      exchange(page);
      online(true);
    } catch {
      online(false);
    } finally {
      reading = false;
      if (again) { again = false; refresh(); }
    }
  }

  function exchange(page) {
    const focused = document.activeElement && document.activeElement.id;
    for (const fresh of page.querySelectorAll("[data-live]")) {
      const old = document.getElementById(fresh.id);
      if (!old) continue;
      for (const a of fresh.attributes) if (old.getAttribute(a.name) !== a.value) old.setAttribute(a.name, a.value);
      if (fresh.querySelector("[data-live]")) {
        // Only its own parts: a part inside may be announced and must stay itself.
        const mark = old.querySelector(".mark");
        if (mark && mark.innerHTML !== fresh.querySelector(".mark").innerHTML) mark.innerHTML = fresh.querySelector(".mark").innerHTML;
      } else if (served.get(fresh.id) !== fresh.innerHTML) {
        old.innerHTML = fresh.innerHTML;
      }
      served.set(fresh.id, fresh.innerHTML);
    }
    const lost = focused && document.activeElement === body && document.getElementById(focused);
    if (lost) lost.focus();
    known = $("#state").dataset.json;
    tell(JSON.parse(known));
    dress();
  }

  // What the server sent last for each part, before this script touched it.
  const served = new Map();
  for (const part of document.querySelectorAll("[data-live]")) served.set(part.id, part.innerHTML);

  function news(json) {
    online(true);
    if (json !== known) refresh();
  }

  let poller = 0;
  function poll() {
    if (poller) return;
    poller = setInterval(async () => {
      try {
        const answer = await fetch("/invoice/state?id=" + encodeURIComponent(id), { cache: "no-store" });
        if (answer.ok) news(await answer.text());
      } catch { online(false); }
    }, 4000);
  }

  function listen() {
    if (!window.EventSource) { poll(); return; }
    const source = new EventSource("/invoice/live?id=" + encodeURIComponent(id));
    source.addEventListener("state", (e) => { clearInterval(poller); poller = 0; news(e.data); });
    // While the stream is away the state is asked for; the browser keeps trying.
    source.onerror = poll;
    addEventListener("pagehide", () => source.close());
    addEventListener("pageshow", (e) => { if (e.persisted) location.reload(); });
  }

  // ---- messages to the buyer

  function problem(text) {
    const p = $("#problem");
    p.textContent = text;
    p.hidden = !text;
  }
  let offline = false;
  function online(yes) {
    if (yes === !offline) return;
    offline = !yes;
    problem(offline ? body.dataset.offline : "");
  }

  // ---- the clock

  function tick() {
    const timer = $("[data-expires]");
    if (!timer) return;
    const left = Math.max(0, Number(timer.dataset.expires) - Date.now() - clockSkew);
    const seconds = Math.ceil(left / 1000);
    const h = Math.floor(seconds / 3600), m = Math.floor(seconds / 60) % 60, s = seconds % 60;
    const pad = (n) => String(n).padStart(2, "0");
    const clock = timer.querySelector(".clock");
    clock.textContent = h ? h + ":" + pad(m) + ":" + pad(s) : m + ":" + pad(s);
    clock.hidden = false;
    timer.querySelector(".left").style.strokeDashoffset = 100 - 100 * Math.min(1, left / Number(timer.dataset.window));
    timer.classList.toggle("short", left < 120000);
    if (left === 0 && !timer.dataset.over) { timer.dataset.over = "yes"; setTimeout(refresh, 300); }
  }

  // ---- copying

  async function copy(button) {
    let done = true;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      done = copyOldWay(button); // without TLS there is no clipboard API
    }
    button.textContent = done ? body.dataset.copied : body.dataset.copyFailed;
    button.classList.toggle("done", done);
    clearTimeout(button.timer);
    button.timer = setTimeout(() => { button.textContent = button.label; button.classList.remove("done"); }, 2500);
  }
  function copyOldWay(button) {
    const field = document.createElement("textarea");
    field.value = button.dataset.copy;
    document.body.append(field);
    field.select();
    let done = false;
    try { done = document.execCommand("copy"); } catch { /* told to the buyer below */ }
    field.remove();
    button.focus();
    return done;
  }

  // ---- forms without leaving the page

  async function send(form, button) {
    const data = new URLSearchParams(new FormData(form, button));
    for (const b of form.querySelectorAll("button")) b.disabled = true;
    problem("");
    try {
      const answer = await fetch(form.action, { method: "POST", body: data, headers: { Accept: "application/json" } });
      const said = await answer.json();
      if (!answer.ok) problem(body.dataset.failed.replace("{error}", said.message || answer.status));
    } catch {
      online(false);
    }
    for (const b of form.querySelectorAll("button")) b.disabled = false;
    refresh();
  }

  // ---- back to the shop

  let leaving = 0;
  function autoRedirect() {
    const link = $("#back[data-auto]"), notice = $("#redirect");
    if (!link || !notice || leaving) return;
    let seconds = 5;
    const say = () => { notice.firstElementChild.textContent = body.dataset.soon.replace("{seconds}", seconds); };
    say();
    notice.hidden = false;
    leaving = setInterval(() => {
      if (--seconds > 0) { say(); return; }
      clearInterval(leaving);
      // A page inside a shop's page cannot send that one away; the shop does.
      if (modal) post("close"); else location.assign(link.href);
    }, 1000);
    notice.querySelector("button").onclick = () => { clearInterval(leaving); notice.hidden = true; link.focus(); };
  }

  // dress adds what only works with a script to freshly rendered parts.
  function dress() {
    for (const b of document.querySelectorAll("button[data-copy]")) {
      if (b.label) continue;
      b.label = b.textContent;
      b.hidden = false;
    }
    const close = $("#close");
    if (close && modal) close.hidden = false;
    tick();
    autoRedirect();
  }

  document.addEventListener("click", (e) => {
    const button = e.target.closest("button");
    if (!button) return;
    if (button.dataset.copy) copy(button);
    if (button.id === "close") post("close");
  });
  document.addEventListener("submit", (e) => {
    if (!e.target.matches("[data-async]")) return;
    e.preventDefault();
    send(e.target, e.submitter);
  });
  document.addEventListener("keydown", (e) => { if (e.key === "Escape" && modal) post("close"); });

  body.classList.add("timed");
  setInterval(tick, 1000);
  dress();
  tell(JSON.parse(known));
  if (id) listen();
})();
