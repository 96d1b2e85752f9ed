// Choosing rows, and moving through cells with the arrow keys.
//
// <form data-select> … <input type="checkbox" data-check-all> … <input type="checkbox" name="ids" data-row> …
// <div class="bulk" data-bulk hidden><b data-count data-pattern="%n selected"></b> … </div></form>

const numbers = new Intl.NumberFormat(document.documentElement.lang || "en");
let lastBox = null;

const rowsOf = (area) => [...area.querySelectorAll("input[data-row]")];

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
