// Keeps the bell, and the table of the page of alarms, up to date. A page in the background rests.
const bell = document.getElementById("rs-bell");
const rows = document.getElementById("rs-alarms");
const period = rows ? 5000 : 30000;

async function refresh() {
  if (document.hidden) return;
  const answer = await fetch(bell.dataset.source + (rows ? "?rows" : ""), { credentials: "same-origin", redirect: "manual" });
  if (!answer.ok) return; // logged out, or the server restarts
  const { count, rows: body } = await answer.json();
  const shown = bell.querySelector(".rs-bell-count");
  shown.textContent = count;
  shown.hidden = !count;
  bell.classList.toggle("rs-ringing", count > 0);
  bell.setAttribute("aria-label", count ? `${bell.dataset.said}: ${count}` : bell.dataset.none);
  if (rows && body !== undefined && !rows.contains(document.activeElement)) rows.innerHTML = body;
}

if (bell) {
  const again = () => refresh().catch(() => undefined); // no network for the moment
  setInterval(again, period);
  document.addEventListener("visibilitychange", again);
}
