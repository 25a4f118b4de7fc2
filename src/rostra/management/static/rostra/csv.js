// How far an import is; the page is loaded again once it has ended.
const place = document.getElementById("csv-progress");
const bar = place.querySelector("progress");

async function look() {
  try {
    const answer = await fetch(place.dataset.url, { credentials: "same-origin" });
    const state = await answer.json();
    if (!state.works) {
      location.reload();
      return;
    }
    bar.value = state.percent;
  } catch {
    // The next look may succeed: the connection can be gone for a moment.
  }
  setTimeout(look, 700);
}

look();
