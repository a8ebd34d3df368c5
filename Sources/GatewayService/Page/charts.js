// Drawing: elements made by hand, text only ever as text, so that no name can become markup.

function make(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function draw(tag, attributes, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null) continue;
    if (name === "style") Object.assign(element.style, value);
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const number = (value) =>
  value >= 1e6 ? (value / 1e6).toFixed(1) + " M"
  : value >= 1e4 ? (value / 1e3).toFixed(value >= 1e5 ? 0 : 1) + " k"
  : value >= 100 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1);
const percent = (value) => (value < 0 ? "−" : "") + (Math.abs(value) * 100).toFixed(value !== 0 && Math.abs(value) < 0.1 || value > 0.99 && value < 1 ? 1 : 0) + " %";
const signed = (value) => (value > 0 ? "+" : value < 0 ? "−" : "") + percent(Math.abs(value));
const milliseconds = (value) =>
  value >= 1e4 ? (value / 1e3).toFixed(0) + " s" : value >= 1e3 ? (value / 1e3).toFixed(1) + " s"
  : value >= 10 ? value.toFixed(0) + " ms" : value.toFixed(1) + " ms";
const known = (value) => value !== null && value !== undefined && Number.isFinite(value);
const plural = (count, word) => number(count) + " " + word + (count === 1 ? "" : "s");

// What the pointer is at, in all charts at once: a time, or null for now.
let cursor = null;
// Of all moments, the last of which something is known.
let present = 0;
let chartWidth = 280;
const inset = { left: 47, right: 6, top: 8, bottom: 16 };

/// A pair of functions from a value to its place between 0 and 1, and marks on the way.
function scaleOf({ log, low, high }) {
  if (!log) {
    const step = niceStep(high - low), first = Math.floor(low / step + 1e-9);
    const count = Math.max(Math.ceil(high / step - 1e-9) - first, 1);
    const marks = Array.from({ length: count + 1 }, (_, index) => (first + index) * step);
    return { place: (value) => (value - marks[0]) / (count * step), marks };
  }
  const bottom = Math.floor(Math.log10(low)), top = Math.max(Math.ceil(Math.log10(high) - 1e-9), bottom + 1);
  const marks = [];
  for (let exponent = bottom; exponent <= top; exponent += 1) marks.push(10 ** exponent);
  return { place: (value) => (Math.log10(Math.max(value, 10 ** bottom)) - bottom) / (top - bottom), marks };
}

function niceStep(span) {
  const rough = Math.max(span, 1e-9) / 3, power = 10 ** Math.floor(Math.log10(rough));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= rough - 1e-12);
}

/// A chart over time: `series` have a name, a colour and a value or null for each time.
function chart({ title, times, series, log = false, low, high, format = number, objective, stepped = false, whole = false }) {
  const values = series.flatMap((one) => one.values.filter(known));
  if (objective) values.push(objective.value);
  const positive = values.filter((value) => value > 0);
  const range = log
    ? { log, low: Math.min(...positive, 100), high: Math.max(...positive, 1000) }
    : { log, low: low ?? Math.min(0, ...values), high: high ?? Math.max(...values, whole ? 4 : 1e-3) };
  const scale = scaleOf(range);
  const [width, height] = [chartWidth, 118];
  const end = times[times.length - 1], window = windowOf(times);
  const x = (time) => inset.left + (1 - (end - time) / window) * (width - inset.left - inset.right);
  const y = (value) => inset.top + (1 - Math.min(Math.max(scale.place(value), 0), 1)) * (height - inset.top - inset.bottom);

  const body = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "data-end": end, "data-window": window,
    "aria-label": title + ": " + series.map((one) => one.name + " " + shown(one.values[present], format)).join(", ") });
  for (const mark of scale.marks) {
    body.append(
      draw("line", { class: "gridline", x1: inset.left, x2: width - inset.right, y1: y(mark), y2: y(mark) }),
      draw("text", { x: inset.left - 5, y: y(mark) + 3.5, "text-anchor": "end" }, format(mark)));
  }
  body.append(
    draw("text", { x: inset.left, y: height - 3 }, "−" + (window >= 120 ? window / 60 + " min" : window + " s")),
    draw("text", { x: width - inset.right, y: height - 3, "text-anchor": "end" }, "now"));
  if (objective) {
    body.append(
      draw("line", { class: "objective", x1: inset.left, x2: width - inset.right, y1: y(objective.value), y2: y(objective.value) }),
      draw("text", { class: "objective-label", x: inset.left + 3, y: y(objective.value) + (y(objective.value) < 22 ? 11 : -4) },
        objective.name));
  }
  for (const one of series) body.append(...curve(times, one, x, y, stepped, y(range.log ? scale.marks[0] : Math.max(0, scale.marks[0]))));
  const index = cursor === null ? present : nearest(times, cursor);
  if (cursor !== null) body.append(draw("line", { class: "cursor", x1: x(times[index]), x2: x(times[index]), y1: inset.top, y2: height - inset.bottom }));
  return make("figure", { class: "chart" },
    make("figcaption", null, make("h3", null, title),
      make("span", { class: "keys" }, ...series.map((one) => make("span", null,
        make("i", { style: { background: one.color } }), one.name + " ", make("b", null, shown(one.values[index], format)))))),
    body);
}

/// Lines between neighbours in time; where nothing was known for long there is a gap, and a lone value is a dot.
function curve(times, { values, color, area }, x, y, stepped, floor) {
  const runs = [];
  let run = null, before = -Infinity;
  values.forEach((value, index) => {
    if (!known(value)) return;
    if (times[index] - before > 8) runs.push(run = []);
    before = times[index];
    run.push([x(before), y(value)]);
  });
  return runs.flatMap((points) => {
    const [first, final] = [points[0], points[points.length - 1]];
    if (points.length === 1) return [draw("circle", { cx: first[0], cy: first[1], r: 2, fill: color })];
    const path = points.map(([px, py], index) => {
      if (index === 0) return `M${px.toFixed(1)} ${py.toFixed(1)}`;
      return stepped ? `H${px.toFixed(1)}V${py.toFixed(1)}` : `L${px.toFixed(1)} ${py.toFixed(1)}`;
    }).join("");
    const line = draw("path", { class: "curve", d: path, stroke: color });
    if (!area) return [line];
    return [draw("path", { class: "area", d: `${path}V${floor}H${first[0].toFixed(1)}Z`, fill: color }), line];
  });
}

/// The line alone, for a tile.
function spark(times, values, color, high) {
  const top = high ?? Math.max(...values.filter(known), 1e-9), end = times[times.length - 1], window = windowOf(times);
  const x = (time) => (1 - (end - time) / window) * 118 + 1;
  const y = (value) => 21 - Math.min(value / top, 1) * 19;
  return draw("svg", { viewBox: "0 0 120 22", preserveAspectRatio: "none", "aria-hidden": "true" },
    ...curve(times, { values, color, area: true }, x, y, false, 21));
}

const shown = (value, format) => (known(value) ? format(value) : "–");
const last = (values) => values[values.length - 1];
/// Seconds that charts show: as few as hold what is known.
const windowOf = (times) => [60, 120, 180, 300, 600].find((window) => last(times) - times[0] <= window) ?? 600;

function nearest(times, time) {
  let best = 0;
  times.forEach((one, index) => { if (Math.abs(one - time) < Math.abs(times[best] - time)) best = index; });
  return best;
}
