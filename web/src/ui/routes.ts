/**
 * Client-side addresses: `/`, `/webapp/conference/<alias>?name=…`, `/conference/<alias>`, `/webapp/m/<alias>`, the
 * same below another path that an administrator made, and the older `/webapp/#/?conference=<alias>&pin=…` and `/webapp/#/conference/<alias>`.
 */

export type Route =
  | { page: "home"; name: string | undefined }
  | {
      page: "conference";
      alias: string;
      name: string | undefined;
      pin: string | undefined;
      /** `join=1`: skip the device check. */
      straight: boolean;
      /** `role=guest`: do not ask for a PIN where Guests need none. */
      role: "host" | "guest" | undefined;
      /** What to say at a Virtual Reception. */
      extension: string | undefined;
      callTag: string | undefined;
      /** kbit/s */
      bandwidth: number | undefined;
      micMuted: boolean | undefined;
      cameraOff: boolean | undefined;
      /** From the page of another node, which this visit continues. */
      handedOver: HandedOver | undefined;
    };

export interface HandedOver {
  extension: string | undefined;
  /** Last token there. */
  replaces: string | undefined;
  /** From an identity provider: which one, and the token it was good for. */
  provider: string | undefined;
  ssoToken: string | undefined;
  micMuted: boolean;
  cameraOff: boolean;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // Not percent-encoding: take it as it stands.
  }
}

/** `1`, `true` and the mere presence mean yes. */
function flagged(query: URLSearchParams, ...names: string[]): boolean | undefined {
  const value = names.map((name) => query.get(name)).find((one) => one !== null);
  return value === undefined || value === null
    ? undefined
    : !["0", "false", "no"].includes(value.toLowerCase());
}

/** The older form has everything behind `#/`; undefined when this is not it. */
function older(hash: string): { pathname: string; query: URLSearchParams } | undefined {
  if (!hash.startsWith("#/")) return undefined;
  const [path = "", search = ""] = hash.slice(1).split("?", 2);
  return { pathname: path, query: new URLSearchParams(search) };
}

/**
 * The fragment carries what must not be seen on the way or in logs, and never gets to a server: PIN and token of a
 * visit handed over.
 */
export function parseRoute(pathname: string, search: string, hash = ""): Route {
  const inside = older(hash);
  const query = new URLSearchParams(search);
  for (const [name, value] of inside?.query ?? []) query.set(name, value);
  const name = query.get("name") ?? undefined;
  const path = inside && inside.pathname !== "/" ? inside.pathname : pathname;
  const match = /^\/(?:[\w-]+\/)?(?:conference|m|home)\/([^/]+)(?:\/[^/]*)?\/?$/.exec(path);
  const alias = match?.[1] === undefined ? query.get("conference") : decode(match[1]);
  if (!alias) return { page: "home", name };
  const carried = new URLSearchParams(inside ? "" : hash.replace(/^#/, ""));
  const pin = carried.get("pin") ?? query.get("pin") ?? undefined;
  const handedOver = carried.has("over")
    ? {
        extension: carried.get("extension") ?? undefined,
        replaces: carried.get("replaces") ?? undefined,
        provider: carried.get("idp") ?? undefined,
        ssoToken: carried.get("sso") ?? undefined,
        micMuted: carried.get("mic") === "off",
        cameraOff: carried.get("camera") === "off",
      }
    : undefined;
  const role = query.get("role")?.toLowerCase();
  const bandwidth = Number(query.get("bw"));
  return {
    page: "conference",
    alias,
    name,
    pin,
    straight: flagged(query, "join") ?? false,
    role: role === "guest" ? "guest" : role === "host" || role === "chair" ? "host" : undefined,
    extension: query.get("extension") ?? undefined,
    callTag: query.get("callTag") ?? undefined,
    bandwidth: bandwidth > 0 ? bandwidth : undefined,
    micMuted: flagged(query, "muteMicrophone", "muteMic"),
    cameraOff: flagged(query, "muteCamera"),
    handedOver,
  };
}

/** What the address bar shows of a route: everything but its secrets. */
export function publicAddress(pathname: string, search: string, hash: string): string {
  const inside = older(hash);
  const query = new URLSearchParams(search);
  for (const [name, value] of inside?.query ?? []) query.set(name, value);
  query.delete("pin");
  const alias = query.get("conference");
  let path = pathname;
  const root = rootOf(pathname);
  if (inside && inside.pathname !== "/")
    path = `${root === "/" ? "/webapp" : root.slice(0, -1)}${inside.pathname}`;
  if (alias) {
    path = conferencePath(alias, undefined, root);
    query.delete("conference");
  }
  const rest = query.toString();
  return rest ? `${path}?${rest}` : path;
}

export interface Visit {
  alias: string;
  displayName: string;
  pin?: string | undefined;
  extension?: string | undefined;
  replaces?: string | undefined;
  micMuted: boolean;
  cameraOff: boolean;
}

/** Address at which the web app of another node (its origin) continues a visit. */
export function handOverAddress(node: string, visit: Visit): string {
  const carried = new URLSearchParams({ over: "1" });
  if (visit.pin !== undefined) carried.set("pin", visit.pin);
  if (visit.extension !== undefined) carried.set("extension", visit.extension);
  if (visit.replaces !== undefined) carried.set("replaces", visit.replaces);
  if (visit.micMuted) carried.set("mic", "off");
  if (visit.cameraOff) carried.set("camera", "off");
  return `${node}${conferencePath(visit.alias, visit.displayName)}&join=1#${carried}`;
}

/** `under`: see `rootOf`. */
export function conferencePath(alias: string, name?: string, under = "/webapp/"): string {
  const path = `${under === "/" ? "/webapp/" : under}conference/${encodeURIComponent(alias)}`;
  return name === undefined ? path : `${path}?${new URLSearchParams({ name })}`;
}

/** What follows the own path in addresses of the app. */
const PAGES = new Set(["conference", "m", "home", "branding"]);

/** The path at which the app was opened, such as `/webapp/`, `/staff/`, or `/`; each may have a branding of its own. */
export function rootOf(pathname: string): string {
  const first = pathname.split("/")[1] ?? "";
  return first === "" || PAGES.has(first) ? "/" : `/${first}/`;
}
