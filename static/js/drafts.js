// Keeps what was typed over a log-out: in this tab's sessionStorage, for the same user and page, until he signs in again.
// Nothing is kept of passwords and of any field that says how browsers may complete it, as fields of secrets do; nothing is
// kept when somebody signs out by hand, and nobody else gets it.

const KEY = "draft";
const LARGEST = 200_000; // characters
const NEVER = /^(password|hidden|file|submit|button|reset|image)$/;
const user = document.getElementById("idle")?.dataset.user;
const entry = document.getElementById("sign-in");
const here = location.pathname + location.search;

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY));
  } catch {
    return null;
  }
}

function write(draft) {
  try {
    const text = JSON.stringify(draft);
    if (draft && text.length <= LARGEST) sessionStorage.setItem(KEY, text);
    else sessionStorage.removeItem(KEY);
  } catch {
    // storage is switched off or full: nothing is kept
  }
}

const isKept = (field) =>
  field.name && !NEVER.test(field.type) && !field.hasAttribute("autocomplete") && field.dataset.confirm === undefined;

/** Gives the forms that send something, by a name that a later load of the page gives them, too. */
function forms() {
  const found = new Map();
  for (const form of document.forms) {
    if (form.method !== "post" && !form.hasAttribute("hx-post")) continue;
    if (form.closest("#idle")) continue;
    const name = form.id || form.getAttribute("hx-post") || form.getAttribute("action") || "";
    let number = 0;
    while (found.has(`${name} ${number}`)) number += 1;
    found.set(`${name} ${number}`, form);
  }
  return found;
}

/** Gives the fields of a form that may be kept; those of one name are numbered, boxes go by their value. */
function fields(form) {
  const found = new Map();
  for (const field of form.elements) {
    if (!isKept(field)) continue;
    const name = /^(checkbox|radio)$/.test(field.type) ? `${field.name}=${field.value}` : field.name;
    let number = 0;
    while (found.has(`${name} ${number}`)) number += 1;
    found.set(`${name} ${number}`, field);
  }
  return found;
}

const isBox = (field) => /^(checkbox|radio)$/.test(field.type);
const chosen = (field) => [...field.options].filter((option) => option.selected).map((option) => option.value);
const valueOf = (field) => (isBox(field) ? field.checked : field.options ? chosen(field) : field.value);

function isTouched(field) {
  if (isBox(field)) return field.checked !== field.defaultChecked;
  if (field.options) return [...field.options].some((option) => option.selected !== option.defaultSelected);
  return field.value !== field.defaultValue;
}

function collect() {
  const kept = {};
  for (const [name, form] of forms()) {
    // what a form that came back with a complaint shows was typed, too
    const all = form.querySelector('[aria-invalid="true"], .errorlist') !== null;
    const typed = [...fields(form)].filter(([, field]) => all || isTouched(field));
    if (typed.length) kept[name] = Object.fromEntries(typed.map(([key, field]) => [key, valueOf(field)]));
  }
  return kept;
}

function keep(sent) {
  const kept = collect();
  write(Object.keys(kept).length ? { user, page: here, sent, kept } : null);
}

function put(field, value) {
  if (isBox(field)) field.checked = value;
  else if (field.options) for (const option of field.options) option.selected = value.includes(option.value);
  else field.value = value;
  for (const type of ["input", "change"]) field.dispatchEvent(new Event(type, { bubbles: true }));
}

/** Fills the forms that are there; those of a dialog wait until it opens. */
function giveBack(kept) {
  let given = false;
  for (const [name, form] of forms()) {
    if (!kept[name]) continue;
    const present = fields(form);
    for (const [key, value] of Object.entries(kept[name])) if (present.has(key)) put(present.get(key), value);
    delete kept[name];
    const note = document.getElementById("drafts-note");
    if (note && !given) {
      form.prepend(note);
      note.hidden = false;
    }
    given = true;
  }
}

if (entry) {
  const draft = read();
  // what was sent after the end of the session did not arrive
  if (draft) write(entry.dataset.left === "yes" ? null : { ...draft, sent: false });
} else if (user) {
  const draft = read();
  if (draft && (draft.user !== user || draft.sent)) write(null);
  else if (draft?.page === here) {
    write(null);
    giveBack(draft.kept);
    document.addEventListener("htmx:afterSettle", () => giveBack(draft.kept));
  }
  document.addEventListener("session-over", ({ detail }) => (detail.byHand ? write(null) : keep(false)));
  document.addEventListener(
    "submit",
    ({ target }) => {
      if (/\/logout\/$/.test(target.action)) write(null);
      else if (target.method === "post" || target.hasAttribute("hx-post")) keep(true);
    },
    true,
  );
}
