// Keeps the list of synchronisations up to date: often while one goes on, seldom otherwise.
"use strict";

const body = document.getElementById("rs-sync");

async function refresh() {
  try {
    const response = await fetch(body.dataset.source, { headers: { Accept: "text/html" } });
    if (response.ok && !response.redirected) body.innerHTML = await response.text();
  } catch {
    // The Management Node cannot be reached now; the next turn tries again.
  }
  later();
}

function later() {
  setTimeout(refresh, body.querySelector("[data-goes-on]") ? 1500 : 10000);
}

later();
