// What every page does: moments in the zone of who reads them, and help texts that can be put away.
const MOMENT = /^(\s*)(\d{4}-\d\d-\d\d) (\d\d:\d\d)(:\d\d)? \(UTC\)(\s*)$/;
const HELP = "rostra.help";

const two = (number) => String(number).padStart(2, "0");

function local(date, time, seconds) {
  const moment = new Date(`${date}T${time}${seconds ?? ":00"}Z`);
  const named = new Intl.DateTimeFormat(document.documentElement.lang || undefined, { timeZoneName: "short" });
  const zone = named.formatToParts(moment).find((part) => part.type === "timeZoneName")?.value ?? "";
  const day = [moment.getFullYear(), two(moment.getMonth() + 1), two(moment.getDate())].join("-");
  const clock = [two(moment.getHours()), two(moment.getMinutes())];
  return `${day} ${(seconds ? [...clock, two(moment.getSeconds())] : clock).join(":")} (${zone})`;
}

function translate(place) {
  const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const found = MOMENT.exec(node.data);
    if (found && !node.parentElement?.title) {
      const [whole, before, date, time, seconds, after] = found;
      node.parentElement.title = whole.trim();
      node.data = before + local(date, time, seconds) + after;
    }
  }
}

function help() {
  const button = document.getElementById("rs-help");
  if (!button || !document.querySelector(".rs-help")) {
    return;
  }
  const show = (shown) => {
    document.documentElement.classList.toggle("rs-no-help", !shown);
    button.setAttribute("aria-pressed", String(shown));
  };
  show(localStorage.getItem(HELP) !== "off");
  button.hidden = false;
  button.addEventListener("click", () => {
    const shown = button.getAttribute("aria-pressed") !== "true";
    localStorage.setItem(HELP, shown ? "on" : "off");
    show(shown);
  });
}

// Lists to choose from are made once the page is there; their icons have a text, but nothing that may have one.
window.addEventListener("load", () =>
  setTimeout(() => {
    for (const icon of document.querySelectorAll(".selector .search-label-icon")) {
      icon.setAttribute("role", "img");
    }
  }),
);

document.addEventListener("DOMContentLoaded", () => {
  help();
  translate(document.body);
  new MutationObserver((changes) => {
    for (const node of changes.flatMap((change) => [...change.addedNodes])) {
      if (node.nodeType === Node.ELEMENT_NODE) {
        translate(node);
      }
    }
  }).observe(document.body, { childList: true, subtree: true });
});
