// Charts: <figure data-chart-url="…"> fetches {unit, from, to, lines, before, limits} and draws it. A line is {name, step,
// points: [[t, min, mean, max], …], measured}; one alone is drawn over the band from min to max, several differ by colour
// and dashes. "before" is the same stretch of time earlier, dotted. The drawing library is loaded when the first chart
// appears, the script that saves pictures when somebody saves one. All times are in the zone of the page.

const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi"];
const DECIMAL = ["", "k", "M", "G", "T", "P"];
const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 2], [1, 4], [14, 4], [6, 2, 1, 2]];
const LIMITS = { upper_critical: "--c-fill", upper_warning: "--w-fill", lower_warning: "--w-fill", lower_critical: "--c-fill" };
const language = document.documentElement.lang || "en";
const timeZone = document.body.dataset.timeZone || undefined;
const charts = new Map();
let library = null;

// a chart is as wide as its place, also when a drawer takes some of it
const widths = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const figure = target.closest("figure");
    const drawn = charts.get(figure)?.plot;
    if (!drawn) draw(figure);
    else if (target.clientWidth >= 40) drawn.setSize({ width: target.clientWidth, height: drawn.height });
  }
});

function load() {
  library ??= new Promise((resolve, reject) => {
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = document.body.dataset.uplotCss;
    const script = document.createElement("script");
    script.src = document.body.dataset.uplotJs;
    script.onload = () => resolve(window.uPlot);
    script.onerror = reject;
    document.head.append(style, script);
  });
  return library;
}

// a colour of the style sheet in the page's own scheme, or in the one that is asked for
function colour(name, { opacity, scheme } = {}) {
  const probe = document.createElement("i");
  probe.hidden = true;
  if (scheme) probe.style.colorScheme = scheme;
  probe.style.color = opacity ? `color-mix(in srgb, var(${name}) ${opacity}%, transparent)` : `var(${name})`;
  document.body.append(probe);
  const computed = getComputedStyle(probe).color;
  probe.remove();
  return computed;
}

function write(value, unit) {
  if (value === null || value === undefined) return "–";
  if (unit === "W" && Math.abs(value) >= 10_000) [value, unit] = [value / 1000, "kW"];
  const binary = unit === "B" || unit === "B/s";
  if (!binary && unit !== "bit/s") {
    const digits = Math.abs(value) >= 100 ? 0 : 2;
    return `${value.toLocaleString(language, { maximumFractionDigits: digits })}${unit ? `\u00a0${unit === "1/s" ? "/s" : unit}` : ""}`;
  }
  const step = binary ? 1024 : 1000;
  let power = 0;
  while (Math.abs(value) >= step * 0.9995 && power < 5) {
    value /= step;
    power += 1;
  }
  const prefix = (binary ? BINARY : DECIMAL)[power];
  return `${value.toLocaleString(language, { maximumFractionDigits: 1 })}\u00a0${prefix}${unit}`;
}

const moment = (seconds, shape = { dateStyle: "short", timeStyle: "short" }) =>
  new Date(seconds * 1000).toLocaleString(language, { ...shape, timeZone });
const sentence = (pattern, words) => pattern.replace(/%\((\w+)\)s/g, (_match, key) => words[key]);

// --- from the answer to the columns that are drawn --------------------------------------------------------------------
function table({ points, step }, values, shift = 0) {
  const data = [[], ...values.map(() => [])];
  let before = null;
  for (const point of points) {
    const at = point[0] + shift;
    // a hole in the measurements stays a hole in the line
    if (before !== null && step && at - before > step * 2.5) data.forEach((column, i) => column.push(i ? null : before + step));
    data.forEach((column, i) => column.push(i ? point[values[i - 1]] : at));
    before = at;
  }
  return data;
}

function columns({ lines, before, from, to }) {
  const own = lines.length === 1 ? [table(lines[0], [1, 2, 3])] : lines.map((line) => table(line, [2]));
  const earlier = before.map((line) => table(line, [2], to - from));
  return window.uPlot.join([...own, ...earlier].filter((one) => one[0].length));
}

// what each drawn column is: the library leaves out lines without any point, and so does this
function kinds({ lines, before }) {
  const own = lines.flatMap((line, index) => {
    if (!line.points.length) return [];
    return lines.length === 1 ? [{ edge: true }, { line, index }, { edge: true }] : [{ line, index }];
  });
  return [...own, ...before.flatMap((line, index) => (line.points.length ? [{ line, index, earlier: true }] : []))];
}

const stroke = (kind, single) => (single ? "--accent" : `--l${kind.index + 1}`);

