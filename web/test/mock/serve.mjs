/**
 * A mock Conferencing Node for trying the web app without one: serves dist/ and the subset of the client API the
 * app uses. Media comes from a page, /__mock/media, opened in the same browser: it answers the offers with a drawn
 * picture. Aliases: `meet.demo` (open), `pin.host` (Host PIN 1234, Guests without PIN), `pin.both` (1234 / 5678),
 * `reception` (asks for an extension), `full`, anything else 404. Not part of the product.
 */
import { randomUUID } from "node:crypto";
import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const dist = process.env.DIST ?? join(here, "../../dist");
const port = Number(process.env.PORT ?? 8090);
const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".mjs": "text/javascript",
  ".png": "image/png",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
};
const VERSION = { version_id: "36", pseudo_version: "0.1.0" };

const people = new Map(); // uuid → {token, row, stream, waiting}
const flags = { locked: false, guests_muted: false, started: true, guests_can_unmute: true };
let layout = { view: "1:7", participants: [], overlay_text_enabled: false };
let presenter; // row of who presents
const LAYOUTS = {
  "1:0": [[4, 4, 152, 82]],
  "1:7": [[30, 4, 100, 56], ...strip(7)],
  "2x2": grid(2),
  "3x3": grid(3),
  ac: [
    [4, 4, 96, 82],
    [104, 4, 52, 39],
    [104, 47, 52, 39],
  ],
};
function strip(count) {
  return Array.from({ length: count }, (_, index) => [6 + index * 21.4, 66, 19, 18]);
}
function grid(side) {
  const [w, h] = [152 / side, 82 / side];
  return Array.from({ length: side * side }, (_, i) => [
    4 + (i % side) * w + 1,
    4 + Math.floor(i / side) * h + 1,
    w - 2,
    h - 2,
  ]);
}
const drawn = (boxes) =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 160 90">${boxes
    .map(
      ([x, y, w, h], i) =>
        `<rect x="${x}" y="${y}" width="${w}" height="${h}" rx="3" fill="${i ? "#BBBFC3" : "currentColor"}"/>`,
    )
    .join("")}</svg>`;
let mediaPage; // SSE response of /__mock/media
const offers = new Map(); // id → resolve

const send = (res, status, result, ok = status === 200) => {
  res.writeHead(status, { "Content-Type": "application/json" });
  res.end(JSON.stringify({ status: ok ? "success" : "failed", result }));
};
const emit = (person, name, data) =>
  person.stream?.write(`id: ${randomUUID()}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
const emitAll = (name, data) => {
  for (const person of people.values()) emit(person, name, data);
};

function newRow(name, role, extra = {}) {
  return {
    uuid: randomUUID(),
    display_name: name,
    role,
    service_type: "conference",
    protocol: "api",
    start_time: Date.now() / 1000,
    has_media: false,
    is_video_call: "NO",
    is_audio_only_call: "NO",
    is_muted: "NO",
    is_presenting: "NO",
    is_client_muted: false,
    is_video_muted: false,
    buzz_time: 0,
    mute_supported: "YES",
    disconnect_supported: "YES",
    transfer_supported: "YES",
    supports_direct_chat: true,
    rx_presentation_policy: "ALLOW",
    can_receive_personal_mix: true,
    receive_from_video_mix: { mix_name: "main", timestamp: 0 },
    spotlight: 0,
    ...extra,
  };
}

function addPerson(row) {
  const person = { token: randomUUID(), row, stream: undefined };
  people.set(row.uuid, person);
  emitAll("participant_create", row);
  return person;
}

function removePerson(uuid, reason) {
  const person = people.get(uuid);
  if (!person) return;
  people.delete(uuid);
  if (reason) emit(person, "disconnect", { reason });
  person.stream?.end();
  emitAll("participant_delete", { uuid });
}

function change(uuid, members) {
  const person = people.get(uuid);
  if (!person) return;
  person.row = { ...person.row, ...members };
  emitAll("participant_update", person.row);
}

/** Give the floor to `uuid`; undefined: nobody has it. */
function present(uuid) {
  const before = presenter;
  presenter = uuid;
  if (before) change(before, { is_presenting: "NO" });
  if (!uuid) {
    emitAll("presentation_stop", {});
    return;
  }
  change(uuid, { is_presenting: "YES" });
  const { row } = people.get(uuid);
  const data = { presenter_name: row.display_name, presenter_uri: "", presenter_uuid: uuid };
  for (const person of people.values())
    if (person.row.uuid !== uuid) emit(person, "presentation_start", data);
}

const rooms = new Map(); // uuid → {state, rows, self}
const inside = (room, event, data) =>
  emitAll("breakout_event", { breakout_uuid: room.uuid, event, id: randomUUID(), data });

