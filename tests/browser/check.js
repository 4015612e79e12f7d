// Runs behind the page's own script and does what a reader would do; what goes wrong is a line of the report.

(() => {
  const problems = [];
  const expect = (what, is) => { if (!is) problems.push(what); };
  window.addEventListener("error", (event) => problems.push(`error: ${event.message}`));
  document.addEventListener("securitypolicyviolation", (event) => problems.push(`blocked: ${event.blockedURI} ${event.violatedDirective}`));
  const table = document.getElementById("table");
  const heads = [...table.tHead.rows[0].cells];
  // Sorting by time, both ways.
  const at = heads.findIndex((head) => head.dataset.column === "cct_us");
  const times = () => [...table.tBodies[0].rows].map((row) => row.cells[at].textContent).filter(Boolean).map(Number);
  for (const sign of [1, -1]) {
    heads[at].querySelector("button").click();
    const list = times();
    expect(`sorting, ${sign}`, list.every((time, n) => n === 0 || sign * (time - list[n - 1]) >= 0));
  }
  // A filter that fits the first row, and one that fits none.
  const filter = document.getElementById("filter");
  const shown = () => [...table.tBodies[0].rows].filter((row) => !row.hidden).length;
  for (const [text, fits] of [["no such word", (n) => n === 0], ["", (n) => n === table.tBodies[0].rows.length]]) {
    filter.value = text;
    filter.dispatchEvent(new Event("input"));
    expect(`filter "${text}"`, fits(shown()));
  }
  // What the script draws from is what the table says.
  for (const row of table.tBodies[0].rows) {
    const known = data.rows[rowOfPoint.get(row.dataset.point)];
    heads.forEach((head, n) => {
      const column = data.columns.indexOf(head.dataset.column);
      if (!head.dataset.column || column < 0) return;
      const [text, value] = [row.cells[n].textContent, known[column]];
      expect(`point ${row.dataset.point}, ${head.dataset.column}: ${text} and ${value}`, value === null ? text === "" : typeof value === "number" ? Number(text) === value : text === value);
    });
  }
  expect("charts", document.querySelectorAll("#chart svg").length > 0);
  // Every slider moves, every bar of a timeline tells something, every list can be changed.
  const slider = document.querySelector("#details input[type=range]");
  if (slider) {
    const before = document.querySelector("#details canvas").toDataURL();
    let moved = false;
    for (let step = 0; step <= Number(slider.max); step++) {
      slider.value = step;
      slider.dispatchEvent(new Event("input"));
      moved ||= document.querySelector("#details canvas").toDataURL() !== before;
    }
    expect("slider", moved);
  }
  for (const bar of [...document.querySelectorAll("#details .bar")].slice(0, 1)) {
    bar.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    expect("a click on a bar tells of it", document.querySelector("#details .inspect").textContent.length > 20);
  }
  for (const select of document.querySelectorAll("#chart select, #details select")) {
    select.selectedIndex = select.options.length - 1;
    select.dispatchEvent(new Event("change"));
  }
  for (const key of ["+", "ArrowRight", ".", "Enter"]) {
    document.querySelector("#details [role=group]")?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  }
  document.getElementById("theme").click();
  document.getElementById("theme").click();
  expect("requests", performance.getEntriesByType("resource").length === 0);
  setTimeout(() => {
    const report = document.createElement("pre");
    report.id = "checked";
    report.textContent = problems.length ? problems.slice(0, 20).join("\n") : "nothing wrong";
    document.body.append(report);
  }, 200);
})();
