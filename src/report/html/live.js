// News of a running experiment: how far it is, and the page anew when it has ended or somebody asks for it.

(() => {
  const address = document.currentScript.dataset.address;
  const part = (name) => document.getElementById(name);
  const shown = part("table")?.tBodies[0].rows.length ?? 0;
  const news = new EventSource(`${address}/events`);
  news.onmessage = (event) => {
    const { done, points, share, state } = JSON.parse(event.data);
    part("progress").value = state === "done" ? 1 : share;
    part("news").textContent = `${done} of ${points} points, ${state}`;
    part("cancel").hidden = state !== "running";
    part("show").hidden = done <= shown;
    if (state !== "running") {
      news.close();
      if (done > shown) location.reload();
    } else if (!shown && done > 0) {
      setTimeout(() => location.reload(), 1000);
    }
  };
  part("show").addEventListener("click", () => location.reload());
  part("cancel").addEventListener("click", () => fetch(`${address}/cancel`, { method: "POST" }));
})();