export function options(chart, { width, height, scheme, hooks = {} }) {
  const { answer, data } = chart;
  const { unit, limits } = answer;
  const shade = (name, opacity) => colour(name, { opacity, scheme });
  const font = `11px ${getComputedStyle(document.body).fontFamily}`;
  const axis = { stroke: shade("--text-3"), font, ticks: { show: false } };
  const found = kinds(answer);
  const single = answer.lines.length === 1;
  const few = (place) => data[place].filter((value) => value !== null && value !== undefined).length < 3;
  const series = found.map((kind, place) => {
    if (kind.edge) return { stroke: "transparent", width: 0, points: { show: false } };
    if (kind.earlier) return { stroke: shade("--ctl-line"), width: 1.25, dash: [2, 3], points: { show: few(place + 1) } };
    return { stroke: shade(stroke(kind, single)), width: 1.75, dash: DASHES[kind.index % DASHES.length], points: { show: few(place + 1) } };
  });
  return {
    width,
    height,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    tzDate: timeZone ? (time) => window.uPlot.tzDate(new Date(time * 1000), timeZone) : undefined,
    cursor: { points: { size: 6 }, drag: { x: true, y: false } },
    scales: { x: { range: (_u, low, high) => span(chart, low, high) }, y: { range: (_u, low, high) => range(low, high, unit, limits) } },
    axes: [
      { ...axis, grid: { show: false }, space: 70, size: 26, values: (_u, times, _i, _s, gap) => times.map((time) => clock(time, gap)) },
      { ...axis, grid: { stroke: shade("--line"), width: 1 }, size: 62, space: 38, values: (_u, values) => values.map((value) => write(value, unit)) },
    ],
    bands: found[0]?.edge ? [{ series: [3, 1], fill: shade("--accent", 16) }] : [],
    series: [{}, ...series],
    hooks: { ...hooks, draw: [(plot) => drawLimits(plot, limits, scheme)] },
  };
}

