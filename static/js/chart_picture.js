// Saves a chart as a picture, light or dark whatever the page is: title, subject, range, unit, the drawing and the key.

const WIDTH = 1200;
const HEIGHT = 420;
const MARGIN = 24;
const HEAD = 64;
const FOOT = 44;

export async function save({ form, scheme, figure, chart, options, colour, write, moment, key }) {
  const shade = (name, opacity) => colour(name, { scheme, opacity });
  const { answer } = chart;
  const subject = document.querySelector("h1")?.textContent.trim().replace(/\s+/g, " ") ?? "";
  const zone = document.body.dataset.timeZone ?? "";
  const title = [figure.dataset.label, answer.unit && `(${answer.unit})`].filter(Boolean).join(" ");
  const span = `${moment(answer.from)} – ${moment(answer.to)} ${zone}`;
  const about = { title, subtitle: [subject, span].filter(Boolean).join(" · "), summary: chart.summary, key, shade };
  const plot = await drawn(chart, options, scheme);
  const blob = form === "svg" ? vector(plot, chart, about, write) : await bitmap(plot, about);
  plot.destroy();
  const name = `${figure.dataset.label}-${new Date(answer.to * 1000).toISOString().slice(0, 16)}`;
  offer(blob, `${name.replace(/[^\p{L}\p{N}.-]+/gu, "-").replace(/^-+|-+$/g, "")}.${form}`);
}

function drawn(chart, options, scheme) {
  return new Promise((resolve) => {
    const hooks = { ready: [(plot) => resolve(plot)] };
    new window.uPlot(options(chart, { width: WIDTH, height: HEIGHT, scheme, hooks }), chart.data, document.createElement("div"));
  });
}

