// Fields that look for rows are drawn by a script, without the name of their label: give it to them.
function name(place) {
  for (const select of place.querySelectorAll("select.select2-hidden-accessible")) {
    const label = document.querySelector(`label[for="${CSS.escape(select.id)}"]`);
    const text = select.getAttribute("aria-label") || label?.textContent.trim().replace(/\*$/, "");
    const drawn = select.nextElementSibling;
    if (!text || !drawn) {
      continue;
    }
    for (const part of drawn.querySelectorAll("[role=combobox], [role=textbox], .select2-search__field")) {
      part.removeAttribute("aria-labelledby");
      part.setAttribute("aria-label", text);
    }
  }
}

// The other script may come first or last, and draws the fields of added rows much later.
new MutationObserver((changes) => {
  if (changes.some((change) => [...change.addedNodes].some((node) => node.classList?.contains("select2")))) {
    name(document);
  }
}).observe(document, { childList: true, subtree: true });
document.addEventListener("DOMContentLoaded", () => name(document));
window.addEventListener("load", () => name(document));
