// The frame of every page: colours, menus, drawer, dialogs, toasts, keys. No handler stands in the markup; elements say
// what they want with data-act, so that the content security policy needs no exception.

const one = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

const actions = {
  theme() {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try {
      localStorage.setItem("theme", root.dataset.theme);
    } catch {
      // the choice then lasts as long as the page
    }
    document.dispatchEvent(new CustomEvent("theme-changed"));
  },
  nav(button) {
    button.setAttribute("aria-expanded", String(document.body.classList.toggle("nav-open")));
  },
  "close-drawer": (button) => closeDrawer(button.closest(".drawer")),
  "close-dialog": (button) => button.closest("dialog").close(),
  dialog: (button) => document.getElementById(button.dataset.for)?.showModal(),
  "close-toast": (button) => button.closest(".toast").remove(),
  print: () => print(),
  back: () => history.back(),
  "to-top": () => scrollTo({ top: 0 }),
  async copy(button) {
    const source = button.dataset.for ? document.getElementById(button.dataset.for) : null;
    const text = button.dataset.text ?? source?.value ?? source?.textContent.trim() ?? "";
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // no clipboard over plain HTTP: mark the text instead, so that the user's own copy key works
      if (source) getSelection().selectAllChildren(source);
      return;
    }
    if (button.dataset.done) toast(button.dataset.done, "normal");
  },
};

document.addEventListener("click", (event) => {
  for (const menu of all("details.dd[open]")) if (!menu.contains(event.target)) menu.open = false;
  const button = event.target.closest("[data-act]");
  const act = button && actions[button.dataset.act];
  if (!act) return;
  event.preventDefault();
  act(button);
});

document.addEventListener("keydown", (event) => {
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.target.isContentEditable;
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    one(".gsearch input")?.focus();
  }
  if (event.key === "Escape" && !one("dialog[open]")) {
    const menu = one("details.dd[open]");
    if (menu) {
      menu.open = false;
      one("summary", menu).focus();
      return;
    }
    if (document.body.classList.contains("nav-open")) one(".burger").click();
    else closeDrawer(one(".drawer:not([hidden])"));
  }
});

// --- drawer: opened by whatever is swapped into it; closing gives the address and the focus back ----------------------
let opener = null;
let addressBefore = null;

document.addEventListener("htmx:beforeRequest", (event) => {
  const target = event.detail.target;
  if (!target?.classList?.contains("drawer") || target.contains(event.detail.elt)) return;
  if (target.hidden) addressBefore = location.href;
  opener = event.detail.elt.id || event.detail.elt;
});

document.addEventListener("htmx:afterSwap", (event) => {
  const target = event.detail.target;
  if (target?.classList?.contains("drawer")) {
    target.hidden = false;
    if (!target.contains(document.activeElement)) one("[data-act=close-drawer]", target)?.focus({ preventScroll: true });
  }
  openDialogs(document);
});

function closeDrawer(drawer) {
  if (!drawer) return;
  drawer.hidden = true;
  drawer.replaceChildren();
  const address = drawer.dataset.closeUrl ?? addressBefore;
  if (address && address !== location.href) history.replaceState(history.state, "", address);
  for (const row of all("tr[aria-selected=true]:not([data-ticked])")) row.removeAttribute("aria-selected");
  const back = typeof opener === "string" ? document.getElementById(opener) : opener;
  if (back?.isConnected) back.focus({ preventScroll: true });
  opener = addressBefore = null;
}

// --- what matters in something wide is seen first: the tab that is open, today -----------------------------------------
for (const part of all(".tabs [aria-current], [data-in-view]")) {
  const box = part.closest(".tabs, .scroll");
  if (!box || box.scrollWidth <= box.clientWidth) continue;
  const { left } = part.getBoundingClientRect();
  box.scrollLeft += left - box.getBoundingClientRect().left - box.clientWidth / 4;
}

