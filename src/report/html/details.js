// A point in detail, or two beside each other; the theme.

(() => {
  const place = byId("details");
  const points = Object.keys(data.details).sort((a, b) => rowOfPoint.get(a) - rowOfPoint.get(b));
  const fabricPlace = byId("fabric");
  const known = points.filter((point) => data.details[point].links || data.details[point].flows || data.details[point].timeline || data.details[point].series);

  function showFabric(point) {
    const detail = data.details[point];
    fabricPlace.replaceChildren();
    if (detail?.fabric === null || detail === undefined) {
      fabricPlace.append(el("p", { class: "note" }, "The folder has no fabric: an earlier version wrote it, or it has too many links to draw."));
      return;
    }
    fabricPlace.append(el("p", { class: "note" }, `Of point ${describe(rowOfPoint.get(point))}.`));
    drawFabric(fabricPlace, data.fabrics[detail.fabric], detail);
  }

  const state = { a: known[0], b: "" };
  const end = (point) => {
    const row = rowOfPoint.get(point);
    const { timeline, flows, series } = data.details[point];
    const latest = (list) => (list ?? []).reduce((a, b) => Math.max(a, b), 0);
    return Math.max(cell(row, "cct_us") ?? 0, latest(timeline?.end), latest(flows?.start.map((start, n) => start + flows.fct[n])), latest(series?.times));
  };

  function view(point, until) {
    const detail = data.details[point];
    const row = rowOfPoint.get(point);
    const box = el("div");
    const inspect = el("div", { class: "inspect", role: "status", "aria-live": "polite" });
    const figures = ["cct_us", "bound_us", "cct_over_bound", "busbw_GBps"].map((name) => [name, cell(row, name)]).filter(([, value]) => value !== null);
    box.append(el("h3", {}, describe(row)), el("p", { class: "note" }, figures.map(([name, value]) => `${name} ${value}`).join(", ")));
    if (detail.step) drawStep(box, detail.step);
    if (detail.jobs?.length) drawJobs(box, detail.jobs);
    const fabric = data.fabrics[detail.fabric];
    if (fabric && (detail.links || detail.series)) drawHeat(box, fabric, detail);
    if (fabric && detail.series?.top.length) drawSeries(box, fabric, detail.series, until);
    if (detail.timeline) drawTimeline(box, inspect, detail.timeline, detail, until);
    if (detail.flows?.id.length) drawFlows(box, inspect, detail, until);
    box.append(inspect);
    return box;
  }

  function drawStep(box, step) {
    const all = step.parts.reduce((sum, [, us]) => sum + us, 0);
    const told = ([name, us]) => `${name}: ${time(us)}, ${short(us / all * 100)} %`;
    box.append(el("h3", {}, "Where the time goes (mean over the ranks)"),
      el("div", { class: "stack", role: "img", "aria-label": step.parts.map(told).join("; ") },
        step.parts.map((part) => el("span", { style: `width:${part[1] / all * 100}%;background:${PURPOSES[part[0]]}`, title: told(part) }))),
      legend(step.parts.map((part) => [told(part), PURPOSES[part[0]]])));
  }

  function drawJobs(box, jobs) {
    const names = ["job", "ranks", "start_us", "cct_us", "alone_us", "slowdown"];
    box.append(el("h3", {}, "Jobs"), el("div", { class: "scroll" }, el("table", {},
      el("thead", {}, el("tr", {}, names.map((name) => el("th", {}, name)))),
      el("tbody", {}, jobs.map((job) => el("tr", {}, names.map((name) => el("td", {}, job[name] === null ? "" : String(job[name])))))))));
  }

  function draw() {
    for (const row of byId("table").tBodies[0].rows) row.classList.toggle("chosen", row.dataset.point === state.a || row.dataset.point === state.b);
    if (!known.length) {
      place.replaceChildren(el("p", { class: "note" }, "No details were kept: write flows, links, ops = true, or series = \"10us\", under [output], and run the experiment again."));
      return;
    }
    const names = known.map((point) => [point, describe(rowOfPoint.get(point))]);
    const controls = el("div", { class: "controls" }, choice("point", names, state.a, (a) => { state.a = a; draw(); showFabric(a); }),
      choice("beside it", [["", "nothing"], ...names], state.b, (b) => { state.b = b; draw(); }));
    const shown = [state.a, state.b].filter(Boolean);
    const until = Math.max(...shown.map(end));
    place.replaceChildren(controls, el("div", { class: `pair ${shown.length > 1 ? "two" : ""}` }, shown.map((point) => view(point, until))));
  }

  const rows = byId("table").tBodies[0];
  for (const row of rows.rows) row.classList.toggle("detailed", row.dataset.point in data.details);
  rows.addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (row && known.includes(row.dataset.point)) { state.a = row.dataset.point; draw(); }
    if (row && row.dataset.point in data.details) showFabric(row.dataset.point);
  });
  showFabric(known[0] ?? points[0]);
  draw();
  redraws.push(() => { draw(); showFabric(state.a ?? points[0]); });

  byId("theme").addEventListener("click", () => {
    const dark = document.documentElement.dataset.theme
      ? document.documentElement.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.dataset.theme = dark ? "light" : "dark";
    redraws.forEach((redraw) => redraw());
  });
})();