/** Breakout rooms: opened, filled, called to, closed; the Host only follows them. */
function breakouts([first, second, third], body) {
  if (first === undefined) {
    const uuid = randomUUID();
    const state = {
      ...flags,
      breakout: true,
      breakout_name: body.name,
      end_action: body.end_action,
      end_time: body.duration ? Date.now() / 1000 + body.duration : 0,
      breakoutbuzz: { value: false, time: 0 },
      breakout_guests_allowed_to_leave: body.guests_allowed_to_leave,
    };
    const room = { uuid, state, rows: new Map(), self: randomUUID() };
    rooms.set(uuid, room);
    emitAll("breakout_begin", { breakout_uuid: uuid, participant_uuid: room.self });
    inside(room, "participant_sync_begin", null);
    inside(room, "participant_sync_end", null);
    inside(room, "conference_update", state);
    for (const who of body.participants?.main ?? []) moveTo(who, undefined, room);
    return { breakout_uuid: uuid };
  }
  if (first === "disconnect") for (const room of [...rooms.values()]) closeRoom(room);
  if (first === "empty") {
    for (const room of rooms.values()) for (const who of [...room.rows.keys()]) moveTo(who, room, undefined);
  }
  const room = rooms.get(first);
  if (room && second === "disconnect") closeRoom(room);
  if (room && third === "breakout") {
    for (const who of body.participants) moveTo(who, room, rooms.get(body.breakout_uuid));
  }
  if (room && second === "clearbreakoutbuzz") callFrom(room, false);
  return true;
}

function callFrom(room, value) {
  room.state = { ...room.state, breakoutbuzz: { value, time: Date.now() / 1000 } };
  inside(room, "conference_update", room.state);
}

function closeRoom(room) {
  for (const who of [...room.rows.keys()]) moveTo(who, room, undefined);
  rooms.delete(room.uuid);
  emitAll("breakout_end", { breakout_uuid: room.uuid, participant_uuid: room.self });
}

function moveTo(who, from, to) {
  const row = from ? from.rows.get(who) : people.get(who)?.row;
  if (!row) return;
  if (from) {
    from.rows.delete(who);
    inside(from, "participant_delete", { uuid: who });
  } else removePerson(who);
  if (to) {
    to.rows.set(who, row);
    inside(to, "participant_create", row);
  } else addPerson(row);
}

const SERVICES = {
  "meet.demo": {},
  "pin.host": { host: "1234" },
  "pin.both": { host: "1234", guest: "5678" },
  waiting: { host: "1234", waits: true },
  reception: { reception: true },
};

function requestToken(alias, req, res, body) {
  const service = SERVICES[alias.toLowerCase()];
  if (alias === "full") return send(res, 403, "Participant limit reached");
  if (!service) return send(res, 404, "Neither conference nor gateway found");
  if (service.reception && !body.conference_extension) {
    return send(res, 403, { conference_extension: "required", conference_extension_type: "standard" }, true);
  }
  if (service.reception && body.conference_extension !== "100") {
    return send(res, 404, "Neither conference nor gateway found");
  }
  let role = "HOST";
  if (service.host) {
    const pin = req.headers.pin;
    const guestPin = service.guest ? "required" : "none";
    if (pin === undefined)
      return send(res, 403, { pin: "required", guest_pin: guestPin, version: VERSION }, true);
    if (pin === service.host) role = "HOST";
    else if (pin === (service.guest ?? "none")) role = "GUEST";
    else return send(res, 403, "Invalid PIN");
  }
  const waits = service.waits && role === "GUEST";
  const place = waits ? "waiting_room" : "conference";
  const chair = role === "HOST" ? "chair" : "guest";
  const person = addPerson(newRow(body.display_name, chair, { service_type: place }));
  send(res, 200, {
    token: person.token,
    expires: "120",
    participant_uuid: person.row.uuid,
    display_name: body.display_name,
    role,
    current_service_type: place,
    service_type: "conference",
    conference_name: "Weekly planning",
    service_name: "Weekly planning",
    call_type: "video",
    chat_enabled: true,
    rtmp_enabled: true,
    breakout_rooms: true,
    guests_can_present: true,
    vp9_enabled: false,
    trickle_ice_enabled: false,
    direct_media: false,
    version: VERSION,
  });
}

function answerOffer(sdp, call) {
  const id = randomUUID();
  mediaPage?.write(`data: ${JSON.stringify({ id, sdp, call })}\n\n`);
  return new Promise((resolve, reject) => {
    offers.set(id, resolve);
    setTimeout(() => reject(new Error("no media page")), 4500);
  });
}

