// The fabric: tiers of switches from top to bottom, cables between them, what is wrong in red.

const linkName = (fabric, link) => fabric.names[link]
  ?? `${fabric.nodes[fabric.links[link][0]][0]}->${fabric.nodes[fabric.links[link][1]][0]}`;

function drawFabric(place, fabric, detail) {
  const tiers = new Map();
  const below = new Map();
  fabric.nodes.forEach(([, tier], node) => {
    if (tier === 0) return;
    const at = tier ?? 0;
    if (!tiers.has(at)) tiers.set(at, []);
    tiers.get(at).push(node);
  });
  const cables = new Map();
  fabric.links.forEach(([from, to], link) => {
    const [a, b] = [fabric.nodes[from][1], fabric.nodes[to][1]];
    if (a === 0 || b === 0) {
      if (a === 0) below.set(to, (below.get(to) ?? 0) + 1);
      return;
    }
    const key = from < to ? `${from} ${to}` : `${to} ${from}`;
    if (!cables.has(key)) cables.set(key, { ends: [Math.min(from, to), Math.max(from, to)], links: [] });
    cables.get(key).links.push(link);
  });
  const order = [...tiers.keys()].sort((a, b) => b - a);
  const width = 1180, gap = 120;
  const svg = drawing(width, Math.max(1, order.length) * gap - 40, "drawing of the fabric");
  const at = new Map();
  const rowOf = new Map();
  order.forEach((tier, row) => {
    const nodes = tiers.get(tier);
    const step = (width - 40) / nodes.length;
    nodes.forEach((node, n) => { at.set(node, [20 + (n + 0.5) * step, row * gap + 30]); rowOf.set(node, step); });
  });
  const ends = heatColors();
  const use = (cable) => Math.max(...cable.links.map((link) => detail?.links?.utilisation[link] ?? 0));
  const most = Math.max(1e-9, ...[...cables.values()].map(use));
  const faulty = (cable) => cable.links.some((link) => fabric.faults[link] || fabric.rates[link] === 0);
  const many = cables.size > 3000;
  const sorted = [...cables.values()].sort((a, b) => faulty(a) - faulty(b) || use(a) - use(b));
  for (const cable of sorted) {
    const bad = faulty(cable);
    if (many && !bad) continue;
    const [[x1, y1], [x2, y2]] = cable.ends.map((node) => at.get(node));
    const told = cable.links.map((link) => `${linkName(fabric, link)}: ${fabric.rates[link]} Gb/s${fabric.faults[link] ? `, ${fabric.faults[link]}` : ""}`
      + (detail?.links ? `, ${short(detail.links.utilisation[link] * 100)} % used` : ""));
    svg.append(el("line", { x1, y1: y1 + 9, x2, y2: y2 - 9, stroke: bad ? "var(--bad)" : detail?.links ? shade(use(cable) / most * 0.9 + 0.1, ends) : "var(--line)",
      "stroke-width": bad ? 2.5 : detail?.links ? 0.8 + 2.2 * use(cable) / most : 1, "stroke-dasharray": bad ? "6 4" : null }, el("title", {}, told.join("\n"))));
  }
  for (const [node, [x, y]] of at) {
    const step = rowOf.get(node);
    const box = Math.min(54, step - 2);
    const name = fabric.nodes[node][0];
    const hosts = below.get(node);
    svg.append(el("rect", { x: x - box / 2, y: y - 9, width: Math.max(1.5, box), height: 18, rx: 3, fill: "var(--card)", stroke: "var(--muted)" },
      el("title", {}, hosts ? `${name}, ${hosts} hosts` : name)));
    if (step > 44) svg.append(el("text", { x, y: y + 4, "text-anchor": "middle", style: "font-size:11px" }, name.length * 6 > box + 4 ? name.replace(/[a-z-]+(?=\d)/g, (word) => word[0]) : name));
    if (hosts && step > 30) svg.append(el("text", { x, y: y + 26, "text-anchor": "middle", class: "muted", style: "font-size:11px" }, step > 60 ? `${hosts} hosts` : hosts));
  }
  const faults = Object.entries(fabric.faults).map(([link, what]) => `${linkName(fabric, link)}: ${what}`);
  const notes = [];
  if (many) notes.push(`${cables.size} cables between switches: only those with faults are drawn.`);
  if (fabric.left_out) notes.push(`${fabric.left_out} links are left out.`);
  if (detail?.links) notes.push(`Darker and thicker cables are used more, up to ${short(most * 100)} %.`);
  notes.push(faults.length ? `Faults: ${faults.slice(0, 24).join("; ")}${faults.length > 24 ? `; and ${faults.length - 24} more` : ""}.` : "No faults.");
  place.append(svg, el("p", { class: "note" }, notes.join(" ")));
}

