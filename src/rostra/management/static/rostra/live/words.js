// What Live View says about things.

const KINDS = {
  conference: "Virtual Meeting Room",
  lecture: "Virtual Auditorium",
  two_stage_dialing: "Virtual Reception",
  test_call: "Test Call Service",
  gateway: "Gateway call",
};
const STATES = {
  normal: "in service",
  maintenance: "maintenance mode",
  lost: "no contact",
  not_reporting: "not reporting",
  never: "never heard of",
};

export const kind = (value) => KINDS[value] ?? value ?? "";
export const state = (node) => STATES[node.state] ?? node.state;
export const count = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

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
    sort: node.role === "PROXYING" ? "Proxying Edge Node" : "Conferencing Node",
    title: node.name,
    page: node.page,
    lines: [
      ["Address", node.address],
      ["State", state(node) + (node.silent ? ` for ${duration(node.silent)}` : "")],
      ["Media load", `${node.load} %`],
      ["Capacity", count(node.hd, "HD call")],
      ["Calls signalled here", String(node.calls)],
      ["Media carried here", String(node.legs)],
      ["Version", node.version || "–"],
    ],
    lists: [["Conferences", carried.map((one) => [one.name, `conference:${one.id}`, count(one.people.length, "participant")])]],
  };
}

function aboutConference(data, one) {
  if (!one) return null;
  const names = new Map(data.nodes.map((node) => [node.id, node.name]));
  return {
    sort: kind(one.type),
    title: one.name,
    page: one.page,
    lines: [
      ["In progress for", duration(data.time - one.start)],
      ["Locked", one.locked ? "yes" : "no"],
      ["Participants", String(one.people.length)],
    ],
    lists: [
      ["Media nodes", one.nodes.map((node) => [names.get(node) ?? node, `node:${node}`, ""])],
      ["Participants", one.people.map((who) => [who.name, "", [who.role === "chair" ? "Host" : "", mark(who.marker)].filter(Boolean).join(", ")])],
    ],
  };
}

const mark = (marker) => ({ presenting: "presenting", streaming: "streaming", api: "control only" })[marker] ?? "";

function aboutLink(data, link) {
  if (!link) return null;
  const names = new Map(data.nodes.map((node) => [node.id, node.name]));
  const carried = data.conferences.filter((one) => link.conferences.includes(one.id));
  return {
    sort: link.scope === "geo" ? "Backplane between locations" : "Backplane within a location",
    title: `${names.get(link.a) ?? link.a} – ${names.get(link.b) ?? link.b}`,
    page: "",
    lines: [
      ["Streams", String(link.streams)],
      ["Bit rate", rate(link.kbps)],
    ],
    lists: [["Conferences", carried.map((one) => [one.name, `conference:${one.id}`, ""])]],
  };
}

function aboutLocation(data, location) {
  if (!location) return null;
  const here = data.nodes.filter((node) => node.location === location.id);
  return {
    sort: "Location",
    title: location.name,
    page: "",
    lines: [
      ["Media load", `${location.load} %`],
      ["Capacity", count(location.hd, "HD call")],
    ],
    lists: [["Conferencing Nodes", here.map((node) => [node.name, `node:${node.id}`, state(node)])]],
  };
}
