// Queues and utilisation of the links with the longest queues, under one crosshair.

function drawSeries(place, fabric, series, until) {
  const width = 1180, left = 70, right = width - 12;
  const [unit, size] = timeUnit(until);
  const x = axis(0, until, left, right, false);
  const panels = [
    ["queue", "queue (KiB)", 1024, Math.max(1, series.queue_max)],
    ["utilisation", "utilisation (%)", 0.01, Math.max(1, ...series.top.flatMap((top) => top.utilisation))],
  ];
  const height = 190;
  const svg = drawing(width, panels.length * height + 40, "queues and utilisation over time");
  const colors = series.top.map((_, n) => COLORS[n % COLORS.length]);
  panels.forEach(([name, title, of, high], p) => {
    const [top, bottom] = [p * height + 24, p * height + height - 6];
    const y = axis(0, high * 1.04, bottom, top, false);
    svg.append(el("text", { x: 4, y: top - 8, class: "muted" }, title));
    for (const tick of steps(0, high / of, 4)) {
      const at = y.at(tick * of);
      svg.append(el("line", { x1: left, x2: right, y1: at, y2: at, class: "grid" }), el("text", { x: left - 6, y: at + 4, "text-anchor": "end" }, short(tick)));
    }
    series.top.forEach((line, n) => {
      const points = line[name].map((value, step) => `${x.at(series.times[step]).toFixed(1)},${y.at(value).toFixed(1)}`);
      svg.append(el("polyline", { points: points.join(" "), fill: "none", stroke: colors[n], "stroke-width": 1.5 }));
    });
  });
  const base = panels.length * height + 12;
  for (const tick of steps(0, until / size)) svg.append(el("text", { x: x.at(tick * size), y: base, "text-anchor": "middle" }, short(tick)));
  svg.append(el("text", { x: (left + right) / 2, y: base + 18, "text-anchor": "middle", class: "muted" }, `time (${unit})`));
  const hair = el("line", { y1: 20, y2: panels.length * height, class: "axis", visibility: "hidden" });
  svg.append(hair);
  const read = el("div", { class: "read", role: "status" });
  let step = 0;
  const show = (to) => {
    step = Math.max(0, Math.min(series.times.length - 1, to));
    const at = x.at(series.times[step]);
    hair.setAttribute("x1", at);
    hair.setAttribute("x2", at);
    hair.setAttribute("visibility", "visible");
    read.replaceChildren(`${time(series.times[step])}: `, ...series.top.map((line, n) => el("span", { style: "margin-right:14px" },
      el("b", { style: `color:${colors[n]}` }, linkName(fabric, line.link)), ` ${bytes(line.queue[step])}, ${short(line.utilisation[step] * 100)} %`)));
  };
  svg.addEventListener("mousemove", (event) => {
    const box = svg.getBoundingClientRect();
    const us = ((event.clientX - box.left) / box.width * width - left) / (right - left) * until;
    show(series.times.findIndex((end) => end >= us));
  });
  svg.setAttribute("tabindex", 0);
  svg.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
    if (move) { event.preventDefault(); show(step + move); }
  });
  place.append(el("h3", {}, "Queues and utilisation of the links with the longest queues"), svg, legend(series.top.map((line, n) => [linkName(fabric, line.link), colors[n]])), read);
}
