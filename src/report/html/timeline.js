// Who was at what and when: operations of ranks, and flows of senders. A click tells the path, and what was waited for.

function gantt(place, title, rows, bars, until, pick) {
  const width = 1180, left = 130, right = width - 12, height = 22;
  const total = rows.length * height + 46;
  const view = { from: 0, to: until };
  const holder = el("div", { tabindex: 0, role: "group", "aria-label": `${title}: arrow keys move, plus and minus zoom, comma and period step through, Enter tells more` });
  let picked = -1;
  function draw() {
    const svg = drawing(width, total, title);
    const x = axis(view.from, view.to, left, right, false);
    const [unit, size] = timeUnit(view.to);
    for (const tick of steps(view.from / size, view.to / size, 8)) {
      const at = x.at(tick * size);
      svg.append(el("line", { x1: at, x2: at, y1: 0, y2: rows.length * height, class: "grid" }),
        el("text", { x: at, y: rows.length * height + 16, "text-anchor": "middle" }, short(tick)));
    }
    svg.append(el("text", { x: (left + right) / 2, y: rows.length * height + 36, "text-anchor": "middle", class: "muted" }, `time (${unit})`));
    rows.forEach((row, n) => svg.append(el("text", { x: left - 8, y: n * height + 15, "text-anchor": "end", class: "rowname", click: () => pick.row?.(n) }, row)));
    bars.forEach((bar, n) => {
      if (bar.end < view.from || bar.start > view.to) return;
      const [a, b] = [Math.max(left, x.at(bar.start)), Math.min(right, x.at(bar.end))];
      const [top, tall] = bar.lanes > 1 ? [bar.row * height + 1 + bar.lane * (height - 2) / bar.lanes, (height - 2) / bar.lanes] : [bar.row * height + 2, height - 4];
      svg.append(el("rect", { x: a, y: top, width: Math.max(0.6, b - a), height: Math.max(1, tall - 0.4), fill: bar.color, class: n === picked ? "bar picked" : "bar", "fill-opacity": bar.lanes > 1 ? 0.8 : 1,
        click: () => choose(n) }, el("title", {}, bar.title)));
    });
    holder.replaceChildren(svg);
  }
  function choose(n) {
    picked = n;
    draw();
    pick.bar(n);
  }
  function zoom(factor, shift = 0) {
    const span = Math.min(until, (view.to - view.from) * factor);
    const middle = (view.from + view.to) / 2 + shift * (view.to - view.from);
    view.from = Math.max(0, Math.min(until - span, middle - span / 2));
    view.to = view.from + span;
    draw();
  }
  holder.addEventListener("keydown", (event) => {
    const act = { "+": () => zoom(0.5), "-": () => zoom(2), ArrowLeft: () => zoom(1, -0.25), ArrowRight: () => zoom(1, 0.25),
      ".": () => choose(Math.min(bars.length - 1, picked + 1)), ",": () => choose(Math.max(0, picked - 1)), Enter: () => picked >= 0 && pick.bar(picked) }[event.key];
    if (act) { event.preventDefault(); act(); }
  });
  const button = (text, label, act) => el("button", { click: act, "aria-label": label }, text);
  place.append(el("h3", {}, title), el("div", { class: "controls" }, button("+", "zoom in", () => zoom(0.5)), button("−", "zoom out", () => zoom(2)),
    button("←", "earlier", () => zoom(1, -0.25)), button("→", "later", () => zoom(1, 0.25)), button("all", "whole time", () => zoom(1e9))), holder);
  draw();
  return { choose };
}