function drawLimits(plot, limits, scheme) {
  const { ctx, bbox } = plot;
  for (const [name, token] of Object.entries(LIMITS)) {
    const value = limits?.[name];
    if (value === null || value === undefined || value > plot.scales.y.max || value < plot.scales.y.min) continue;
    const y = Math.round(plot.valToPos(value, "y", true));
    ctx.save();
    ctx.strokeStyle = colour(token, { scheme });
    ctx.lineWidth = 1.25 * devicePixelRatio;
    ctx.setLineDash(name.endsWith("critical") ? [] : [6 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.restore();
  }
}

// the whole range that was asked for, also where nothing was measured in it; what is chosen with the mouse stays chosen;
// the library makes a range of years of a single value
function span({ answer: { from, to }, data: [times] }, low, high) {
  const all = low === times[0] && (high === times.at(-1) || times.length === 1);
  return all && from !== undefined && to > from ? [from, to] : [low, high];
}

// a limit that is near is in the picture, one that is far off would press the line flat
function range(low, high, unit, limits) {
  if (low === null || high === null) return [0, 1];
  if (unit === "%") return [Math.min(0, low), Math.max(100, high)];
  const reach = Math.max(high - low, Math.abs(high) * 0.25);
  for (const name of Object.keys(LIMITS)) {
    const value = limits?.[name];
    if (value > high && value - high <= reach) high = value;
    if (value !== null && value < low && low - value <= reach) low = value;
  }
  const room = (high - low) * 0.15 || Math.abs(high) * 0.1 || 1;
  return [low >= 0 ? Math.max(0, low - room) : low - room, high + room];
}

function clock(time, gap) {
  const hours = moment(time, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  return gap >= 86400 || hours === "00:00" ? moment(time, { month: "numeric", day: "numeric", ...(gap >= 86400 * 90 && { year: "numeric" }) }) : hours;
}

// --- drawing ------------------------------------------------------------------------------------------------------------
function draw(figure) {
  const chart = charts.get(figure);
  if (!chart?.data || !window.uPlot) return;
  chart.plot?.destroy();
  const box = figure.querySelector(".plot");
  box.replaceChildren();
  if (box.clientWidth < 40) return;
  const hooks = { setCursor: [(plot) => read(figure, plot.cursor.idx)] };
  chart.plot = new window.uPlot(options(chart, { width: box.clientWidth, height: Number(figure.dataset.height) || 180, hooks }), chart.data, box);
}

// --- reading single values: by the mouse, by the arrow keys, and by a screen reader that knows a slider ---------------
function values(chart, at) {
  const { answer, data } = chart;
  const single = answer.lines.length === 1;
  return kinds(answer)
    .map((kind, place) => ({ ...kind, value: data[place + 1][at], low: data[place]?.[at], high: data[place + 2]?.[at] }))
    .filter((kind) => !kind.edge && kind.value !== null && kind.value !== undefined)
    .map(({ line, earlier, value, low, high }) => {
      const spread = single && !earlier && low !== high ? ` (${write(low, answer.unit)}–${write(high, answer.unit)})` : "";
      return { name: single ? "" : line.name, earlier: Boolean(earlier), text: `${write(value, answer.unit)}${spread}` };
    });
}

function read(figure, at) {
  const chart = charts.get(figure);
  const output = figure.querySelector(".at");
  if (!chart || !output) return;
  if (at === null || at === undefined) {
    output.textContent = chart.summary;
    return;
  }
  const parts = values(chart, at).map(({ name, earlier, text }) => [earlier && figure.dataset.before, name, text].filter(Boolean).join(" "));
  output.textContent = `${moment(chart.data[0][at])} · ${parts.join(" · ") || figure.dataset.nothing}`;
}

function step(figure, key) {
  const chart = charts.get(figure);
  const last = (chart?.data?.[0].length ?? 0) - 1;
  const now = chart?.place ?? last;
  const next = { ArrowLeft: now - 1, ArrowDown: now - 1, ArrowRight: now + 1, ArrowUp: now + 1, PageDown: now - 10, PageUp: now + 10, Home: 0, End: last }[key];
  if (next === undefined || last < 0 || !chart.plot) return false;
  chart.place = Math.min(last, Math.max(0, next));
  const time = chart.data[0][chart.place];
  const shown = values(chart, chart.place);
  const height = kinds(chart.answer).map((_kind, place) => chart.data[place + 1][chart.place]).find((value) => value !== null && value !== undefined);
  chart.plot.setCursor({ left: chart.plot.valToPos(time, "x"), top: height === undefined ? 0 : chart.plot.valToPos(height, "y") });
  read(figure, chart.place);
  const plot = figure.querySelector(".plot");
  plot.setAttribute("aria-valuenow", String(chart.place + 1));
  plot.setAttribute("aria-valuetext", figure.querySelector(".at").textContent);
  return shown !== null;
}

document.addEventListener("keydown", (event) => {
  const plot = event.target.closest?.("figure[data-chart-url] .plot");
  if (plot && !event.ctrlKey && !event.metaKey && !event.altKey && step(plot.closest("figure"), event.key)) event.preventDefault();
});

// --- words: the summary, the key to the lines, the table ----------------------------------------------------------------
function describe(figure) {
  const chart = charts.get(figure);
  const { answer } = chart;
  const text = (value) => write(value, answer.unit);
  const of = ({ points }, index, best) => points.filter((point) => point[index] !== null).reduce((a, b) => (a === null || best(b[index], a[index]) ? b : a), null);
  const line = answer.lines[0];
  if (answer.lines.length === 1) {
    const low = of(line, 1, (a, b) => a < b);
    const high = of(line, 3, (a, b) => a > b);
    const measured = line.points.filter((point) => point[2] !== null);
    const mean = measured.length ? measured.reduce((sum, point) => sum + point[2], 0) / measured.length : null;
    const words = { now: text(line.points.at(-1)?.[2]), low: text(low?.[1]), mean: text(mean), high: text(high?.[3]), at: high ? moment(high[0]) : "–" };
    chart.summary = sentence(figure.dataset.summary, words);
  } else {
    chart.summary = answer.lines.map(({ name, points }) => `${name} ${text(points.at(-1)?.[2])}`).join(" · ");
  }
  const plot = figure.querySelector(".plot");
  const last = String(chart.data[0].length);
  const slider = { role: "slider", tabindex: "0", "aria-label": `${figure.dataset.label}. ${chart.summary}`, "aria-valuemin": "1", "aria-valuemax": last, "aria-valuenow": last, "aria-valuetext": chart.summary };
  for (const [name, value] of Object.entries(slider)) plot.setAttribute(name, value);
  figure.querySelector(".at").textContent = chart.summary;
  figure.querySelector(".key").replaceChildren(...key(figure).map(entry));
}

export function key(figure) {
  const { answer } = charts.get(figure);
  const single = answer.lines.length === 1;
  const lines = single ? [] : answer.lines.map(({ name }, index) => ({ name, token: `--l${index + 1}`, dash: DASHES[index % DASHES.length] }));
  if (answer.before.some(({ points }) => points.length)) {
    if (single) lines.push({ name: figure.dataset.now, token: "--accent", dash: [] });
    lines.push({ name: figure.dataset.before, token: "--ctl-line", dash: [2, 3] });
  }
  for (const [name, token] of Object.entries(LIMITS)) {
    const value = answer.limits?.[name];
    if (value === null || value === undefined) continue;
    const critical = name.endsWith("critical");
    lines.push({ name: `${critical ? figure.dataset.critical : figure.dataset.warning} ${write(value, answer.unit)}`, token, dash: critical ? [] : [6, 4], value });
  }
  return lines;
}

function entry({ name, token, dash }) {
  const item = document.createElement("li");
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const stroked = document.createElementNS("http://www.w3.org/2000/svg", "line");
  drawing.setAttribute("viewBox", "0 0 26 8");
  drawing.setAttribute("aria-hidden", "true");
  for (const [attribute, value] of Object.entries({ x1: 0, x2: 26, y1: 4, y2: 4, "stroke-dasharray": dash.join(" ") })) stroked.setAttribute(attribute, value);
  stroked.setAttribute("class", `k${token.slice(1)}`);
  drawing.append(stroked);
  item.append(drawing, name);
  return item;
}

function tabulate(figure) {
  const chart = charts.get(figure);
  const [head, body] = ["thead", "tbody"].map((name) => figure.querySelector(name));
  if (!chart?.data || !body) return;
  const { answer, data } = chart;
  const single = answer.lines.length === 1;
  const found = kinds(answer).map((kind, place) => ({ ...kind, place: place + 1 }));
  const words = [figure.dataset.low, figure.dataset.mean, figure.dataset.high];
  const labels = found.map((kind) => (kind.earlier ? `${single ? "" : `${kind.line.name} `}${figure.dataset.before}` : single ? words[kind.place - 1] : kind.line.name));
  const fleet = single && answer.lines[0].measured;
  const numbers = fleet && new Map(answer.lines[0].points.map(([at], place) => [at, fleet[place]]));
  const line = (tag, cells) => {
    const row = document.createElement("tr");
    cells.forEach((text, place) => {
      const cell = document.createElement(tag);
      cell.className = place ? "r num" : "num";
      cell.textContent = text;
      row.append(cell);
    });
    return row;
  };
  head.replaceChildren(line("th", [figure.dataset.time, ...labels, ...(fleet ? [figure.dataset.measured] : [])]));
  const rows = data[0].map((time, at) => {
    const cells = found.map(({ place }) => write(data[place][at], answer.unit));
    return line("td", [moment(time), ...cells, ...(fleet ? [numbers.get(time) ?? "–"] : [])]);
  });
  body.replaceChildren(...rows);
}

// --- fetching -------------------------------------------------------------------------------------------------------------
async function fill(figure) {
  const box = figure.querySelector(".plot");
  try {
    const [reply] = await Promise.all([
      fetch(figure.dataset.chartUrl, { headers: { Accept: "application/json", "X-Automatic": "1" } }),
      load(),
    ]);
    if (!reply.ok) throw new Error(String(reply.status));
    const answer = await reply.json();
    const empty = !answer.lines.some(({ points }) => points.length);
    figure.classList.toggle("none", empty);
    if (empty) {
      charts.get(figure)?.plot?.destroy();
      charts.delete(figure);
      for (const name of [...box.getAttributeNames()].filter((one) => one !== "class")) box.removeAttribute(name);
      box.textContent = figure.dataset.empty;
      figure.querySelector(".at").textContent = "";
      return;
    }
    const chart = { ...charts.get(figure), answer, data: columns(answer), place: undefined };
    charts.set(figure, chart);
    describe(figure);
    draw(figure);
    if (figure.querySelector("details.values")?.open) tabulate(figure);
  } catch {
    if (!charts.has(figure)) box.textContent = figure.dataset.failed;
  }
}

function find() {
  for (const [figure, { plot }] of charts) {
    if (!figure.isConnected) {
      plot?.destroy();
      charts.delete(figure);
    }
  }
  for (const figure of document.querySelectorAll("figure[data-chart-url]:not([data-found])")) {
    figure.dataset.found = "yes";
    widths.observe(figure.querySelector(".plot"));
    fill(figure);
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-chart-save]");
  const figure = button?.closest("figure");
  const chart = figure && charts.get(figure);
  if (!chart?.data) return;
  button.closest("details").open = false;
  const [form, scheme] = button.dataset.chartSave.split(" ");
  const picture = await import(document.body.dataset.chartPicture);
  await picture.save({ form, scheme, figure, chart, options, colour, write, moment, key: key(figure) });
});

const redraw = () => charts.forEach((_chart, figure) => draw(figure));
document.addEventListener("theme-changed", redraw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
document.addEventListener("htmx:afterSettle", find);
setInterval(() => {
  if (!document.hidden) document.querySelectorAll("figure[data-chart-url]").forEach(fill);
}, Math.max(15, Number(document.body.dataset.pollSeconds) || 60) * 1000);
document.addEventListener(
  "toggle",
  (event) => {
    const figure = event.target.closest("figure[data-chart-url]");
    if (figure && event.target.matches("details.values") && event.target.open) tabulate(figure);
  },
  true,
);
document.fonts.ready.then(find);
