// Any result against what is swept: lines over numbers, bars otherwise, a heat map over two numbers.

(() => {
  const place = byId("chart");
  const measures = [["cct_over_bound", "time over bound"], ["cct_us", "completion time"], ["busbw_GBps", "bus bandwidth (GB/s)"],
    ["fct_p99_us", "flow completion time, 99th percentile"], ["exposed_us", "exposed communication"], ["congestion_ratio", "congestion over the least"]]
    .filter(([name]) => column(name) >= 0);
  if (!measures.length) return;
  const numeric = (key) => key.numbers !== null && Object.keys(key.numbers).length > 1;
  const values = (key) => {
    const all = [...new Set(data.settings.map((setting) => setting[key.at]))];
    return numeric(key) ? all.sort((a, b) => key.numbers[a] - key.numbers[b]) : all;
  };
  const best = axesKeys.find(numeric) ?? axesKeys[0];
  const state = { x: best ? String(best.at) : "", kind: "lines", filter: {}, scheme: schemes[0] };
  for (const key of axesKeys) state.filter[key.at] = values(key).at(-1);
  const keyAt = (at) => axesKeys.find((key) => String(key.at) === at);
  const others = () => axesKeys.filter((key) => String(key.at) !== state.x);
  const second = () => others().find(numeric);
  const canMap = () => keyAt(state.x) && numeric(keyAt(state.x)) && second();

  // Mean, least and largest over the rows that fit, for each scheme and value.
  function groups(measure, fits, of) {
    const found = new Map();
    data.rows.forEach((_, row) => {
      const value = cell(row, measure);
      if (value === null || !fits(row)) return;
      const key = of(row);
      if (!found.has(key)) found.set(key, []);
      found.get(key).push(value);
    });
    return new Map([...found].map(([key, list]) => [key, {
      mean: list.reduce((a, b) => a + b) / list.length, low: Math.min(...list), high: Math.max(...list), count: list.length,
    }]));
  }

  function fitting(row, except = []) {
    return axesKeys.every((key) => String(key.at) === state.x || except.includes(key.at)
      || data.settings[row][key.at] === state.filter[key.at]);
  }

  const unitOf = (measure, high) => measure.endsWith("_us") ? timeUnit(high) : ["", 1];
  const titleOf = ([measure, title], unit) => (unit ? `${title} (${unit})` : title);

  function frame(width, height, title, left = 62) {
    const svg = drawing(width, height, title);
    svg.append(el("text", { x: 4, y: 14, class: "muted" }, title));
    return { svg, left, right: width - 14, top: 26, bottom: height - 44 };
  }

  function yAxis(box, y, size) {
    for (const tick of y.ticks) {
      const at = y.at(tick);
      box.svg.append(el("line", { x1: box.left, x2: box.right, y1: at, y2: at, class: "grid" }),
        el("text", { x: box.left - 6, y: at + 4, "text-anchor": "end" }, short(tick / size)));
    }
  }

  function lines(measure) {
    const key = keyAt(state.x);
    const found = groups(measure[0], fitting, (row) => `${schemeOf(row)}\n${data.settings[row][key.at]}`);
    const all = [...found.values()];
    if (!all.length) return null;
    const [unit, size] = unitOf(measure[0], Math.max(...all.map((v) => v.high)));
    const box = frame(560, 340, titleOf(measure, unit));
    const xs = values(key).map((value) => key.numbers[value]);
    const log = xs[0] > 0 && xs.at(-1) / xs[0] >= 16;
    const x = axis(xs[0], xs.at(-1), box.left + 12, box.right - 12, log);
    const ratio = measure[0].includes("over") || measure[0].includes("ratio");
    const bounds = measure[0] === "cct_us" ? groups("bound_us", fitting, (row) => data.settings[row][key.at]) : new Map();
    const low = Math.min(...[...all, ...bounds.values()].map((v) => v.low)), high = Math.max(...all.map((v) => v.high));
    const logY = !ratio && low > 0 && high / low > 20;
    const y = axis(logY ? low * 0.9 : ratio ? Math.min(1, low) * 0.98 : 0, high * 1.04, box.bottom, box.top, logY);
    yAxis(box, y, size);
    let free = -Infinity;
    for (const value of values(key)) {
      const at = x.at(key.numbers[value]);
      box.svg.append(el("line", { x1: at, x2: at, y1: box.bottom, y2: box.bottom + 5, class: "axis" }));
      const half = value.length * 3.6;
      if (at - half > free) {
        box.svg.append(el("text", { x: at, y: box.bottom + 20, "text-anchor": "middle" }, value));
        free = at + half + 6;
      }
    }
    box.svg.append(el("text", { x: (box.left + box.right) / 2, y: box.bottom + 38, "text-anchor": "middle", class: "muted" }, key.short));
    if (ratio && y.low <= 1) box.svg.append(el("line", { x1: box.left, x2: box.right, y1: y.at(1), y2: y.at(1), class: "axis" }));
    if (bounds.size) bound(box, bounds, key, x, y);
    for (const scheme of schemes) {
      const points = values(key).map((value) => [value, found.get(`${scheme}\n${value}`)]).filter(([, v]) => v);
      const at = ([value, v]) => [x.at(key.numbers[value]), y.at(v.mean)];
      box.svg.append(el("polyline", { points: points.map((p) => at(p).join(",")).join(" "), fill: "none", stroke: colorOf(scheme), "stroke-width": 2 }));
      for (const point of points) {
        const [px, py] = at(point), v = point[1];
        box.svg.append(el("line", { x1: px, x2: px, y1: y.at(v.low), y2: y.at(v.high), stroke: colorOf(scheme) }),
          el("path", { d: markOf(scheme), transform: `translate(${px},${py})`, fill: colorOf(scheme) },
            el("title", {}, `${scheme}, ${key.short} ${point[0]}: ${v.mean}${v.count > 1 ? ` (${v.low} to ${v.high}, ${v.count} points)` : ""}`)));
      }
    }
    return box.svg;
  }

  // The bound, which differs between schemes only where fabrics do.
  function bound(box, found, key, x, y) {
    const points = values(key).filter((value) => found.has(value)).map((value) => `${x.at(key.numbers[value])},${y.at(found.get(value).low)}`);
    box.svg.append(el("polyline", { points: points.join(" "), fill: "none", class: "axis", "stroke-dasharray": "5 4" }, el("title", {}, "bound of this schedule")));
  }

  function bars(measure) {
    const key = keyAt(state.x);
    const names = key ? values(key) : [""];
    const found = groups(measure[0], fitting, (row) => `${schemeOf(row)}\n${key ? data.settings[row][key.at] : ""}`);
    const all = [...found.values()];
    if (!all.length) return null;
    const [unit, size] = unitOf(measure[0], Math.max(...all.map((v) => v.high)));
    const label = Math.min(260, 20 + 7 * Math.max(...schemes.map((s) => s.length)));
    const rows = names.reduce((sum, name) => sum + schemes.filter((s) => found.has(`${s}\n${name}`)).length, 0);
    const height = 40 + rows * 20 + names.length * (key ? 26 : 6) + 30;
    const box = frame(560, height, titleOf(measure, unit), label);
    box.bottom = height - 30;
    box.right -= 70;
    const x = axis(0, Math.max(...all.map((v) => v.high)), box.left, box.right, false);
    for (const tick of x.ticks) {
      box.svg.append(el("line", { x1: x.at(tick), x2: x.at(tick), y1: box.top, y2: box.bottom, class: "grid" }),
        el("text", { x: x.at(tick), y: box.bottom + 16, "text-anchor": "middle" }, short(tick / size)));
    }
    let at = box.top + 4;
    for (const name of names) {
      if (key) {
        box.svg.append(el("text", { x: 4, y: at + 13, class: "muted" }, `${key.short}: ${name}`));
        at += 20;
      }
      for (const scheme of schemes) {
        const v = found.get(`${scheme}\n${name}`);
        if (!v) continue;
        box.svg.append(el("text", { x: box.left - 6, y: at + 13, "text-anchor": "end" }, clipped(scheme, label)),
          el("rect", { x: box.left, y: at + 2, width: Math.max(1, x.at(v.mean) - box.left), height: 14, fill: colorOf(scheme) },
            el("title", {}, `${scheme}${key ? `, ${key.short} ${name}` : ""}: ${v.mean}`)),
          el("line", { x1: x.at(v.low), x2: x.at(v.high), y1: at + 9, y2: at + 9, class: "axis" }),
          el("text", { x: x.at(v.high) + 6, y: at + 13 }, short(v.mean / size)));
        at += 20;
      }
      at += 6;
    }
    if (measure[0] === "cct_over_bound") box.svg.append(el("line", { x1: x.at(1), x2: x.at(1), y1: box.top, y2: box.bottom, class: "axis" }));
    return box.svg;
  }

  const clipped = (text, room) => (text.length * 7 > room - 12 ? `${text.slice(0, Math.floor((room - 20) / 7))}…` : text);

  function map(measure) {
    const [kx, ky] = [keyAt(state.x), second()];
    const found = groups(measure[0], (row) => schemeOf(row) === state.scheme && fitting(row, [ky.at]),
      (row) => `${data.settings[row][kx.at]}\n${data.settings[row][ky.at]}`);
    const high = Math.max(...[...found.values()].map((v) => v.mean));
    const [unit, size] = unitOf(measure[0], high);
    const [xs, ys] = [values(kx), values(ky).reverse()];
    const box = frame(560, 60 + ys.length * 30 + 44, `${titleOf(measure, unit)}, ${state.scheme}; dark: ${short(high / size)}, light: 0`, 90);
    const width = (box.right - box.left) / xs.length;
    const ends = heatColors();
    ys.forEach((vy, r) => {
      const top = box.top + r * 30;
      box.svg.append(el("text", { x: box.left - 6, y: top + 19, "text-anchor": "end" }, vy));
      xs.forEach((vx, c) => {
        const v = found.get(`${vx}\n${vy}`);
        if (!v) return;
        const share = v.mean / high;
        box.svg.append(el("rect", { x: box.left + c * width, y: top, width: width - 1, height: 29, fill: shade(share, ends) },
          el("title", {}, `${kx.short} ${vx}, ${ky.short} ${vy}: ${v.mean}`)));
        if (width > 42) {
          box.svg.append(el("text", { x: box.left + (c + 0.5) * width, y: top + 19, "text-anchor": "middle", style: `fill:${shade(share > 0.5 ? 0 : 1, ends)}` }, short(v.mean / size)));
        }
      });
    });
    const below = box.top + ys.length * 30;
    xs.forEach((vx, c) => box.svg.append(el("text", { x: box.left + (c + 0.5) * width, y: below + 16, "text-anchor": "middle" }, vx)));
    box.svg.append(el("text", { x: (box.left + box.right) / 2, y: below + 36, "text-anchor": "middle", class: "muted" }, `${kx.short} →   ↑ ${ky.short}`));
    return box.svg;
  }

  function draw() {
    const key = keyAt(state.x);
    const mapped = state.kind === "map" && canMap();
    const controls = el("div", { class: "controls" });
    const set = (name) => (value) => { state[name] = value; draw(); };
    if (axesKeys.length > 1) controls.append(choice("against", axesKeys.map((k) => [String(k.at), k.short]), state.x, set("x")));
    if (canMap()) controls.append(choice("as", [["lines", "lines"], ["map", "heat map"]], state.kind, set("kind")));
    if (mapped) controls.append(choice("scheme", schemes.map((s) => [s, s]), state.scheme, set("scheme")));
    for (const other of others()) {
      if (mapped && other.at === second().at) continue;
      controls.append(choice(other.short, values(other).map((v) => [v, v]), state.filter[other.at], (value) => { state.filter[other.at] = value; draw(); }));
    }
    const shown = ["cct_over_bound", "cct_us"].filter((name) => measures.some(([m]) => m === name));
    const more = measures.filter(([name]) => !shown.includes(name));
    state.more ??= "";
    if (more.length) controls.append(choice("and", [["", "nothing more"], ...more], state.more, set("more")));
    const kind = mapped ? map : key && numeric(key) ? lines : bars;
    const figures = [...shown, ...(state.more ? [state.more] : [])].map((name) => kind(measures.find(([m]) => m === name))).filter(Boolean);
    const pair = el("div", { class: `pair ${figures.length > 1 ? "two" : ""}` }, figures);
    place.replaceChildren(controls, pair, ...(kind === lines ? [legend([...schemes.map((s) => [s, colorOf(s)])])] : []));
  }
  draw();
  redraws.push(draw);
})();