function events(person, res) {
  res.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-cache" });
  res.flushHeaders();
  person.stream?.end();
  person.stream = res;
  emit(person, "hello", null);
  emit(person, "conference_update", flags);
  emit(person, "participant_sync_begin", null);
  const alone = person.row.service_type === "waiting_room";
  for (const other of people.values()) {
    if (!alone || other === person) emit(person, "participant_create", other.row);
  }
  emit(person, "participant_sync_end", null);
  emit(person, "stage", []);
  emit(person, "layout", layout);
}

const ACTIONS = {
  mute: (uuid) => change(uuid, { is_muted: "YES" }),
  unmute: (uuid) => change(uuid, { is_muted: "NO" }),
  client_mute: (uuid) => change(uuid, { is_client_muted: true }),
  client_unmute: (uuid) => change(uuid, { is_client_muted: false }),
  video_muted: (uuid) => change(uuid, { is_video_muted: true }),
  video_unmuted: (uuid) => change(uuid, { is_video_muted: false }),
  buzz: (uuid) => change(uuid, { buzz_time: Date.now() / 1000 }),
  spotlighton: (uuid) => change(uuid, { spotlight: Date.now() / 1000 }),
  spotlightoff: (uuid) => change(uuid, { spotlight: 0 }),
  allowrxpresentation: (uuid) => change(uuid, { rx_presentation_policy: "ALLOW" }),
  denyrxpresentation: (uuid) => change(uuid, { rx_presentation_policy: "DENY" }),
  hold: (uuid) => change(uuid, { is_on_hold: true }),
  resume: (uuid) => change(uuid, { is_on_hold: false }),
  overlaytext: (uuid, body) => change(uuid, { overlay_text: body.text }),
  role: (uuid, body) => change(uuid, { role: body.role }),
  dtmf: () => undefined,
  transfer: (uuid) => removePerson(uuid, "Call transferred"),
  take_floor: (uuid) => present(uuid),
  release_floor: (uuid) => presenter === uuid && present(undefined),
  message: (uuid, body, person) => {
    const { display_name: origin, uuid: from } = person.row;
    emit(people.get(uuid) ?? {}, "message_received", { origin, uuid: from, ...body, direct: true });
  },
  clearbuzz: (uuid) => change(uuid, { buzz_time: 0 }),
  unlock: (uuid) => change(uuid, { service_type: "conference" }),
  disconnect: (uuid) => removePerson(uuid, "Disconnected by another participant"),
};

async function conference(path, url, req, res, body) {
  const [alias, ...rest] = path.map(decodeURIComponent);
  if (rest[0] === "request_token") return requestToken(alias, req, res, body);
  const token = req.headers.token ?? url.searchParams.get("token");
  const person = [...people.values()].find((candidate) => candidate.token === token);
  if (!person) return send(res, 403, "Invalid token");
  const [first, uuid, action, call, callAction] = rest;
  if (first === "events") return events(person, res);
  if (first === "refresh_token") return send(res, 200, { token, expires: "120", role: "HOST" });
  if (first === "release_token") {
    removePerson(person.row.uuid);
    return send(res, 200, true);
  }
  if (first === "breakouts" && rest[2] !== "participants")
    return send(res, 200, breakouts(rest.slice(1), body));
  if (first === "breakouts" && rest[3] === "breakout") return send(res, 200, breakouts(rest.slice(1), body));
  if (first === "breakouts") return inRoom(rest.slice(3), res, body);
  if (first === "participants" && uuid === "breakout") {
    for (const who of body.participants) moveTo(who, undefined, rooms.get(body.breakout_uuid));
    return send(res, 200, true);
  }
  if (first.startsWith("set_guests_can_")) {
    flags[first.slice(4)] = body.setting;
    emitAll("conference_update", flags);
    return send(res, 200, true);
  }
  if (first === "video_mixes") {
    const gone = action === "delete";
    const mix = { mix_name: gone ? "main" : "main.!personal", timestamp: Date.now() / 1000 };
    if (body.transform_layout) mix.mix_config = { transform_layout: body.transform_layout };
    change(person.row.uuid, { receive_from_video_mix: mix });
    return send(res, 200, true);
  }
  if (first === "lock" || first === "unlock") {
    flags.locked = first === "lock";
    emitAll("conference_update", flags);
    return send(res, 200, true);
  }
  if (first === "available_layouts") return send(res, 200, Object.keys(LAYOUTS));
  if (first === "layout_svgs") {
    return send(
      res,
      200,
      Object.fromEntries(Object.entries(LAYOUTS).map(([name, boxes]) => [name, drawn(boxes)])),
    );
  }
  if (first === "transform_layout") {
    const { layout: name, enable_overlay_text: names } = body.transforms;
    layout = {
      ...layout,
      view: name ?? layout.view,
      overlay_text_enabled: names ?? layout.overlay_text_enabled,
    };
    const asked = { primary_screen: { chair_layout: layout.view, guest_layout: layout.view } };
    emitAll("layout", { ...layout, requested_layout: asked });
    return send(res, 200, true);
  }
  if (first === "dial") {
    const extra = { service_type: "connecting", uri: body.destination };
    const added = addPerson(newRow(body.remote_display_name ?? body.destination, "guest", extra));
    return send(res, 200, [added.row.uuid]);
  }
  if (first === "clearallbuzz" || first === "clearspotlights") {
    const cleared = first === "clearallbuzz" ? { buzz_time: 0 } : { spotlight: 0 };
    for (const uuid of people.keys()) change(uuid, cleared);
    return send(res, 200, true);
  }
  if (first === "muteguests" || first === "unmuteguests") {
    flags.guests_muted = first === "muteguests";
    emitAll("conference_update", flags);
    return send(res, 200, true);
  }
  if (first === "message") {
    const { display_name: origin, uuid: from } = person.row;
    for (const other of people.values()) {
      if (other !== person) emit(other, "message_received", { origin, uuid: from, ...body, direct: false });
    }
    return send(res, 200, true);
  }
  if (first === "disconnect") {
    for (const id of [...people.keys()]) removePerson(id, "API initiated conference termination");
    return send(res, 200, true);
  }
  if (first !== "participants") return send(res, 404, "404 Not Found");
  if (action !== "calls") {
    if (!ACTIONS[action]) return send(res, 404, "404 Not Found");
    ACTIONS[action](uuid, body, person);
    return send(res, 200, action.endsWith("_floor") ? null : true);
  }
  if (!call || callAction === "update") {
    const made = call ?? randomUUID();
    const sdp = await answerOffer(body.sdp, made);
    return send(res, 200, { call_uuid: made, sdp });
  }
  if (callAction === "ack") {
    change(uuid, { has_media: true, is_video_call: "YES" });
    return send(res, 200, true);
  }
  return send(res, 200, null);
}