function offer(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const font = (size, weight = 400) => `${weight} ${size}px ${getComputedStyle(document.body).fontFamily}`;

function bitmap(plot, { title, subtitle, summary, key, shade }) {
  const ratio = plot.ctx.canvas.width / WIDTH;
  const canvas = document.createElement("canvas");
  canvas.width = (WIDTH + 2 * MARGIN) * ratio;
  canvas.height = (HEAD + HEIGHT + FOOT + MARGIN) * ratio;
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  pen.fillStyle = shade("--surface");
  pen.fillRect(0, 0, WIDTH + 2 * MARGIN, HEAD + HEIGHT + FOOT + MARGIN);
  text(pen, title, MARGIN, 30, font(18, 620), shade("--text"));
  text(pen, subtitle, MARGIN, 52, font(13), shade("--text-2"));
  pen.drawImage(plot.ctx.canvas, MARGIN, HEAD, WIDTH, HEIGHT);
  let left = MARGIN;
  for (const { name, token, dash } of key) {
    pen.strokeStyle = shade(token);
    pen.lineWidth = 2;
    pen.setLineDash(dash);
    pen.beginPath();
    pen.moveTo(left, HEAD + HEIGHT + 20);
    pen.lineTo(left + 26, HEAD + HEIGHT + 20);
    pen.stroke();
    pen.setLineDash([]);
    text(pen, name, left + 32, HEAD + HEIGHT + 24, font(12), shade("--text-2"));
    left += 56 + pen.measureText(name).width;
  }
  text(pen, summary, MARGIN, HEAD + HEIGHT + (key.length ? 48 : 26), font(12), shade("--text-3"));
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

function text(pen, words, x, y, shape, fill) {
  pen.font = shape;
  pen.fillStyle = fill;
  pen.fillText(words, x, y, WIDTH);
}

// --- the same as lines and letters -------------------------------------------------------------------------------------
const escaped = (words) => String(words).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

function vector(plot, chart, { title, subtitle, summary, key, shade }, write) {
  const parts = [];
  const x = (value) => MARGIN + plot.bbox.left / devicePixelRatio + plot.valToPos(value, "x");
  const y = (value) => HEAD + plot.bbox.top / devicePixelRatio + plot.valToPos(value, "y");
  const [left, right] = [x(plot.scales.x.min), x(plot.scales.x.max)];
  const say = (words, at, down, size, token, more = "") =>
    parts.push(`<text x="${at}" y="${down}" font-size="${size}" fill="${shade(token)}" ${more}>${escaped(words)}</text>`);
  const line = (path, token, width, dash) =>
    parts.push(`<path d="${path}" fill="none" stroke="${shade(token)}" stroke-width="${width}" stroke-dasharray="${dash.join(" ")}"/>`);
  for (const value of plot.axes[1]._splits) {
    if (value < plot.scales.y.min || value > plot.scales.y.max) continue;
    line(`M${left} ${y(value)}H${right}`, "--line", 1, []);
    say(write(value, chart.answer.unit), left - 8, y(value) + 4, 11, "--text-3", 'text-anchor="end"');
  }
  plot.axes[0]._values.forEach((words, place) => {
    const at = x(plot.axes[0]._splits[place]);
    if (words && at >= left && at <= right) say(words, at, HEAD + HEIGHT - 6, 11, "--text-3", 'text-anchor="middle"');
  });
  const times = chart.data[0];
  const path = (values) => {
    let lifted = true;
    return times.reduce((drawn, time, at) => {
      if (values[at] === undefined) return drawn; // a moment of another line
      if (values[at] === null) lifted = true;
      else {
        drawn += `${lifted ? "M" : "L"}${x(time).toFixed(1)} ${y(values[at]).toFixed(1)}`;
        lifted = false;
      }
      return drawn;
    }, "");
  };
  if (plot.bands?.length) parts.push(band(chart.data, x, y, plot.bands[0].fill(plot)));
  plot.series.slice(1).forEach(({ width, dash, _stroke }, place) => {
    if (width) parts.push(`<path d="${path(chart.data[place + 1])}" fill="none" stroke="${_stroke}" stroke-width="${width}" stroke-dasharray="${(dash ?? []).join(" ")}"/>`);
  });
  let at = MARGIN;
  for (const { name, token, dash, value } of key) {
    // what has a value is a limit
    if (value !== undefined && value >= plot.scales.y.min && value <= plot.scales.y.max) line(`M${left} ${y(value)}H${right}`, token, 1.25, dash);
    line(`M${at} ${HEAD + HEIGHT + 20}h26`, token, 2, dash);
    say(name, at + 32, HEAD + HEIGHT + 24, 12, "--text-2");
    at += 56 + name.length * 8;
  }
  say(title, MARGIN, 30, 18, "--text", 'font-weight="620"');
  say(subtitle, MARGIN, 52, 13, "--text-2");
  say(summary, MARGIN, HEAD + HEIGHT + (key.length ? 48 : 26), 12, "--text-3");
  const [width, height] = [WIDTH + 2 * MARGIN, HEAD + HEIGHT + FOOT + MARGIN];
  const family = escaped(getComputedStyle(document.body).fontFamily);
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${family}"><title>${escaped(title)}</title><rect width="${width}" height="${height}" fill="${shade("--surface")}"/>${parts.join("")}</svg>`;
  return new Blob([drawing], { type: "image/svg+xml" });
}

// from the lowest to the highest, run by run of what was measured
function band([times, low, _mean, high], x, y, fill) {
  const runs = [[]];
  times.forEach((_time, at) => {
    if (low[at] === null) runs.push([]);
    else if (low[at] !== undefined) runs.at(-1).push(at);
  });
  const outline = runs
    .filter((run) => run.length > 1)
    .map((run) => `M${run.map((at) => `${x(times[at]).toFixed(1)} ${y(high[at]).toFixed(1)}`).join("L")}L${run.toReversed().map((at) => `${x(times[at]).toFixed(1)} ${y(low[at]).toFixed(1)}`).join("L")}Z`);
  return `<path d="${outline.join("")}" fill="${fill}" stroke="none"/>`;
}