function drawTimeline(place, inspect, timeline, detail, until) {
  const bars = timeline.what.map(([row, op, purpose], n) => ({
    row, start: timeline.start[n], end: timeline.end[n], color: PURPOSES[timeline.purposes[purpose]] ?? COLORS[2],
    title: `${timeline.ops[op]} (${timeline.purposes[purpose]}): ${time(timeline.start[n])} to ${time(timeline.end[n])}`,
    op: timeline.ops[op], purpose: timeline.purposes[purpose],
  }));
  const kinds = new Set(bars.map((bar) => bar.purpose));
  // Computing lies on top of what it hides.
  const order = bars.map((bar, n) => n).sort((a, b) => (bars[a].purpose === "compute") - (bars[b].purpose === "compute"));
  const sorted = order.map((n) => bars[n]);
  const pick = {
    bar: (n) => {
      const bar = sorted[n];
      const before = sorted.filter((other) => other.row === bar.row && other !== bar && other.end <= bar.start * (1 + 1e-9) + 1e-9)
        .sort((a, b) => b.end - a.end)[0];
      const flow = lastInto(detail, timeline.rows[bar.row], bar.start, bar.end);
      inspect.replaceChildren(el("div", { class: "card" }, el("b", {}, `${bar.op} on ${timeline.rows[bar.row]}`), ` (${bar.purpose}): `,
        `${time(bar.start)} to ${time(bar.end)}, ${time(bar.end - bar.start)}.`,
        el("p", { class: "note" }, before ? `Before it the rank ended ${before.op} at ${time(before.end)}: it waited ${time(Math.max(0, bar.start - before.end))} in between.` : "It is the first of the rank."),
        flow >= 0 && bar.purpose !== "compute" ? flowButton(detail, inspect, flow, "the flow that ended it: ") : null));
    },
    row: (row) => {
      const own = sorted.filter((bar) => bar.row === row);
      const sums = new Map();
      for (const bar of own) sums.set(bar.purpose, (sums.get(bar.purpose) ?? 0) + bar.end - bar.start);
      const longest = [...own].sort((a, b) => b.end - b.start - a.end + a.start).slice(0, 5);
      inspect.replaceChildren(el("div", { class: "card" }, el("b", {}, timeline.rows[row]), `: ${own.length} operations; `,
        [...sums].map(([purpose, us]) => `${purpose} ${time(us)} (${short(us / until * 100)} %)`).join(", "), ". The longest:",
        el("ol", {}, longest.map((bar) => el("li", {}, `${bar.op}, ${time(bar.end - bar.start)}`)))));
    },
  };
  gantt(place, "Operations of ranks", timeline.rows, sorted, until, pick);
  place.append(legend([...kinds].map((kind) => [kind, PURPOSES[kind] ?? COLORS[2]])));
  if (timeline.left_out) place.append(el("p", { class: "note" }, `${timeline.left_out} more intervals are in timeline.csv and ops.csv.`));
}

// The last flow into a host that ends within a time, by its place.
function lastInto(detail, name, start, end) {
  const flows = detail.flows;
  const host = Number(/^host (\d+)/.exec(name)?.[1] ?? NaN);
  if (!flows || Number.isNaN(host)) return -1;
  let found = -1, latest = -1;
  flows.id.forEach((_, n) => {
    const done = flows.start[n] + flows.fct[n];
    if (flows.dst[n] === host && done <= end + 1e-6 && done >= start && done > latest) [found, latest] = [n, done];
  });
  return found;
}

function flowButton(detail, inspect, n, before = "") {
  const flows = detail.flows;
  return el("span", {}, before, el("button", { click: () => tellFlow(detail, inspect, n) }, `flow ${flows.id[n]}: ${flows.src[n]} → ${flows.dst[n]}`));
}