// --- dialogs: those marked open by themselves; one that came from the server goes away when it closes -----------------
function openDialogs(root) {
  for (const dialog of all("dialog[data-modal]:not([open])", root)) {
    const menu = document.activeElement?.closest("details.dd[open]");
    if (menu) {
      // what was chosen from it is open now; the focus comes back to what opened the menu
      menu.open = false;
      one("summary", menu).focus();
    }
    dialog.showModal();
    dialog.addEventListener("close", () => dialog.parentElement?.id === "modal" && dialog.remove(), { once: true });
  }
}

document.addEventListener("input", (event) => {
  const words = event.target.dataset?.confirm;
  if (words === undefined) return;
  const armed = one("[data-arm]", event.target.closest("dialog") ?? event.target.closest("form"));
  if (armed) armed.disabled = event.target.value.trim() !== words;
});

// a form that changes something is sent once, however often its button is pressed
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.querySelector("[name=theme]")) {
    try {
      localStorage.removeItem("theme");
    } catch {
      // nothing was stored
    }
  }
  if (form.method !== "post" || event.defaultPrevented || form.matches("[hx-post], [data-again]")) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
addEventListener("pageshow", () => all("form[data-sent]").forEach((form) => delete form.dataset.sent));

/** Of the parameters of all drivers shows those of the chosen one; without scripts all are there. */
function showParameters(drivers) {
  for (const part of all(".if-driver", drivers.closest(".if"))) part.hidden = part.dataset.driver !== drivers.value;
}
const DRIVERS = '.if select[name$="-driver"]';
document.addEventListener("change", ({ target }) => target.matches(DRIVERS) && showParameters(target));
addEventListener("pageshow", () => all(DRIVERS).forEach(showParameters));

// a filter that says nothing does not stand in the address
document.addEventListener("formdata", ({ target, formData }) => {
  if (!target.matches("[data-lean]")) return;
  for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
});

// --- toasts -----------------------------------------------------------------------------------------------------------
const CODES = { critical: "c", failed: "c", warning: "w", information: "i", normal: "n", done: "n" };

export function toast(text, state = "information") {
  const box = one("#toasts");
  const shape = one("#toast-shape");
  if (!box || !shape || !text) return;
  const note = shape.content.firstElementChild.cloneNode(true);
  note.classList.add(`st-${CODES[state] ?? "i"}`);
  one("p", note).textContent = text;
  box.append(note);
  if (state !== "critical" && state !== "failed") setTimeout(() => note.remove(), 8000);
  while (all(".toast", box).length > 4) one(".toast", box).remove();
}

// the server says {"toast": "words"} or {"toast": {"text": "words", "state": "warning"}} in HX-Trigger
document.addEventListener("toast", (event) => toast(event.detail.text ?? event.detail.value, event.detail.state));

const automatic = (detail) => detail.requestConfig?.headers?.["X-Automatic"] === "1";

document.addEventListener("htmx:responseError", (event) => {
  if (automatic(event.detail)) return;
  const answer = event.detail.xhr;
  const plain = answer.getResponseHeader("Content-Type")?.startsWith("text/plain");
  toast(plain ? answer.responseText : document.body.dataset.failed, "critical");
});
document.addEventListener("htmx:sendError", (event) => {
  if (!automatic(event.detail)) toast(document.body.dataset.failed, "critical");
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail;
  // a whole error page has no place inside a part of the page
  if (xhr.status >= 400 && /^\s*<!doctype/i.test(xhr.responseText)) {
    event.detail.shouldSwap = false;
    event.detail.isError = true;
  }
});

openDialogs(document);

// A list of sections marks the one that is being read: the last that began above a third of the screen.
for (const list of all("nav[data-follow]")) {
  const links = all("a[href^='#']", list);
  const heads = links.map((link) => document.getElementById(link.hash.slice(1)));
  const mark = () => {
    const atEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 2 && scrollY > 0;
    const begun = heads.filter((head) => head.getBoundingClientRect().top < innerHeight / 3).length;
    const current = atEnd ? links.length - 1 : Math.max(begun - 1, 0);
    links.forEach((link, place) => {
      if (place === current) link.setAttribute("aria-current", "location");
      else link.removeAttribute("aria-current");
    });
  };
  addEventListener("scroll", mark, { passive: true });
  mark();
}