/** A Host's call in a room. */
async function inRoom([, action, call, callAction], res, body) {
  if (action !== "calls" || (call && callAction !== "update")) return send(res, 200, true);
  const made = call ?? randomUUID();
  return send(res, 200, { call_uuid: made, sdp: await answerOffer(body.sdp, made) });
}

/** Levers for tests: POST /__mock/<lever>. */
async function lever(name, res, body) {
  if (name === "media") {
    res.writeHead(200, { "Content-Type": "text/html" });
    return res.end(readFileSync(join(here, "media.html")));
  }
  if (name === "offers") {
    res.writeHead(200, { "Content-Type": "text/event-stream" });
    res.flushHeaders();
    mediaPage = res;
    return;
  }
  if (name === "answer") offers.get(body.id)?.(body.sdp);
  if (name === "person") return send(res, 200, addPerson(newRow(body.name, body.role, body.extra)).row.uuid);
  if (name === "change") change(body.uuid, body.members);
  if (name === "present") present(body.uuid);
  if (name === "emit") emitAll(body.name, body.data);
  if (name === "help") callFrom([...rooms.values()][body.index], true);
  if (name === "reset") {
    rooms.clear();
    for (const id of [...people.keys()]) removePerson(id);
    flags.locked = false;
    presenter = undefined;
  }
  if (name === "cut") for (const person of people.values()) person.stream?.destroy();
  return send(res, 200, true);
}

function file(pathname, res) {
  const wanted = join(dist, pathname);
  const found = wanted.startsWith(dist) && existsSync(wanted) && statSync(wanted).isFile();
  const path = found ? wanted : join(dist, "index.html");
  res.writeHead(200, { "Content-Type": TYPES[extname(path)] ?? "application/octet-stream" });
  createReadStream(path).pipe(res);
}

createServer((req, res) => {
  const url = new URL(req.url, "http://localhost");
  let text = "";
  req.on("data", (chunk) => {
    text += chunk;
  });
  req.on("end", () => {
    let body = {};
    try {
      body = JSON.parse(text || "{}");
    } catch {
      // A beacon or nonsense: no parameters.
    }
    const parts = url.pathname.split("/").slice(1);
    const fail = (error) => send(res, 504, String(error));
    if (url.pathname.startsWith("/api/client/v2/conferences/")) {
      conference(parts.slice(4), url, req, res, body).catch(fail);
    } else if (parts[0] === "__mock") lever(parts[1], res, body).catch(fail);
    else file(url.pathname, res);
  });
}).listen(port, () => console.log(`mock node on http://localhost:${port}/`));
