// The media graph: fetched anew while it is looked at; what is under the pointer or has the focus shows its ties.

const EVERY = 2500;
const SAID = JSON.parse(document.getElementById("mg-words").textContent);
const t = (text) => SAID[text] ?? text;
const root = document.getElementById("mg");
const said = document.getElementById("mg-said");
const usual = said.textContent;
let shown = null;

function light(key) {
  for (const drawing of root.querySelectorAll(".mg-drawing")) {
    const chosen = key !== "" && drawing.querySelector(`[data-key="${CSS.escape(key)}"]`) !== null;
    const lit = new Set([key]);
    for (const line of drawing.querySelectorAll(".mg-line")) {
      const on = chosen && (line.dataset.from === key || line.dataset.to === key);
      line.classList.toggle("is-lit", on);
      if (on) lit.add(line.dataset.from).add(line.dataset.to);
    }
    for (const box of drawing.querySelectorAll(".mg-box")) box.classList.toggle("is-lit", chosen && lit.has(box.dataset.key));
    drawing.classList.toggle("is-chosen", chosen);
  }
}

const keyOf = (target) => target.closest?.("[data-key]")?.dataset.key ?? "";

function replace(text) {
  if (text === shown) return;
  shown = text;
  const focused = root.contains(document.activeElement) ? keyOf(document.activeElement) : "";
  const open = [...root.querySelectorAll("details")].map((one) => one.open);
  const scrolled = [...root.querySelectorAll(".rs-scroll")].map((one) => one.scrollLeft);
  const onTable = document.activeElement?.tagName === "SUMMARY" && root.contains(document.activeElement)
    ? [...root.querySelectorAll("summary")].indexOf(document.activeElement) : -1;
  root.innerHTML = text;
  root.querySelectorAll("details").forEach((one, place) => { one.open = open[place] ?? false; });
  root.querySelectorAll(".rs-scroll").forEach((one, place) => { one.scrollLeft = scrolled[place] ?? 0; });
  if (focused) root.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  root.querySelectorAll("summary")[onTable]?.focus({ preventScroll: true });
  light(focused);
}

async function fetchNews() {
  const response = await fetch(root.dataset.source, { signal: AbortSignal.timeout(20000) });
  if (response.redirected) throw new Error(t("You are signed out; reload the page"));
  if (!response.ok) throw new Error(t("The server does not answer as it should"));
  return response.text();
}

async function follow() {
  for (;;) {
    await new Promise((done) => setTimeout(done, EVERY));
    if (document.hidden) continue;
    let problem = "";
    try {
      replace(await fetchNews());
    } catch (failure) {
      problem = failure.message;
    }
    root.classList.toggle("is-stale", problem !== "");
    const now = problem || usual;
    if (said.textContent !== now) said.textContent = now;
  }
}

root.addEventListener("pointerover", (event) => light(keyOf(event.target)));
root.addEventListener("pointerleave", () => light(keyOf(document.activeElement)));
root.addEventListener("focusin", (event) => light(keyOf(event.target)));
root.addEventListener("focusout", () => light(""));
follow();
