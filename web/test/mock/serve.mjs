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
const dist = join(here, "../../dist");
const port = Number(process.env.PORT ?? 8090);
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const VERSION = { version_id: "36", pseudo_version: "0.1.0" };

const people = new Map(); // uuid → {token, row, stream, waiting}
const flags = { locked: false, guests_muted: false, started: true, guests_can_unmute: true };
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
    vp9_enabled: false,
    trickle_ice_enabled: false,
    direct_media: false,
    version: VERSION,
  });
}

function answerOffer(sdp) {
  const id = randomUUID();
  mediaPage?.write(`data: ${JSON.stringify({ id, sdp })}\n\n`);
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
}

const ACTIONS = {
  mute: (uuid) => change(uuid, { is_muted: "YES" }),
  unmute: (uuid) => change(uuid, { is_muted: "NO" }),
  client_mute: (uuid) => change(uuid, { is_client_muted: true }),
  client_unmute: (uuid) => change(uuid, { is_client_muted: false }),
  video_muted: (uuid) => change(uuid, { is_video_muted: true }),
  video_unmuted: (uuid) => change(uuid, { is_video_muted: false }),
  buzz: (uuid) => change(uuid, { buzz_time: Date.now() / 1000 }),
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
  if (first === "lock" || first === "unlock") {
    flags.locked = first === "lock";
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
    ACTIONS[action](uuid);
    return send(res, 200, true);
  }
  if (!call || callAction === "update") {
    const sdp = await answerOffer(body.sdp);
    return send(res, 200, { call_uuid: call ?? randomUUID(), sdp });
  }
  if (callAction === "ack") {
    change(uuid, { has_media: true, is_video_call: "YES" });
    return send(res, 200, true);
  }
  return send(res, 200, null);
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
  if (name === "emit") emitAll(body.name, body.data);
  if (name === "reset") {
    for (const id of [...people.keys()]) removePerson(id);
    flags.locked = false;
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
