// Keeps an open page current. The stream only says that something changed; regions then fetch themselves:
// hx-get="…" hx-trigger="sse:alert" hx-swap="morph:innerHTML". While the stream is closed, every region that waits for
// it asks by itself. A region in which somebody works (ticked rows, a field in use, an open menu) is left alone and
// catches up afterwards; so is a list with data-hold while its reader is not at the top of the page. Meanwhile the
// element with data-news-of="<its id>" asks how much is new.

const regions = () => [...document.querySelectorAll('[hx-trigger*="sse:"]')];
const pollSeconds = Math.max(5, Number(document.body.dataset.pollSeconds) || 60);
const waiting = new Set();
let open = false;
let opened = false;

const eventsOf = (region) => region.getAttribute("hx-trigger")?.match(/sse:[\w-]+/g) ?? [];

function refresh(region) {
  const [event] = eventsOf(region);
  if (event && region.isConnected) window.htmx?.trigger(region, event);
}

function inUse(region) {
  if (region.querySelector("input[data-row]:checked, details.dd[open], dialog[open]")) return true;
  const focus = document.activeElement;
  if (!focus || focus === region || !region.contains(focus)) return false;
  if (focus.matches("textarea, select")) return true;
  return focus.matches("input") && !/^(checkbox|radio|button|submit|reset)$/.test(focus.type);
}

const AT_TOP = 8; // pixels

function isAway(region) {
  if (region.dataset.hold === undefined) return false;
  const inner = region.querySelector(".scroll");
  return scrollY > AT_TOP || (inner !== null && inner.scrollTop > AT_TOP);
}

const isHeld = (region) => inUse(region) || isAway(region);

function isAutomatic(event) {
  return !event || /^(sse:|htmx:|every|load)/.test(event.type);
}

document.addEventListener("htmx:configRequest", (event) => {
  // idle log-out counts what a person does; these requests are nobody's doing
  if (isAutomatic(event.detail.triggeringEvent)) event.detail.headers["X-Automatic"] = "1";
});

document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt, target, requestConfig } = event.detail;
  if (!isAutomatic(requestConfig.triggeringEvent)) return;
  if (elt.dataset.newsOf !== undefined) {
    // the list says by itself what is new, unless it is held
    const list = document.getElementById(elt.dataset.newsOf);
    if (document.hidden || !list || !isHeld(list)) event.preventDefault();
  } else if (document.hidden || isHeld(target ?? elt)) {
    event.preventDefault();
    waiting.add(elt);
  }
});

document.addEventListener("htmx:beforeSwap", (event) => {
  // somebody began to work in it while the answer was under way
  const { target, requestConfig } = event.detail;
  const elt = requestConfig?.elt;
  if (!elt || !eventsOf(elt).length || !isAutomatic(requestConfig.triggeringEvent) || !inUse(target)) return;
  event.detail.shouldSwap = false;
  waiting.add(elt);
});

function catchUp() {
  if (document.hidden) return;
  for (const region of waiting) {
    if (region.isConnected && isHeld(region)) continue;
    waiting.delete(region);
    refresh(region);
  }
}

document.addEventListener("visibilitychange", catchUp);
document.addEventListener("change", () => setTimeout(catchUp));
document.addEventListener("focusout", () => setTimeout(catchUp));
document.addEventListener("toggle", () => setTimeout(catchUp), true);
document.addEventListener("selection-cleared", catchUp);
addEventListener("scroll", () => waiting.size && scrollY <= AT_TOP && catchUp(), { passive: true });

// --- the stream -------------------------------------------------------------------------------------------------------
function show(state) {
  for (const mark of document.querySelectorAll("[data-live]")) {
    mark.dataset.state = state;
    mark.textContent = mark.dataset[{ live: "on", polling: "polling", lost: "lost" }[state]];
  }
}

document.addEventListener("htmx:sseOpen", () => {
  open = true;
  show("live");
  // what was said meanwhile was not heard; at the first time only regions ask that may be over by now
  for (const region of regions()) if (opened || region.dataset.soonOver !== undefined) refresh(region);
  opened = true;
});

function closed() {
  if (open || !opened) show(navigator.onLine ? "polling" : "lost");
  open = false;
}
document.addEventListener("htmx:sseError", closed);
document.addEventListener("htmx:sseClose", closed);
addEventListener("offline", () => show("lost"));
addEventListener("online", () => show(open ? "live" : "polling"));

const streamExpected = document.querySelector("[sse-connect]") !== null;
setInterval(() => {
  if (streamExpected && !open && !document.hidden) regions().forEach(refresh);
}, pollSeconds * 1000);

document.addEventListener("htmx:sendError", () => show("lost"));
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful && document.querySelector('[data-live][data-state="lost"]')) show(open ? "live" : "polling");
});

// --- elapsed times go on while the page stands ------------------------------------------------------------------------
const patterns = JSON.parse(document.body.dataset.agoPatterns || "{}");
const numbers = new Intl.NumberFormat(document.documentElement.lang || "en", { useGrouping: false });
const LENGTHS = [
  ["d", 86400],
  ["h", 3600],
  ["min", 60],
  ["s", 1],
];

function ago(milliseconds) {
  const seconds = Math.abs(milliseconds) / 1000;
  const [unit, length] = LENGTHS.find(([, size]) => seconds >= size) ?? [];
  if (!unit) return patterns.now;
  return patterns[milliseconds < 0 ? `in_${unit}` : unit]?.replace("%(n)s", numbers.format(Math.floor(seconds / length)));
}

setInterval(() => {
  if (document.hidden) return;
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const text = ago(Date.now() - Date.parse(time.dateTime));
    if (text && time.textContent !== text) time.textContent = text;
  }
}, 10_000);
