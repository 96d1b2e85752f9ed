// Watches over the session of an open page, in the dashboard and in classic mode. What counts is what the portal says:
// tabs on other ports cannot be heard here. Two minutes before the end a dialog asks; what was typed is kept by drafts.js,
// which hears "session-over" before the page is left.

const box = document.getElementById("idle"); // somebody is signed in
const entry = document.getElementById("sign-in"); // the sign-in page
const tabs = "BroadcastChannel" in window ? new BroadcastChannel("session") : null;
const AUTOMATIC = { "X-Automatic": "1" }; // such a request is nobody's doing
const LOOK_EVERY = 60_000; // while the page is seen
const LOOK_AGAIN = 10_000; // while the dialog asks, and after a failure

async function ask(url, headers) {
  const answer = await fetch(url, { headers, cache: "no-store" });
  const told = await answer.json().catch(() => ({}));
  return { signedIn: answer.ok, refused: answer.status === 401, ...told };
}

if (box) watch();
else if (entry) waitForOthers();

function watch() {
  const { url, login, leftCookie } = box.dataset;
  const left = document.getElementById("idle-left");
  const said = document.getElementById("idle-said");
  const before = box.querySelector("[autofocus]");
  let endsAt = 0;
  let warnBefore = 0;
  let timer = 0;
  let ticking = 0;
  let lookedAt = Date.now();
  let asked = 0;
  let heard = 0;
  let leaving = false;
  let quiet = false; // the dialog was closed, and there is nothing to decide

  function learn({ user, seconds, warn_before, extendable }) {
    if (String(user) !== box.dataset.user) {
      location.reload(); // somebody else has signed in meanwhile: this page is not his
      return;
    }
    endsAt = Date.now() + seconds * 1000;
    warnBefore = warn_before * 1000;
    for (const part of box.querySelectorAll("[data-when]")) part.hidden = (part.dataset.when === "extendable") !== extendable;
    if (seconds > warn_before) calm();
    else warn();
  }

  function calm() {
    clearInterval(ticking);
    ticking = 0;
    quiet = false;
    if (box.open) box.close();
    said.textContent = "";
    clearTimeout(timer);
    timer = setTimeout(look, Math.min(2 ** 31 - 1, Math.max(1000, endsAt - warnBefore - Date.now())));
  }

  function warn() {
    clearTimeout(timer);
    if (!box.open && !quiet) {
      box.showModal();
      [before, ...box.querySelectorAll("button")].find((button) => button && !button.hidden)?.focus();
    }
    if (!ticking) ticking = setInterval(tick, 1000);
    tick();
  }

  function tick() {
    const seconds = Math.max(0, Math.ceil((endsAt - Date.now()) / 1000));
    left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    // every second is shown, and only now and then said
    if ([90, 60, 30, 10].includes(seconds)) said.textContent = said.dataset.pattern.replace("%n", seconds);
    if (seconds === 0 || Date.now() - lookedAt >= LOOK_AGAIN) look();
  }

  async function look(headers = AUTOMATIC) {
    const mine = (asked += 1);
    lookedAt = Date.now();
    try {
      const answer = await ask(url, headers);
      if (mine < heard) return; // a later question was answered first
      heard = mine;
      if (answer.signedIn) learn(answer);
      else if (answer.refused) over(answer.ended);
    } catch {
      clearTimeout(timer);
      timer = setTimeout(() => look(), LOOK_AGAIN); // the network is away: the session may well go on
    }
  }

  function over(why) {
    if (leaving) return;
    leaving = true;
    const byHand = document.cookie.split("; ").some((cookie) => cookie.startsWith(`${leftCookie}=`));
    document.dispatchEvent(new CustomEvent("session-over", { detail: { byHand } }));
    const reason = why || (Date.now() >= endsAt - 2000 ? "idle" : "");
    const back = new URLSearchParams({ ...(reason && { ended: reason }), next: location.pathname + location.search });
    location.assign(byHand ? login : `${login}?${back}`);
  }

  async function stay() {
    await look({});
    tabs?.postMessage("active");
  }
  document.getElementById("idle-stay").addEventListener("click", stay);
  document.getElementById("idle-close").addEventListener("click", () => {
    quiet = true;
    box.close();
  });
  box.addEventListener("cancel", (event) => {
    event.preventDefault();
    document.getElementById(before.hidden ? "idle-close" : "idle-stay").click();
  });

  // what a person does on the page is told now and then, and the last of it before it is forgotten
  const tellEvery = Math.min(60_000, Number(box.dataset.idleAfter) * 250);
  let toldAt = Date.now();
  let telling = 0;
  function tell() {
    telling = 0;
    toldAt = Date.now();
    look({});
    tabs?.postMessage("active");
  }
  for (const act of ["keydown", "pointerdown", "wheel", "input"]) {
    addEventListener(
      act,
      (event) => {
        if (!event.isTrusted || box.open || telling) return;
        telling = setTimeout(tell, Math.max(0, toldAt + tellEvery - Date.now()));
      },
      { capture: true, passive: true },
    );
  }

  tabs?.addEventListener("message", () => setTimeout(look, Math.random() * 500));
  document.addEventListener("visibilitychange", () => document.hidden || look());
  addEventListener("pageshow", ({ persisted }) => persisted && look());
  setInterval(() => document.hidden || box.open || look(), LOOK_EVERY);

  learn({
    user: box.dataset.user,
    seconds: Number(box.dataset.seconds),
    warn_before: Number(box.dataset.warnBefore),
    extendable: box.dataset.extendable === "yes",
  });
  tabs?.postMessage("active");
  // a page out of the history was not asked for: it may be older than the sign-out
  if (performance.getEntriesByType("navigation")[0]?.type === "back_forward") look();
}

function waitForOthers() {
  // the tabs that were signed in look for themselves; when one of them signs in again, so has this one
  async function look() {
    const answer = await ask(entry.dataset.sessionUrl, AUTOMATIC).catch(() => ({}));
    if (answer.signedIn) location.reload();
  }
  tabs?.postMessage("over");
  tabs?.addEventListener("message", ({ data }) => data === "active" && look());
  document.addEventListener("visibilitychange", () => document.hidden || look());
}
