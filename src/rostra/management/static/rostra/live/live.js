// Status > Live View: the platform as a graph, drawn anew each second without moving what has not changed.

import { arrange, bend, labels, named, obstacles, Orbits, radius } from "./layout.js";
import { about, calls, count, kind, participants, rate, state, t } from "./words.js";

const EVERY = 1000;
const LARGEST_SCALE = 1.25;
const LEGIBLE = 0.8; // of the drawn size of text; when everything is drawn smaller, text is not
const root = document.getElementById("live");
const svg = document.getElementById("lv-graph");
const details = document.getElementById("lv-details");
const tip = document.getElementById("lv-tip");
const orbits = new Orbits();
const drawn = new Map();
const view = { data: null, layout: null, signature: "", selected: "", hovered: "", heard: 0, problem: "" };

// ---- small things

function element(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  set(made, attributes);
  made.append(...children);
  return made;
}

function set(target, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (target.getAttribute(name) !== String(value)) target.setAttribute(name, value);
  }
}

function say(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

function html(name, classes, ...children) {
  const made = document.createElement(name);
  if (classes) made.className = classes;
  made.append(...children);
  return made;
}

/** Keep one element for each item: made once, changed in place, removed with its item. */
function sync(layer, items, key, make, update) {
  const kept = drawn.get(layer) ?? drawn.set(layer, new Map()).get(layer);
  const parent = document.getElementById(layer);
  const seen = new Set();
  for (const item of items) {
    const name = key(item);
    seen.add(name);
    if (!kept.has(name)) {
      const made = make(item);
      kept.set(name, made);
      parent.append(made);
    }
    update(kept.get(name), item);
  }
  for (const [name, old] of kept) {
    if (!seen.has(name)) {
      old.remove();
      kept.delete(name);
    }
  }
}

/** An element that can be pointed at, clicked and reached with the keyboard. */
function active(made, key) {
  set(made, { tabindex: 0, role: "button", "data-key": key });
  return made;
}

// ---- drawing

function draw() {
  const { data } = view;
  const box = svg.getBoundingClientRect();
  const ratio = Math.round((10 * box.width) / Math.max(box.height, 1)) / 10 || 1.6;
  const signature = JSON.stringify([ratio, data.locations.map((one) => one.id), data.nodes.map((one) => [one.id, one.location])]);
  if (signature !== view.signature) {
    view.signature = signature;
    view.layout = arrange(data, ratio);
  }
  const fitting = Math.min(box.width / view.layout.width, box.height / view.layout.height) || 1;
  const scale = Math.min(fitting, LARGEST_SCALE);
  const [width, height] = [view.layout.width, view.layout.height].map((side) => (side * fitting) / scale);
  set(svg, { viewBox: `${(view.layout.width - width) / 2} ${(view.layout.height - height) / 2} ${width} ${height}` });
  const large = Math.min(1.7, Math.max(1, LEGIBLE / scale)).toFixed(2);
  if (svg.style.getPropertyValue("--large") !== large) svg.style.setProperty("--large", large);
  const largest = Math.max(0, ...data.nodes.map((node) => node.hd));
  const sizes = new Map(data.nodes.map((node) => [node.id, radius(node, largest)]));
  drawGroups(data);
  drawNodes(data, sizes);
  drawLinks(data, sizes);
  drawConferences(data, sizes);
  sums(data);
  light();
}

function drawGroups(data) {
  const locations = new Map(data.locations.map((one) => [one.id, one]));
  sync(
    "lv-groups", view.layout.groups, (one) => one.id,
    (one) => active(element("g", { class: "lv-group" }, element("rect", { rx: 16 }), element("text", { class: "lv-place" }), element("text", { class: "lv-room" })), `location:${one.id}`),
    (made, one) => {
      const location = locations.get(one.id);
      made.style.setProperty("--hue", hue(one.id));
      set(made.children[0], { x: one.x, y: one.y, width: one.width, height: one.height });
      set(made.children[1], { x: one.x + 16, y: one.y + 30 });
      set(made.children[2], { x: one.x + one.width - 16, y: one.y + 30 });
      say(made.children[1], shorten(location.name, one.columns * 14));
      const room = one.columns > 1 ? t("%s % of %s HD", location.load, location.hd) : `${location.load} %`;
      say(made.children[2], room);
      set(made, { "aria-label": t("Location %s, %s % of %s HD ports in use", location.name, location.load, location.hd) });
    },
  );
}

function drawNodes(data, sizes) {
  sync(
    "lv-nodes", data.nodes.filter((node) => view.layout.nodes.has(node.id)), (node) => node.id,
    (node) =>
      active(
        element("g", { class: "lv-node" },
          element("circle", { class: "lv-body" }), element("circle", { class: "lv-track" }), element("circle", { class: "lv-ring", pathLength: 100 }),
          element("text", { class: "lv-load" }), element("text", { class: "lv-name" }), element("text", { class: "lv-note" })),
        `node:${node.id}`),
    (made, node) => {
      const at = view.layout.nodes.get(node.id);
      const size = sizes.get(node.id);
      const [body, track, ring, load, name, note] = made.children;
      made.style.transform = `translate(${at.x}px, ${at.y}px)`;
      made.style.setProperty("--hue", hue(node.location));
      set(made, {
        class: `lv-node is-${node.state} ${level(node.load)}${node.role === "PROXYING" ? " is-proxy" : ""}`,
        "aria-label": `${node.name}, ${state(node)}, ${t("load")} ${node.load} %, ${calls(node.legs)}`,
      });
      set(body, { r: size });
      set(track, { r: size - 5 });
      set(ring, { r: size - 5, "stroke-dasharray": `${node.load} 100` });
      const alive = node.state === "normal" || node.state === "maintenance";
      say(load, alive ? `${node.load}%` : "✕");
      load.style.fontSize = alive ? `${Math.min(16 * Number(svg.style.getPropertyValue("--large")), 0.72 * (size - 10)).toFixed(1)}px` : "";
      const large = Number(svg.style.getPropertyValue("--large"));
      const below = size + 6 + 14 * large;
      set(name, { y: below });
      set(note, { y: below + 15 * large });
      say(name, named(node.name, large));
      say(note, node.state === "normal" ? calls(node.legs) : state(node));
    },
  );
}

const hue = (location) => (location * 137) % 360;
const level = (load) => (load >= 90 ? "is-full" : load >= 70 ? "is-busy" : "");

function drawLinks(data, sizes) {
  const key = (link) => `${link.a}|${link.b}`;
  const there = data.links
    .filter((link) => view.layout.nodes.has(link.a) && view.layout.nodes.has(link.b))
    .sort((one, other) => key(one).localeCompare(key(other)));
  const end = (node) => ({ ...view.layout.nodes.get(node), r: sizes.get(node) });
  const lines = new Map(there.map((link) => [key(link), bend(end(link.a), end(link.b))]));
  const large = Number(svg.style.getPropertyValue("--large"));
  const said = there.map((link) => `${link.streams} · ${rate(link.kbps)}`);
  const halves = said.map((text) => ({ w: ((text.length * 6.3 + 14) / 2) * large, h: 10 * large }));
  const spots = labels([...lines.values()], halves, obstacles(data, view.layout, sizes, large));
  const spot = new Map(there.map((link, place) => [key(link), spots[place]]));
  sync(
    "lv-links", there, key,
    (link) => active(element("g", { class: "lv-link" }, element("path", { class: "lv-reach" }), element("path", { class: "lv-line" })), `link:${key(link)}`),
    (made, link) => {
      const { path } = lines.get(key(link));
      set(made, { class: `lv-link is-${link.scope}`, "aria-label": `${t("Backplane %s to %s", link.a, link.b)}, ${count(link.streams, t("stream"), t("streams"))}, ${rate(link.kbps)}` });
      set(made.children[0], { d: path });
      set(made.children[1], { d: path, "stroke-width": (1.6 + Math.min(5, Math.log10(1 + link.kbps / 500) * 2.6)).toFixed(2) });
    },
  );
  sync(
    "lv-labels", there, key,
    (link) => element("g", { class: "lv-label", "data-of": `link:${key(link)}` }, element("rect", { rx: 9, height: 19 }), element("text")),
    (made, link) => {
      const { x, y } = spot.get(key(link));
      const text = `${link.streams} · ${rate(link.kbps)}`;
      const wide = text.length * 6.3 + 14;
      set(made, { transform: `translate(${x}, ${y}) scale(${large})` });
      set(made.children[0], { x: -wide / 2, y: -9.5, width: wide });
      set(made.children[1], { y: 4 });
      say(made.children[1], text);
    },
  );
  svg.classList.toggle("is-dense", there.length > 12);
}

function drawConferences(data, sizes) {
  orbits.keep(data.conferences);
  const placed = [];
  for (const one of data.conferences) {
    const at = orbits.at(one.id, view.layout.nodes.get(one.nodes[0]), sizes.get(one.nodes[0]));
    if (at) placed.push({ ...one, at });
  }
  sync(
    "lv-conferences", placed, (one) => one.id,
    (one) => active(element("g", { class: "lv-conference" }, element("circle"), element("path", { class: "lv-lock", d: "M-3 0h6v4.5h-6zM-1.8 0v-1.8a1.8 1.8 0 0 1 3.6 0v1.8" })), `conference:${one.id}`),
    (made, one) => {
      made.style.transform = `translate(${one.at.x}px, ${one.at.y}px)`;
      set(made, {
        class: `lv-conference is-${one.type}${one.locked ? " is-locked" : ""}`,
        "aria-label": `${kind(one.type)} ${one.name}, ${participants(one.people.length)}${one.locked ? `, ${t("locked")}` : ""}`,
      });
      set(made.children[0], { r: Math.min(11, 5 + Math.sqrt(one.people.length) * 1.3).toFixed(1) });
    },
  );
  const strings = placed.flatMap((one) => one.nodes.slice(1).filter((node) => view.layout.nodes.has(node)).map((node) => ({ id: one.id, node, from: one.at })));
  sync(
    "lv-strings", strings, (one) => `${one.id}|${one.node}`,
    (one) => element("path", { class: "lv-string", "data-of": `conference:${one.id}` }),
    (made, one) => set(made, { d: bend(one.from, { ...view.layout.nodes.get(one.node), r: sizes.get(one.node) }, -0.1).path }),
  );
}

function shorten(text, most) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

function sums(data) {
  const alive = data.nodes.filter((node) => node.state === "normal" || node.state === "maintenance").length;
  const people = data.conferences.reduce((total, one) => total + one.people.length, 0);
  const texts = [
    t("%s of %s", alive, count(data.nodes.length, t("node"), t("nodes"))),
    count(data.conferences.length, t("conference"), t("conferences")),
    participants(people),
    t("%s between nodes", rate(data.links.reduce((total, link) => total + link.kbps, 0))),
  ];
  const list = document.getElementById("lv-sums");
  if (list.children.length !== texts.length) list.replaceChildren(...texts.map(() => html("li")));
  texts.forEach((text, place) => say(list.children[place], text));
}

// ---- selection

/** Everything that belongs to what is pointed at or selected. */
function relatives(key) {
  const { data } = view;
  const found = new Set([key]);
  const [sort, ...rest] = key.split(":");
  const id = rest.join(":");
  const addConference = (one) => {
    found.add(`conference:${one.id}`);
    one.nodes.forEach((node) => found.add(`node:${node}`));
  };
  if (sort === "node") {
    data.conferences.filter((one) => one.nodes.includes(id)).forEach((one) => found.add(`conference:${one.id}`));
    for (const link of data.links.filter((one) => one.a === id || one.b === id)) {
      [`link:${link.a}|${link.b}`, `node:${link.a}`, `node:${link.b}`].forEach((other) => found.add(other));
    }
  } else if (sort === "conference") {
    data.conferences.filter((one) => one.id === id).forEach(addConference);
    data.links.filter((link) => link.conferences.includes(id)).forEach((link) => found.add(`link:${link.a}|${link.b}`));
  } else if (sort === "link") {
    id.split("|").forEach((node) => found.add(`node:${node}`));
    const link = data.links.find((one) => `${one.a}|${one.b}` === id);
    (link?.conferences ?? []).forEach((one) => found.add(`conference:${one}`));
  } else {
    data.nodes.filter((node) => String(node.location) === id).forEach((node) => found.add(`node:${node.id}`));
  }
  return found;
}

function light() {
  const key = view.hovered || view.selected;
  const lit = key && view.data ? relatives(key) : new Set();
  svg.classList.toggle("is-focused", lit.size > 0);
  for (const one of svg.querySelectorAll("[data-key], [data-of]")) {
    one.classList.toggle("is-lit", lit.has(one.dataset.key ?? one.dataset.of));
    one.classList.toggle("is-chosen", one.dataset.key === view.selected && view.selected !== "");
  }
  describe();
}

function select(key) {
  view.selected = key;
  tip.hidden = true;
  light();
}

function describe() {
  const told = view.selected && view.data ? about(view.data, view.selected) : null;
  const text = JSON.stringify(told ?? view.selected);
  if (details.dataset.shown === text) return;
  details.dataset.shown = text;
  const focused = details.contains(document.activeElement) ? document.activeElement.dataset.go : "";
  if (!told) {
    const words = view.selected ? t("This has ended.") : t("Point at something to see what belongs together; click it, or choose it with Tab and Enter, to keep its details here.");
    details.replaceChildren(html("p", "lv-hint", words));
    return;
  }
  const title = html("h2", "", told.title);
  const close = html("button", "lv-close", "✕");
  close.setAttribute("aria-label", t("Close details"));
  close.addEventListener("click", () => select(""));
  const lines = html("dl", "", ...told.lines.map(([label, value]) => html("div", "", html("dt", "", label), html("dd", "", value))));
  const lists = told.lists.filter(([, items]) => items.length).map(([label, items]) => html("section", "", html("h3", "", `${label} (${items.length})`), html("ul", "", ...items.map(entry))));
  const pages = [[told.page, t("All details")], [told.media, t("Media Graph")]].filter(([page]) => page).map(([page, words]) => link(page, words));
  details.replaceChildren(html("p", "lv-sort", told.sort), close, title, lines, ...lists, ...pages);
  if (focused) details.querySelector(`[data-go="${CSS.escape(focused)}"]`)?.focus();
}

function entry([text, key, note]) {
  const row = html("li");
  if (key) {
    const go = html("button", "", text || t("(no name)"));
    go.dataset.go = key;
    go.addEventListener("click", () => select(key));
    row.append(go);
  } else {
    row.append(html("span", "", text || t("(no name)")));
  }
  if (note) row.append(html("span", "lv-aside", note));
  return row;
}

function link(page, words) {
  const made = html("a", "lv-more", words);
  made.href = page;
  return made;
}

function hover(key, event) {
  view.hovered = key;
  const told = key && key !== view.selected && view.data ? about(view.data, key) : null;
  tip.hidden = !told;
  if (told) {
    const people = told.lists.find(([label]) => label === t("Participants"))?.[1] ?? [];
    const more = people.slice(0, 8).map(([name]) => name).concat(people.length > 8 ? [t("and %s more", people.length - 8)] : []);
    tip.replaceChildren(html("strong", "", told.title), html("span", "", told.sort), ...told.lines.map(([label, value]) => html("span", "", `${label}: ${value}`)), ...more.map((name) => html("em", "", name)));
    place(event);
  }
  light();
}

function place(event) {
  const frame = tip.parentElement.getBoundingClientRect();
  const left = event.clientX - frame.left + 16;
  const top = event.clientY - frame.top + 16;
  tip.style.left = `${Math.max(0, Math.min(left, frame.width - tip.offsetWidth - 8))}px`;
  tip.style.top = `${Math.max(0, Math.min(top, frame.height - tip.offsetHeight - 8))}px`;
}

const keyOf = (event) => event.target.closest?.("[data-key]")?.dataset.key ?? "";
svg.addEventListener("pointermove", (event) => {
  const key = keyOf(event);
  if (key !== view.hovered) hover(key, event);
  else if (key) place(event);
});
svg.addEventListener("pointerleave", (event) => hover("", event));
svg.addEventListener("click", (event) => select(keyOf(event)));
svg.addEventListener("keydown", (event) => {
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    select(keyOf(event));
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") select("");
});

// ---- news

async function fetchNews() {
  const response = await fetch(root.dataset.source, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(8000) });
  if (response.redirected || !(response.headers.get("Content-Type") ?? "").startsWith("application/json")) {
    throw new Error(response.redirected ? t("You are signed out; reload the page") : t("The server says %s", response.status));
  }
  return response.json();
}

async function follow() {
  for (;;) {
    if (!document.hidden) {
      try {
        view.data = await fetchNews();
        view.heard = performance.now();
        view.problem = "";
        draw();
      } catch (problem) {
        view.problem = problem.message;
      }
      report();
    }
    await new Promise((done) => setTimeout(done, EVERY));
  }
}

function report() {
  const stale = view.problem !== "";
  const ago = Math.round((performance.now() - view.heard) / 1000);
  document.getElementById("lv-pulse").classList.toggle("is-stale", stale);
  root.classList.toggle("is-stale", stale);
  say(document.getElementById("lv-said"), stale ? `${view.problem}${view.heard ? ` (${t("last news %s s ago", ago)})` : ""}` : t("Live"));
}

new ResizeObserver(() => view.data && draw()).observe(svg);
describe();
follow();