// Lower by upper switches: how much of every link is used, over the whole run or in one step of it.
function drawHeat(place, fabric, detail) {
  const pairs = new Map();
  fabric.links.forEach(([from, to], link) => {
    const [a, b] = [fabric.nodes[from][1], fabric.nodes[to][1]];
    if (!a || !b || a === b) return;
    const key = `${Math.min(a, b)} ${Math.max(a, b)}`;
    if (!pairs.has(key)) pairs.set(key, { up: [], down: [] });
    pairs.get(key)[a < b ? "up" : "down"].push(link);
  });
  if (!pairs.size) return;
  const series = detail.series;
  const byLink = series && new Map(series.links.map((link, at) => [link, at]));
  const used = series && unpack(series.utilisation);
  const state = { pair: [...pairs.keys()][0], step: -1 };
  const steps = series?.times.length ?? 0;
  const value = (link) => {
    if (state.step < 0) return detail.links?.utilisation[link] ?? 0;
    const at = byLink.get(link);
    return at === undefined ? 0 : used[at * steps + state.step] / 200;
  };
  const read = el("div", { class: "read", role: "status" });
  const panels = el("div", { class: "panels" });
  const scale = el("p", { class: "note" });
  const inside = [...pairs.values()].flatMap(({ up, down }) => [...up, ...down]);
  const most = Math.max(1e-9, ...inside.map((link) => detail.links?.utilisation[link] ?? 0));
  // The whole run from 0 to the most used link, a step of it from 0 to all that a link can carry.
  const full = () => (state.step < 0 && detail.links ? most : 1);

  function panel(links, title, isUp) {
    const [lower, upper] = isUp ? [0, 1] : [1, 0];
    const list = (end) => [...new Set(links.map((link) => fabric.links[link][end]))].sort((a, b) => a - b);
    const [rows, columns] = [list(lower), list(upper)];
    const [rowAt, columnAt] = [rows, columns].map((nodes) => new Map(nodes.map((node, n) => [node, n])));
    const grid = new Map();
    for (const link of links) {
      const key = rowAt.get(fabric.links[link][lower]) * columns.length + columnAt.get(fabric.links[link][upper]);
      if (!grid.has(key) || value(link) > value(grid.get(key))) grid.set(key, link);
    }
    const size = Math.max(2, Math.min(44, Math.floor(440 / Math.max(rows.length, columns.length))));
    const canvas = el("canvas", { width: columns.length * size, height: rows.length * size, tabindex: 0, role: "img",
      "aria-label": `${title}: rows are ${fabric.nodes[rows[0]][0]} to ${fabric.nodes[rows.at(-1)][0]}, columns ${fabric.nodes[columns[0]][0]} to ${fabric.nodes[columns.at(-1)][0]}; arrow keys read the cells` });
    const context = canvas.getContext("2d");
    const ends = heatColors();
    for (const [key, link] of grid) {
      const [r, c] = [Math.floor(key / columns.length), key % columns.length];
      const dead = fabric.rates[link] === 0;
      context.fillStyle = dead ? "#b3261e" : shade(value(link) / full(), ends);
      context.fillRect(c * size, r * size, size, size);
    }
    const tell = (r, c) => {
      const link = grid.get(r * columns.length + c);
      read.textContent = link === undefined ? "" : `${linkName(fabric, link)}: ${fabric.rates[link] === 0 ? "down" : `${short(value(link) * 100)} % used`}`;
    };
    let [r, c] = [0, 0];
    canvas.addEventListener("mousemove", (event) => {
      const box = canvas.getBoundingClientRect();
      tell(Math.floor((event.clientY - box.top) / box.height * rows.length), Math.floor((event.clientX - box.left) / box.width * columns.length));
    });
    canvas.addEventListener("keydown", (event) => {
      const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      if (!move) return;
      event.preventDefault();
      r = Math.max(0, Math.min(rows.length - 1, r + move[0]));
      c = Math.max(0, Math.min(columns.length - 1, c + move[1]));
      tell(r, c);
    });
    const ends2 = (nodes) => `${fabric.nodes[nodes[0]][0]} … ${fabric.nodes[nodes.at(-1)][0]}`;
    return el("figure", {}, el("figcaption", {}, title), canvas,
      el("p", { class: "note" }, `rows: ${ends2(rows)}; columns: ${ends2(columns)}`));
  }

  function draw() {
    scale.textContent = `Light: idle; dark: used ${short(full() * 100)} % of the time; red: down.`;
    const { up, down } = pairs.get(state.pair);
    panels.replaceChildren(...[[up, "upwards", true], [down, "downwards", false]].filter(([links]) => links.length).map(([links, title, isUp]) => panel(links, title, isUp)));
  }
  const controls = el("div", { class: "controls" });
  if (pairs.size > 1) controls.append(choice("tiers", [...pairs.keys()].map((key) => [key, key.replace(" ", " and ")]), state.pair, (pair) => { state.pair = pair; draw(); }));
  if (series) {
    const when = el("span", { class: "read" }, "whole run");
    const slider = el("input", { type: "range", min: -1, max: steps - 1, value: -1, "aria-label": "time",
      input: () => {
        state.step = Number(slider.value);
        when.textContent = state.step < 0 ? "whole run" : `until ${time(series.times[state.step])}`;
        draw();
      } });
    controls.append(el("label", { class: "wide" }, "time", slider, when));
  }
  place.append(el("h3", {}, "Use of links, lower by upper switch"), controls, panels, read, scale);
  draw();
}
