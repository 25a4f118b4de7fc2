/** Client-side addresses: `/`, `/webapp/conference/<alias>?name=…`, `/conference/<alias>`. */

export type Route =
  | { page: "home"; name: string | undefined }
  | {
      page: "conference";
      alias: string;
      name: string | undefined;
      pin: string | undefined;
      /** `join=1`: skip the device check. */
      straight: boolean;
      /** From the page of another node, which this visit continues. */
      handedOver: HandedOver | undefined;
    };

export interface HandedOver {
  extension: string | undefined;
  /** Last token there. */
  replaces: string | undefined;
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

/**
 * The fragment carries what must not be seen on the way or in logs, and never gets to a server: PIN and token of a
 * visit handed over.
 */
export function parseRoute(pathname: string, search: string, hash = ""): Route {
  const query = new URLSearchParams(search);
  const name = query.get("name") ?? undefined;
  const match = /^\/(?:webapp\/)?(?:conference|m)\/([^/]+)\/?$/.exec(pathname);
  const alias = match?.[1] === undefined ? query.get("conference") : decode(match[1]);
  if (!alias) return { page: "home", name };
  const carried = new URLSearchParams(hash.replace(/^#/, ""));
  const pin = carried.get("pin") ?? query.get("pin") ?? undefined;
  const handedOver = carried.has("over")
    ? {
        extension: carried.get("extension") ?? undefined,
        replaces: carried.get("replaces") ?? undefined,
        micMuted: carried.get("mic") === "off",
        cameraOff: carried.get("camera") === "off",
      }
    : undefined;
  return { page: "conference", alias, name, pin, straight: query.get("join") === "1", handedOver };
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

export function conferencePath(alias: string, name: string): string {
  return `/webapp/conference/${encodeURIComponent(alias)}?${new URLSearchParams({ name })}`;
}
