// What all parts of the page use: elements, numbers, colors, axes.

const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);

const SVG = new Set(["svg", "g", "line", "path", "rect", "circle", "text", "title", "polyline"]);

// An element with attributes and children; functions are listeners.
function el(tag, attributes = {}, ...children) {
  const element = SVG.has(tag)
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

// An SVG that scales with its place.
function drawing(width, height, label) {
  return el("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
}

// The colors of Okabe and Ito and others that are told apart on light and dark.
const COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9",
  "#8c564b", "#7f7fd5", "#a0a000", "#e377c2", "#6e6e6e", "#17becf"];
const PURPOSES = { compute: "#7a8794", tensor: "#0072b2", context: "#56b4e9", expert: "#cc79a7", pipeline: "#e69f00",
  data: "#d55e00", communication: "#009e73", bubble: "transparent" };
const MARKS = ["M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0", "M-4-4h8v8h-8z", "M0-5l5 9h-10z", "M0-5.5l5 5.5l-5 5.5l-5-5.5z",
  "M0 5l5-9h-10z", "M-5-2h3v-3h4v3h3v4h-3v3h-4v-3h-3z"];

// A number in four digits or so.
function short(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return value;
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-3) return value.toExponential(2);
  if (Number.isInteger(value)) return String(value);
  return value.toFixed(Math.max(0, 3 - Math.floor(Math.log10(size))));
}

function bytes(value) {
  for (const [unit, size] of [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]]) {
    if (value >= size) return `${short(value / size)} ${unit}`;
  }
  return `${value} B`;
}

// The unit in which times up to this one are short.
function timeUnit(us) {
  if (us < 1) return ["ns", 1e-3];
  if (us < 20000) return ["µs", 1];
  if (us < 2e7) return ["ms", 1e3];
  return ["s", 1e6];
}

function time(us) {
  const [unit, size] = timeUnit(Math.abs(us));
  return `${short(us / size)} ${unit}`;
}

function steps(low, high, count = 6) {
  const rough = (high - low) / count;
  if (!(rough > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) * power;
  const ticks = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-9; at++) ticks.push(at * step);
  return ticks;
}

function decades(low, high) {
  const factors = Math.log10(high / low) > 3 ? [1] : [1, 2, 5];
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    for (const factor of factors) {
      const tick = factor * 10 ** power;
      if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(tick);
    }
  }
  return ticks;
}

// From values to positions, with ticks.
function axis(low, high, from, to, log) {
  const share = log
    ? (value) => Math.log(value / low) / Math.log(high / low || Math.E)
    : (value) => (value - low) / (high - low || 1);
  return { at: (value) => from + share(value) * (to - from), ticks: log ? decades(low, high) : steps(low, high), low, high };
}

const heatColors = () => {
  const style = getComputedStyle(document.documentElement);
  return ["--heat0", "--heat1"].map((name) => style.getPropertyValue(name).split(",").map(Number));
};

// A shade from 0 to 1, between the two ends of the theme.
function shade(share, ends) {
  const t = Math.max(0, Math.min(1, share));
  return `rgb(${ends[0].map((a, i) => Math.round(a + (ends[1][i] - a) * t)).join(",")})`;
}

// A list to choose from.
function choice(label, options, value, change) {
  const select = el("select", { change: () => change(select.value) },
    options.map(([key, text]) => el("option", { value: key, selected: key === value }, text)));
  return el("label", {}, label, select);
}

const column = (name) => data.columns.indexOf(name);
const cell = (row, name) => {
  const at = column(name);
  return at < 0 ? null : data.rows[row][at];
};
const rowOfPoint = new Map(data.rows.map((row, at) => [String(row[column("point")]), at]));

// A scheme: load balancing and transport, whichever differ.
const differs = (name) => new Set(data.rows.map((_, row) => cell(row, name))).size > 1;
const schemeColumns = ["load_balancing", "transport"].filter(differs);
const schemeOf = (row) => schemeColumns.length
  ? schemeColumns.map((name) => cell(row, name) ?? "").filter(Boolean).join(", ")
  : String(cell(row, "load_balancing"));
const schemes = [...new Set(data.rows.map((_, row) => schemeOf(row)))];
const colorOf = (scheme) => COLORS[schemes.indexOf(scheme) % COLORS.length];
const markOf = (scheme) => MARKS[schemes.indexOf(scheme) % MARKS.length];
// What else is swept, by its place.
const axesKeys = data.keys.map((key, at) => ({ ...key, at }))
  .filter((key) => !["load_balancing", "transport", "seed"].includes(key.name));
const seedDiffers = differs("seed");

// What tells a point from others.
function describe(row) {
  const parts = [schemeOf(row), ...axesKeys.map((key) => `${key.short} ${data.settings[row][key.at]}`)];
  if (seedDiffers) parts.push(`seed ${cell(row, "seed")}`);
  return `${cell(row, "point")}: ${parts.join(", ")}`;
}

function legend(entries) {
  return el("ul", { class: "legend" }, entries.map(([name, color]) =>
    el("li", {}, el("i", { style: `background:${color};${color === "transparent" ? "border:1px solid var(--line)" : ""}` }), name)));
}

// Decodes bytes in base 64.
const unpack = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

// What is drawn again when the colors change.
const redraws = [];
