// A component's console: a terminal on one hand, the portal's WebSocket on the other. Bytes of the machine are decoded
// here, so that every reader chooses for himself; what is typed is encoded by the portal, because browsers only write
// UTF-8.
const toast = (text, state) => document.dispatchEvent(new CustomEvent("toast", { detail: { text, state } }));

// xterm writes style elements and style attributes, which our policy refuses; style sheets made by script are allowed.
const makeElement = Document.prototype.createElement;
const setAttribute = Element.prototype.setAttribute;

function sheetInstead(element) {
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  Object.defineProperty(element, "textContent", { get: () => "", set: (text) => sheet.replaceSync(text) });
  Object.defineProperty(element, "sheet", { get: () => sheet });
  element.remove = function () {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== sheet);
    Element.prototype.remove.call(this);
  };
  return element;
}

Document.prototype.createElement = function (name, ...rest) {
  const isStyle = String(name).toLowerCase() === "style";
  return isStyle ? sheetInstead(makeElement.call(this, "template")) : makeElement.call(this, name, ...rest);
};
Element.prototype.setAttribute = function (name, value) {
  if (name === "style" && this instanceof HTMLElement) this.style.cssText = value;
  else setAttribute.call(this, name, value);
};

const byId = (id) => document.getElementById(`console-${id}`);
const page = document.getElementById("console");
const texts = JSON.parse(byId("texts").textContent);
const say = (text, names) => text.replace(/%\((\w+)\)s/g, (whole, name) => names[name] ?? whole);
const REMEMBERED = 512 * 1024; // bytes that are decoded anew when another encoding is chosen
const LABELS = { "utf-8": "utf-8", cp932: "shift_jis" }; // as browsers call them
const PASTED_AT_ONCE = 4096; // characters of one message

await document.fonts.load('14px "JetBrains Mono Variable"').catch(() => {});
const terminal = new Terminal({
  fontFamily: getComputedStyle(document.documentElement).getPropertyValue("--mono"),
  fontSize: 14,
  lineHeight: 1.2,
  scrollback: 10000,
  cursorInactiveStyle: "outline",
  disableStdin: true,
  theme: {
    background: "#0b0f14", foreground: "#cfd8e3", cursor: "#7ee2a8", selectionBackground: "#29456b",
    red: "#ff8a84", green: "#7ee2a8", yellow: "#ffb454", blue: "#8ea9ff", brightBlack: "#8a96a8",
  },
});
const fitting = new FitAddon.FitAddon();
terminal.loadAddon(fitting);
terminal.open(document.getElementById("term"));

let socket = null;
let state = null;
let over = ""; // the sentence with which it ended
let decoder = null;
let encoding = "utf-8";
let shown = [];
let shownBytes = 0;
let pinged = null;

// --- what the machine says --------------------------------------------------------------------------------------------
function forget() {
  shown = [];
  shownBytes = 0;
  terminal.reset();
  decoder = new TextDecoder(LABELS[encoding]);
}

function show(bytes) {
  shown.push(bytes);
  shownBytes += bytes.length;
  while (shownBytes > REMEMBERED && shown.length > 1) shownBytes -= shown.shift().length;
  // The decoder keeps the first half of a character until the second one comes, in whatever frame.
  terminal.write(decoder.decode(bytes, { stream: true }));
}

byId("encoding").addEventListener("change", (event) => {
  encoding = event.target.value;
  try {
    localStorage.setItem("console-encoding", encoding);
  } catch {
    // the choice then lasts as long as the page
  }
  terminal.reset();
  decoder = new TextDecoder(LABELS[encoding]);
  for (const bytes of shown) terminal.write(decoder.decode(bytes, { stream: true }));
  terminal.focus();
});

// --- what is typed ----------------------------------------------------------------------------------------------------
const holds = () => state?.phase === "open" && state.holds;

