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
    };

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // Not percent-encoding: take it as it stands.
  }
}

export function parseRoute(pathname: string, search: string): Route {
  const query = new URLSearchParams(search);
  const name = query.get("name") ?? undefined;
  const match = /^\/(?:webapp\/)?(?:conference|m)\/([^/]+)\/?$/.exec(pathname);
  const alias = match?.[1] === undefined ? query.get("conference") : decode(match[1]);
  if (!alias) return { page: "home", name };
  const pin = query.get("pin") ?? undefined;
  return { page: "conference", alias, name, pin, straight: query.get("join") === "1" };
}

export function conferencePath(alias: string, name: string): string {
  return `/webapp/conference/${encodeURIComponent(alias)}?${new URLSearchParams({ name })}`;
}
