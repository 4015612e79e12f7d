// News of a running experiment: progress, and the whole page anew when points have finished.

(() => {
  const address = document.currentScript.dataset.address;
  const news = new EventSource(`${address}/events`);
  const shown = data.rows.length;
  news.onmessage = (event) => {
    const { done, points, share, state } = JSON.parse(event.data);
    byId("progress").value = share;
    byId("news").textContent = `${done} of ${points} points, ${state}`;
    byId("cancel").hidden = state !== "running";
    if (state !== "running") news.close();
    if (state !== "running" && shown !== done) location.reload();
  };
  byId("cancel").addEventListener("click", () => fetch(`${address}/cancel`, { method: "POST" }));
})();
