// Charts: <figure data-chart-url="…"> fetches {sensor, unit, step, points: [[t, min, mean, max], …]} and draws the mean
// as a line over the band from min to max, over the time between from and to where the answer names them. The drawing library is loaded when the first chart appears.

const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi"];
const DECIMAL = ["", "k", "M", "G", "T", "P"];
const language = document.documentElement.lang || "en";
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

function colour(name, opacity) {
  const probe = document.createElement("i");
  probe.hidden = true;
  probe.style.color = opacity ? `color-mix(in srgb, var(${name}) ${opacity}%, transparent)` : `var(${name})`;
  document.body.append(probe);
  const computed = getComputedStyle(probe).color;
  probe.remove();
  return computed;
}

function write(value, unit) {
  if (value === null || value === undefined) return "–";
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

const seconds = (time) => (typeof time === "number" ? time : Date.parse(time) / 1000);

function columns({ points, step }) {
  const data = [[], [], [], []];
  let before = null;
  for (const [time, low, mean, high] of points) {
    const at = seconds(time);
    // a hole in the measurements stays a hole in the line
    if (before !== null && step && at - before > step * 2.5) [before + step, null, null, null].forEach((x, i) => data[i].push(x));
    [at, low, mean, high].forEach((x, i) => data[i].push(x));
    before = at;
  }
  return data;
}

function draw(figure) {
  const chart = charts.get(figure);
  if (!chart || !window.uPlot) return;
  chart.plot?.destroy();
  const box = figure.querySelector(".plot");
  box.replaceChildren();
  if (box.clientWidth < 40) return;
  const { unit } = chart.answer;
  const font = `11px ${getComputedStyle(document.body).fontFamily}`;
  const axis = { stroke: colour("--text-3"), font, ticks: { show: false } };
  const band = colour("--accent", 16);
  const hidden = { stroke: "transparent", width: 0, points: { show: false } };
  const single = chart.data[2].filter((mean) => mean !== null).length < 3;
  chart.plot = new window.uPlot(
    {
      width: box.clientWidth,
      height: Number(figure.dataset.height) || 180,
      padding: [8, 8, 0, 0],
      legend: { show: false },
      cursor: { points: { size: 6 }, drag: { x: true, y: false } },
      scales: { x: { range: (_u, low, high) => span(chart, low, high) }, y: { range: (_u, low, high) => range(low, high, unit) } },
      axes: [
        {
          ...axis,
          grid: { show: false },
          space: 70,
          size: 26,
          values: (_u, times, _i, _s, gap) => times.map((time) => clock(time, gap)),
        },
        {
          ...axis,
          grid: { stroke: colour("--line"), width: 1 },
          size: 62,
          space: 38,
          values: (_u, values) => values.map((value) => write(value, unit)),
        },
      ],
      bands: [{ series: [3, 1], fill: band }],
      series: [
        {},
        hidden,
        { stroke: colour("--accent"), width: 1.75, spanGaps: false, points: { show: single } },
        hidden,
      ],
    },
    chart.data,
    box,
  );
}

// the whole range that was asked for, also where nothing was measured in it; what is chosen with the mouse stays chosen;
// the library makes a range of years of a single value
function span({ answer: { from, to }, data: [times] }, low, high) {
  const all = low === times[0] && (high === times.at(-1) || times.length === 1);
  return all && from !== undefined && to > from ? [from, to] : [low, high];
}

function range(low, high, unit) {
  if (low === null || high === null) return [0, 1];
  if (unit === "%") return [Math.min(0, low), Math.max(100, high)];
  const room = (high - low) * 0.15 || Math.abs(high) * 0.1 || 1;
  return [low >= 0 ? Math.max(0, low - room) : low - room, high + room];
}

function clock(time, gap) {
  const date = new Date(time * 1000);
  const day = gap >= 86400 || (date.getHours() === 0 && date.getMinutes() === 0);
  const shape = day ? { month: "numeric", day: "numeric" } : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  return date.toLocaleString(language, shape);
}

function describe(figure, { unit, points }) {
  const text = (value) => write(value, unit);
  const pick = (index, best) => points.map((point) => point[index]).filter((x) => x !== null).reduce(best, null);
  const low = pick(1, (a, b) => (a === null || b < a ? b : a));
  const high = pick(3, (a, b) => (a === null || b > a ? b : a));
  const fill = { label: figure.dataset.label, now: text(points.at(-1)?.[2]), low: text(low), high: text(high) };
  figure.querySelector(".plot").setAttribute("aria-label", figure.dataset.summary.replace(/%\((\w+)\)s/g, (_m, key) => fill[key]));
}

function tabulate(figure) {
  const chart = charts.get(figure);
  const body = figure.querySelector("tbody");
  if (!chart || !body) return;
  const { points, unit } = chart.answer;
  const every = Math.ceil(points.length / 200);
  const rows = points.filter((_point, index) => index % every === 0).map(([time, ...values]) => {
    const row = document.createElement("tr");
    const when = row.insertCell();
    when.className = "num";
    when.textContent = new Date(seconds(time) * 1000).toLocaleString(language);
    for (const value of values) {
      const cell = row.insertCell();
      cell.className = "r num";
      cell.textContent = write(value, unit);
    }
    return row;
  });
  body.replaceChildren(...rows);
}

async function fill(figure) {
  const box = figure.querySelector(".plot");
  try {
    const [reply] = await Promise.all([
      fetch(figure.dataset.chartUrl, { headers: { Accept: "application/json", "X-Automatic": "1" } }),
      load(),
    ]);
    if (!reply.ok) throw new Error(String(reply.status));
    const answer = await reply.json();
    if (!answer.points.length) {
      charts.get(figure)?.plot?.destroy();
      charts.delete(figure);
      box.textContent = figure.dataset.empty;
      return;
    }
    charts.set(figure, { ...charts.get(figure), answer, data: columns(answer) });
    describe(figure, answer);
    draw(figure);
    if (figure.querySelector("details")?.open) tabulate(figure);
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
    if (figure && event.target.open) tabulate(figure);
  },
  true,
);
document.fonts.ready.then(find);