// A flow: its path, the link to blame, and the chain of those that it waited for.
function tellFlow(detail, inspect, n) {
  const flows = detail.flows;
  const fabric = data.fabrics[detail.fabric];
  const place = new Map(flows.id.map((id, at) => [id, at]));
  const used = new Map();
  if (fabric && detail.links) fabric.links.forEach((_, link) => used.set(linkName(fabric, link), detail.links.utilisation[link]));
  const path = flows.path[n].map((at) => flows.names[at]);
  const measured = path.filter((name) => used.has(name)).sort((a, b) => used.get(b) - used.get(a))[0];
  const blamed = measured ?? (flows.blamed[n] === null ? null : flows.names[flows.blamed[n]]);
  const slower = flows.ideal[n] ? flows.fct[n] / flows.ideal[n] : null;
  const chain = [];
  for (let at = n, left = 1000; at !== undefined && left; left--) {
    const before = flows.after[at];
    at = before === null ? undefined : place.get(before);
    if (at !== undefined) chain.push(at);
  }
  const told = (at) => `, ${bytes(flows.bytes[at])}, ${time(flows.start[at])} to ${time(flows.start[at] + flows.fct[at])}`;
  inspect.replaceChildren(el("div", { class: "card" }, el("b", {}, `Flow ${flows.id[n]}: host ${flows.src[n]} to host ${flows.dst[n]}`), told(n),
    slower ? `; ${short(slower)} times as long as alone` : "", ".",
    el("p", {}, path.length ? "Path: " : "Path: the network chose among all paths, or all were used. ",
      path.map((name, at) => [at ? ", " : "", el(name === blamed ? "b" : "span", {}, used.has(name) ? `${name} (${short(used.get(name) * 100)} % used)` : name)]).flat()),
    blamed ? el("p", {}, "Link to blame: ", el("b", { class: "bad" }, blamed), measured ? `, ${short(used.get(blamed) * 100)} % used` : ", which has the most to carry", ".") : null,
    chain.length ? el("div", {}, `It waited for ${chain.length} flow${chain.length > 1 ? "s, one after the other, the last first" : ""}:`,
      el("ol", {}, chain.slice(0, 12).map((at) => el("li", {}, flowButton(detail, inspect, at), told(at)))), chain.length > 12 ? `and ${chain.length - 12} more` : "")
      : flows.after[n] === null ? el("p", { class: "note" }, "It waited for no other flow.") : el("p", { class: "note" }, `It waited for flow ${flows.after[n]}, which is not on this page.`)));
}

function drawFlows(place, inspect, detail, until) {
  const flows = detail.flows;
  const MOST = 24, LANES = 6;
  const hosts = [...new Set(flows.src)].sort((a, b) => a - b);
  const slot = el("div");
  function draw(first) {
    const shown = hosts.slice(first, first + MOST);
    const rowOf = new Map(shown.map((host, row) => [host, row]));
    const ends = new Map();
    const bars = [], which = [];
    const order = flows.id.map((_, n) => n).filter((n) => rowOf.has(flows.src[n])).sort((a, b) => flows.start[a] - flows.start[b]);
    for (const n of order) {
      const lanes = ends.get(flows.src[n]) ?? [];
      const end = flows.start[n] + flows.fct[n];
      let lane = lanes.findIndex((busy) => busy <= flows.start[n] + 1e-9);
      if (lane < 0) lane = lanes.length < LANES ? lanes.length : lanes.indexOf(Math.min(...lanes));
      lanes[lane] = end;
      ends.set(flows.src[n], lanes);
      const slow = flows.ideal[n] ? flows.fct[n] / flows.ideal[n] : 1;
      bars.push({ row: rowOf.get(flows.src[n]), lane, start: flows.start[n], end, color: slow < 1.2 ? "#009e73" : slow < 2 ? "#e69f00" : "#d55e00",
        title: `flow ${flows.id[n]} to host ${flows.dst[n]}: ${bytes(flows.bytes[n])}, ${time(flows.fct[n])}, ${short(slow)} times as long as alone` });
      which.push(n);
    }
    for (const bar of bars) bar.lanes = Math.max(1, ends.get(shown[bar.row]).length);
    slot.replaceChildren();
    gantt(slot, "Flows of senders", shown.map((host) => `host ${host}`), bars, until, {
      bar: (n) => tellFlow(detail, inspect, which[n]),
      row: (row) => {
        const own = which.filter((n) => flows.src[n] === shown[row]).sort((a, b) => flows.start[b] + flows.fct[b] - flows.start[a] - flows.fct[a]);
        tellFlow(detail, inspect, own[0]);
      },
    });
  }
  if (hosts.length > MOST) {
    const pages = Array.from({ length: Math.ceil(hosts.length / MOST) }, (_, n) => [String(n * MOST), `${hosts[n * MOST]} to ${hosts[Math.min(hosts.length, (n + 1) * MOST) - 1]}`]);
    place.append(el("div", { class: "controls" }, choice("senders", pages, "0", (first) => draw(Number(first)))));
  }
  place.append(slot, legend([["less than 1.2 times as long as alone", "#009e73"], ["up to twice", "#e69f00"], ["longer", "#d55e00"]]));
  if (flows.left_out) place.append(el("p", { class: "note" }, `${flows.left_out} more flows are in flows.csv.`));
  draw(0);
}
