// Choosing rows, and moving through cells with the arrow keys.
//
// <form data-select> … <input type="checkbox" data-check-all> … <input type="checkbox" name="ids" data-row> …
// <div class="bulk" data-bulk hidden><b data-count data-pattern="%n selected"></b> … </div></form>

const numbers = new Intl.NumberFormat(document.documentElement.lang || "en");
const all = (selector, root) => [...root.querySelectorAll(selector)];
let lastBox = null;

const rowsOf = (area) => all("input[data-row]", area);

function update(area) {
  const rows = rowsOf(area);
  const ticked = rows.filter((box) => box.checked);
  for (const box of rows) {
    const row = box.closest("tr, li");
    row?.toggleAttribute("data-ticked", box.checked);
    if (box.checked) row?.setAttribute("aria-selected", "true");
    else row?.removeAttribute("aria-selected");
  }
  const every = area.querySelector("input[data-check-all]");
  if (every) {
    every.checked = rows.length > 0 && ticked.length === rows.length;
    every.indeterminate = ticked.length > 0 && ticked.length < rows.length;
  }
  const scope = area.querySelector("input[data-scope]");
  const matching = scope?.value === "filter";
  const bar = area.querySelector("[data-bulk]");
  if (bar) bar.hidden = ticked.length === 0;
  const count = area.querySelector("[data-count]");
  if (count) {
    const number = matching ? Number(scope.dataset.total) : ticked.length;
    count.textContent = count.dataset.pattern.replace("%n", numbers.format(number));
  }
  if (ticked.length === 0) document.dispatchEvent(new CustomEvent("selection-cleared"));
}

function onlyThese(area) {
  const scope = area.querySelector("input[data-scope]");
  if (scope) scope.value = "ids";
}

document.addEventListener("click", (event) => {
  const box = event.target.closest?.("input[data-row]");
  const area = event.target.closest?.("[data-select]");
  if (box && area) {
    const rows = rowsOf(area);
    const [from, to] = [rows.indexOf(lastBox), rows.indexOf(box)].sort((a, b) => a - b);
    if (event.shiftKey && from >= 0) rows.slice(from, to + 1).forEach((each) => (each.checked = box.checked));
    lastBox = box;
    onlyThese(area);
    update(area);
    return;
  }
  const act = event.target.closest?.("[data-act]")?.dataset.act;
  if (area && act === "clear-selection") {
    rowsOf(area).forEach((each) => (each.checked = false));
    onlyThese(area);
    update(area);
  } else if (area && act === "select-matching") {
    rowsOf(area).forEach((each) => (each.checked = true));
    const scope = area.querySelector("input[data-scope]");
    if (scope) scope.value = "filter";
    update(area);
  }
});

document.addEventListener("change", (event) => {
  const area = event.target.closest?.("[data-select]");
  if (!area) return;
  if (event.target.matches("input[data-check-all]")) {
    rowsOf(area).forEach((each) => (each.checked = event.target.checked));
    onlyThese(area);
  }
  if (event.target.matches("input[data-check-all], input[data-row]")) update(area);
});

// what was ticked stays ticked when its rows are fetched again
let ticked = [];
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  ticked = all("[data-select] input[data-row]:checked", detail.target).map((box) => `${box.name} ${box.value}`);
});
document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (!ticked.length) return;
  for (const box of all("[data-select] input[data-row]", detail.target)) {
    if (ticked.includes(`${box.name} ${box.value}`)) box.checked = true;
  }
  ticked = [];
});

// j and k go from row to row, x ticks one; only while the table has the focus, so that no key is taken from anybody else
document.addEventListener("keydown", (event) => {
  const table = event.target.closest?.("[data-keys]");
  const move = { j: 1, k: -1, x: 0 }[event.key];
  if (!table || move === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input:not([type=checkbox]), textarea, select")) return;
  const links = all("[data-row-link]", table);
  const row = event.target.closest("tr");
  const at = links.findIndex((link) => row?.contains(link));
  event.preventDefault();
  if (move === 0) row?.querySelector("input[data-row]")?.click();
  else links[Math.min(Math.max(at < 0 ? 0 : at + move, 0), links.length - 1)]?.focus();
});

const updateAll = () => document.querySelectorAll("[data-select]").forEach(update);
document.addEventListener("htmx:afterSettle", updateAll);
addEventListener("pageshow", updateAll);

document.addEventListener("keydown", (event) => {
  const group = event.target.closest?.("[data-roving]");
  if (!group || !/^(Arrow|Home$|End$)/.test(event.key)) return;
  const cells = [...group.querySelectorAll("a")];
  const at = cells.indexOf(event.target);
  const first = cells[0]?.offsetTop;
  const perRow = Math.max(1, cells.findIndex((cell) => cell.offsetTop !== first)) || 1;
  const columns = cells.some((cell) => cell.offsetTop !== first) ? perRow : cells.length;
  const to = {
    ArrowRight: at + 1,
    ArrowLeft: at - 1,
    ArrowDown: at + columns,
    ArrowUp: at - columns,
    Home: 0,
    End: cells.length - 1,
  }[event.key];
  if (at < 0 || !cells[to]) return;
  event.preventDefault();
  event.target.tabIndex = -1;
  cells[to].tabIndex = 0;
  cells[to].focus();
});
