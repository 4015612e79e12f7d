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
  // And what results.csv says, where it lies beside the page.
  for (const [number, known] of (window.csvRows ?? []).entries()) {
    const row = [...table.tBodies[0].rows].find((row) => row.dataset.point === known.point);
    expect(`row ${number} of results.csv`, row !== undefined);
    heads.forEach((head, n) => {
      if (row && head.dataset.column) expect(`point ${known.point}, ${head.dataset.column} of results.csv`, row.cells[n].textContent === known[head.dataset.column]);
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
  const click = (element) => element.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  const inspected = () => document.querySelector("#details .inspect").textContent;
  const group = (title) => [...document.querySelectorAll("#details [role=group]")].find((holder) => holder.getAttribute("aria-label").startsWith(title));
  if (group("Operations")) {
    click(group("Operations").querySelector(".bar:last-of-type"));
    expect("an operation tells when it was", / on host \d+ .*: .* to /.test(inspected()));
    click(group("Operations").querySelector(".rowname"));
    expect("a rank tells its operations", /host 0: \d+ operations; .* %/.test(inspected()));
  }
  if (group("Flows")) {
    // A flow that waited for others: its path, the link to blame, and the others.
    const flows = data.details[Object.keys(data.details).sort((a, b) => rowOfPoint.get(a) - rowOfPoint.get(b))[0]].flows;
    let waited = false;
    for (let n = 0; n < group("Flows").querySelectorAll(".bar").length && !waited; n++) {
      click(group("Flows").querySelectorAll(".bar")[n]);
      waited = inspected().includes("It waited for ") && !inspected().includes("no other flow");
      const told = /^Flow (\d+): host (\d+) to host (\d+)/.exec(inspected());
      const at = flows.id.indexOf(Number(told[1]));
      expect(`flow ${told[1]} is that of the data`, flows.src[at] === Number(told[2]) && flows.dst[at] === Number(told[3]));
      const path = flows.path[at].map((name) => flows.names[name]);
      expect(`path of flow ${told[1]}`, !path.length || path.every((name) => inspected().includes(name)));
      const blamed = /Link to blame: (\S+?),/.exec(inspected());
      expect(`link to blame of flow ${told[1]}`, !path.length || path.includes(blamed?.[1]));
    }
    expect("some flow waited for others", waited);
    const before = inspected();
    click(document.querySelector("#details .inspect li button"));
    expect("what it waited for is told, too", inspected().startsWith("Flow ") && inspected() !== before);
    click(group("Flows").querySelector(".rowname"));
    expect("a sender tells its last flow", inspected().startsWith("Flow "));
  }
  // One crosshair for queues and utilisation, by mouse and by keys.
  const series = document.querySelector('#details svg[aria-label="queues and utilisation over time"]');
  if (series) {
    const read = series.parentNode.querySelector("[role=status]:not(.inspect)") && [...series.parentNode.querySelectorAll(".read")].at(-1);
    const box = series.getBoundingClientRect();
    series.dispatchEvent(new MouseEvent("mousemove", { clientX: box.left + box.width / 2, clientY: box.top + 20, bubbles: true }));
    const middle = read.textContent;
    expect("the crosshair reads queue and utilisation", /B, .* %/.test(middle));
    series.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
    expect("keys move the crosshair", read.textContent !== middle);
  }
  // A heat map where two numbers are swept: every cell is a number of the table.
  const kind = [...document.querySelectorAll("#chart select")].find((select) => [...select.options].some((option) => option.value === "map"));
  if (kind) {
    kind.value = "map";
    kind.dispatchEvent(new Event("change"));
    const cells = [...document.querySelectorAll("#chart svg rect title")].map((title) => Number(title.textContent.split(": ").at(-1)));
    const known = new Set(data.rows.flatMap((_, row) => [cell(row, "cct_us"), cell(row, "cct_over_bound")]));
    expect("a heat map has cells", cells.length >= 8);
    expect("the cells of a heat map are numbers of the table", seedDiffers || cells.every((value) => known.has(value)));
  }
  for (const select of document.querySelectorAll("#chart select, #details select")) {
    select.selectedIndex = select.options.length - 1;
    select.dispatchEvent(new Event("change"));
  }
  for (const key of ["+", "ArrowRight", ".", "Enter"]) {
    document.querySelector("#details [role=group]")?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  }
  const back = () => getComputedStyle(document.body).backgroundColor;
  const light = back();
  document.getElementById("theme").click();
  expect("light and dark", back() !== light);
  document.getElementById("theme").click();
  // Two schemes beside each other.
  const beside = [...document.querySelectorAll("#details select")].find((select) => select.options[0].value === "");
  if (beside) expect("two points beside each other", document.querySelectorAll("#details .pair.two > div").length === 2);
  expect("requests", performance.getEntriesByType("resource").length === 0);
  setTimeout(() => {
    const report = document.createElement("pre");
    report.id = "checked";
    report.textContent = problems.length ? problems.slice(0, 20).join("\n") : "nothing wrong";
    document.body.append(report);
  }, 200);
})();