function send(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

function type(text) {
  if (holds()) send({ do: "type", text, encoding });
}

function paste(text) {
  const lines = text.replace(/\r?\n/g, "\r");
  for (let at = 0; at < lines.length; at += PASTED_AT_ONCE) type(lines.slice(at, at + PASTED_AT_ONCE));
}

terminal.onData(type);
terminal.onBinary((text) => {
  if (holds() && socket?.readyState === WebSocket.OPEN) socket.send(Uint8Array.from(text, (one) => one.charCodeAt(0)));
});
terminal.attachCustomKeyEventHandler((event) => {
  if (event.ctrlKey && event.altKey && event.key === "End") {
    if (event.type === "keydown") page.querySelector(".toolbar summary").focus();
    event.preventDefault();
    return false;
  }
  return holds(); // who only watches goes on with Tab as everywhere
});

const FUNCTIONS = ["OP", "OQ", "OR", "OS", "[15~", "[17~", "[18~", "[19~", "[20~", "[21~", "[23~", "[24~"];
document.addEventListener("click", (event) => {
  const key = event.target.closest("[data-key]")?.dataset.key;
  const number = event.target.closest("[data-function]")?.dataset.function;
  if (key === undefined && number === undefined) return;
  if (key === "break") {
    if (holds()) send({ do: "break" });
  } else type(key ?? `\x1b${FUNCTIONS[number - 1]}`);
  const menu = event.target.closest("details");
  if (menu) menu.open = false;
  terminal.focus();
});

byId("copy").addEventListener("click", async () => {
  const text = terminal.getSelection();
  if (!text) {
    toast(texts.nothingMarked, "information");
    return;
  }
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // no clipboard over plain HTTP: the old way, by a field that is marked
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "sr";
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  toast(texts.copied, "normal");
  terminal.focus();
});

byId("paste").addEventListener("click", () => {
  byId("paste-text").value = "";
  byId("paste-dialog").showModal();
  byId("paste-text").focus();
});
byId("paste-send").addEventListener("click", () => {
  byId("paste-dialog").close();
  paste(byId("paste-text").value);
  terminal.focus();
});

// --- size -------------------------------------------------------------------------------------------------------------
function resize() {
  const wanted = byId("size").value;
  if (wanted === "fit") fitting.fit();
  else terminal.resize(...wanted.split("x").map(Number));
  byId("size-now").textContent = `${terminal.cols} × ${terminal.rows}`;
  if (holds()) send({ do: "resize", columns: terminal.cols, rows: terminal.rows });
}

byId("size").addEventListener("change", resize);
addEventListener("resize", resize);
byId("full").addEventListener("click", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else byId("card").requestFullscreen?.();
});
document.addEventListener("fullscreenchange", () => {
  resize();
  terminal.focus();
});

// --- how it is --------------------------------------------------------------------------------------------------------
const time = (text) =>
  new Date(text).toLocaleTimeString(document.documentElement.lang, {
    timeZone: document.body.dataset.timeZone || undefined,
    hour: "2-digit",
    minute: "2-digit",
  });

