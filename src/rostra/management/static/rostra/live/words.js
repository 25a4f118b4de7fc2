// What Live View says about things, in the language of the page.

const SAID = JSON.parse(globalThis.document?.getElementById("lv-words")?.textContent ?? "{}");

/** `text` in that language, with `values` for each %s. */
export const t = (text, ...values) => values.reduce((said, value) => said.replace("%s", () => value), SAID[text] ?? text);

const KINDS = {
  conference: t("Virtual Meeting Room"),
  lecture: t("Virtual Auditorium"),
  two_stage_dialing: t("Virtual Reception"),
  test_call: t("Test Call Service"),
  gateway: t("Gateway call"),
};
const STATES = {
  normal: t("in service"),
  maintenance: t("maintenance mode"),
  lost: t("no contact"),
  not_reporting: t("not reporting"),
  never: t("never heard of"),
};

export const kind = (value) => KINDS[value] ?? value ?? "";
export const state = (node) => STATES[node.state] ?? node.state;
export const count = (number, one, many) => `${number} ${number === 1 ? one : many}`;
export const calls = (number) => count(number, t("call"), t("calls"));
export const participants = (number) => count(number, t("participant"), t("participants"));

export function rate(kbps) {
  return kbps >= 1000 ? `${(kbps / 1000).toFixed(1)} Mbit/s` : `${kbps} kbit/s`;
}

export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] ? parts : parts.slice(1);
  return shown.map((part, place) => (place ? String(part).padStart(2, "0") : String(part))).join(":");
}

/** Title, lines of `[label, value]` and lists for what is selected; null when it is gone. */
export function about(data, key) {
  const [sort, ...rest] = key.split(":");
  const id = rest.join(":");
  if (sort === "node") return aboutNode(data, data.nodes.find((node) => node.id === id));
  if (sort === "conference") return aboutConference(data, data.conferences.find((one) => one.id === id));
  if (sort === "link") return aboutLink(data, data.links.find((link) => `${link.a}|${link.b}` === id));
  return aboutLocation(data, data.locations.find((one) => String(one.id) === id));
}

function aboutNode(data, node) {
  if (!node) return null;
  const carried = data.conferences.filter((one) => one.nodes.includes(node.id));
  return {
    sort: node.role === "PROXYING" ? t("Proxying Edge Node") : t("Conferencing Node"),
    title: node.name,
    page: node.page,
    lines: [
      [t("Address"), node.address],
      [t("State"), state(node) + (node.silent ? ` ${t("for %s", duration(node.silent))}` : "")],
      [t("Media load"), `${node.load} %`],
      [t("Capacity"), count(node.hd, t("HD call"), t("HD calls"))],
      [t("Calls signalled here"), String(node.calls)],
      [t("Media carried here"), String(node.legs)],
      [t("Version"), node.version || "–"],
    ],
    lists: [[t("Conferences"), carried.map((one) => [one.name, `conference:${one.id}`, participants(one.people.length)])]],
  };
}

function aboutConference(data, one) {
  if (!one) return null;
  const names = new Map(data.nodes.map((node) => [node.id, node.name]));
  return {
    sort: kind(one.type),
    title: one.name,
    page: one.page,
    media: one.media,
    lines: [
      [t("In progress for"), duration(data.time - one.start)],
      [t("Locked"), one.locked ? t("yes") : t("no")],
      [t("Participants"), String(one.people.length)],
    ],
    lists: [
      [t("Media nodes"), one.nodes.map((node) => [names.get(node) ?? node, `node:${node}`, ""])],
      [t("Participants"), one.people.map((who) => [who.name, "", [who.role === "chair" ? t("Host") : "", mark(who.marker)].filter(Boolean).join(", ")])],
    ],
  };
}

const mark = (marker) => ({ presenting: t("presenting"), streaming: t("streaming"), api: t("control only") })[marker] ?? "";

function aboutLink(data, link) {
  if (!link) return null;
  const names = new Map(data.nodes.map((node) => [node.id, node.name]));
  const carried = data.conferences.filter((one) => link.conferences.includes(one.id));
  return {
    sort: link.scope === "geo" ? t("Backplane between locations") : t("Backplane within a location"),
    title: `${names.get(link.a) ?? link.a} – ${names.get(link.b) ?? link.b}`,
    page: "",
    lines: [
      [t("Streams"), String(link.streams)],
      [t("Bit rate"), rate(link.kbps)],
    ],
    lists: [[t("Conferences"), carried.map((one) => [one.name, `conference:${one.id}`, ""])]],
  };
}

function aboutLocation(data, location) {
  if (!location) return null;
  const here = data.nodes.filter((node) => node.location === location.id);
  return {
    sort: t("Location"),
    title: location.name,
    page: "",
    lines: [
      [t("Media load"), `${location.load} %`],
      [t("Capacity"), count(location.hd, t("HD call"), t("HD calls"))],
    ],
    lists: [[t("Conferencing Nodes"), here.map((node) => [node.name, `node:${node.id}`, state(node)])]],
  };
}