function amount(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1048576 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1048576).toFixed(1)} MiB`;
}

function note(text, word) {
  byId("note").hidden = !text;
  if (byId("note-text").textContent !== text) byId("note-text").textContent = text;
  byId("take").hidden = !word;
  if (word) byId("take-word").textContent = word;
}

function tag(name, kind, text) {
  const element = document.createElement(name);
  if (kind) element.className = kind;
  if (text !== undefined) element.textContent = text;
  return element;
}

function row(viewer) {
  const item = tag("li");
  const who = tag("span", "fx");
  const picture = tag("span", "avatar", viewer.name.slice(0, 1).toUpperCase());
  picture.setAttribute("aria-hidden", "true");
  who.append(picture, tag("span", "t", viewer.name));
  const doing = viewer.typed ? say(texts.typed, { time: time(viewer.typed) }) : say(texts.since, { time: time(viewer.since) });
  const more = tag("span", "m");
  const words = [viewer.id === state.you ? texts.you : "", viewer.holds ? "" : texts.watches, doing];
  more.append(tag("span", "", words.filter(Boolean).join(" · ")), tag("span", "num", viewer.address ?? ""));
  item.append(who, viewer.holds ? tag("span", "pill st-a", texts.holder) : tag("span"), more);
  return item;
}

function draw() {
  const phase = over ? "ended" : (state?.phase ?? "opening");
  const pill = byId("state");
  const word = phase === "open" && !state.holds ? texts.watching : texts[phase];
  if (pill.textContent !== word) pill.textContent = word;
  pill.className = `pill ${phase === "open" ? "st-n" : phase === "opening" ? "st-i" : "st-u"}`;
  page.dataset.phase = phase;
  page.dataset.holds = holds() ? "yes" : "no";
  terminal.options.disableStdin = !holds();
  terminal.options.cursorBlink = holds();
  byId("connect").hidden = phase !== "ended";
  byId("close").disabled = phase === "ended" || !state?.closes;
  for (const id of ["break", "paste"]) byId(id).disabled = !holds();
  if (state) drawFacts();
  if (phase === "ended") note(over || state?.text || texts[state?.end] || texts.ended, takesFromOther() ? texts.takeOther : "");
  else if (phase === "open" && !state.holds) {
    const held = state.holder ? say(texts.held, { name: state.holder }) : texts.free;
    note(held, state.takes ? (state.holder ? texts.take : texts.takeFree) : "");
  } else if (phase === "open" && !state.available) note(texts.off, "");
  else if (phase === "open" && state.full) note(texts.full, "");
  else note("", "");
}

function drawFacts() {
  byId("viewers").replaceChildren(...state.viewers.map(row));
  byId("count").textContent = state.viewers.length;
  byId("method").textContent = state.method || "–";
  byId("speed").textContent = state.speed
    ? say(texts.bits, { speed: state.speed.toLocaleString(document.documentElement.lang) })
    : "–";
  byId("since").textContent = state.opened ? time(state.opened) : "–";
  byId("received").textContent = amount(state.received);
  byId("sent").textContent = amount(state.sent);
  byId("recording").hidden = state.phase !== "open" || state.transcript === null || state.full;
  const soon = state.phase === "open" && state.idle_in <= 60;
  byId("idle").hidden = !soon;
  byId("idle").textContent = soon ? say(texts.idleSoon, { seconds: state.idle_in }) : "";
}

const takesFromOther = () => state?.phase === "ended" && state.in_use && state.forces;

byId("take").addEventListener("click", () => {
  if (!takesFromOther() && !state.holder) {
    send({ do: "take" });
    terminal.focus();
    return;
  }
  byId("take-text").textContent = takesFromOther() ? texts.takeOtherSure : say(texts.takeSure, { name: state.holder });
  byId("take-dialog").showModal();
});
byId("take-sure").addEventListener("click", () => {
  byId("take-dialog").close();
  if (takesFromOther()) connect(true);
  else send({ do: "take" });
  terminal.focus();
});

function heard(message) {
  switch (message.is) {
    case "state": {
      const gained = !holds() && message.phase === "open" && message.holds;
      state = message;
      draw();
      if (gained) {
        resize();
        if (!document.querySelector("dialog[open]")) terminal.focus();
      }
      break;
    }
    case "pong":
      if (pinged !== null) byId("latency").textContent = `${Math.round(performance.now() - pinged)} ms`;
      pinged = null;
      break;
    case "taken":
      toast(say(texts.taken, { name: message.by }), "warning");
      break;
    case "too_fast":
      toast(texts.tooFast, "warning");
      break;
    case "refused":
      if (message.text) over = message.text;
      else toast(say(texts.mayNot, { name: state.holder }), "warning");
      draw();
      break;
    case "over":
      over = message.text;
      draw();
      break;
  }
}

// --- the connection ---------------------------------------------------------------------------------------------------
function connect(take) {
  state = null;
  over = "";
  pinged = null;
  forget();
  draw();
  const address = new URL(page.dataset.attach, location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  address.search = new URLSearchParams({ interface: page.dataset.interface, ...(take ? { take: 1 } : {}) });
  const opened = new WebSocket(address);
  let met = false;
  socket = opened;
  opened.binaryType = "arraybuffer";
  opened.addEventListener("open", () => {
    met = true;
    ping();
  });
  opened.addEventListener("message", (event) => {
    if (socket !== opened) return;
    if (typeof event.data === "string") heard(JSON.parse(event.data));
    else show(new Uint8Array(event.data));
  });
  opened.addEventListener("close", () => {
    if (socket !== opened) return;
    if (!over && state?.phase !== "ended") over = met ? texts.away : texts.refused;
    draw();
  });
}

function ping() {
  if (pinged !== null || socket?.readyState !== WebSocket.OPEN) return;
  pinged = performance.now();
  send({ do: "ping", n: 1 });
}

byId("connect").addEventListener("click", () => connect(false));
byId("close").addEventListener("click", () => send({ do: "close" }));
byId("help-open").addEventListener("click", () => {
  const drawer = document.getElementById("drawer");
  drawer.dataset.closeUrl = location.href;
  drawer.replaceChildren(byId("help").content.cloneNode(true));
  drawer.hidden = false;
  drawer.querySelector("[data-act=close-drawer]").focus();
});

try {
  const kept = localStorage.getItem("console-encoding");
  if (kept in LABELS) byId("encoding").value = encoding = kept;
} catch {
  // the usual one will do
}
window.consoleTerminal = terminal; // for who looks at the page with tools
resize();
connect(false);
setInterval(ping, 10000);
