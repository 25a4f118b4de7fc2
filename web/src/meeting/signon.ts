/** Signing on at an identity provider, in a window of its own or by going there and coming back. */

import { handOverAddress, type Visit } from "../ui/routes";

const LOOK = 500;
const SIZE = "popup,width=520,height=720";
/** The node puts the token in its place. */
const PLACEHOLDER = "__pexip-sso-token__";

export interface Told {
  /** Undefined: the provider refused. */
  token: string | undefined;
}

/** Address at which the visit goes on with a token. */
export function signOnAddress(node: string, visit: Visit, provider: string): string {
  return `${handOverAddress(node, visit)}&idp=${encodeURIComponent(provider)}&sso=${PLACEHOLDER}`;
}

/** What the provider's window tells; undefined when it is closed before. Undefined at once: it may not be opened. */
export function askProvider(url: string): Promise<Told | undefined> | undefined {
  const opened = window.open(url, "_blank", SIZE);
  if (!opened) return undefined;
  return new Promise((resolve) => {
    const done = (told: Told | undefined) => {
      clearInterval(timer);
      window.removeEventListener("message", listen);
      opened.close();
      resolve(told);
    };
    const listen = (event: MessageEvent) => {
      if (event.source !== opened || new URL(event.origin).hostname !== window.location.hostname) return;
      const data: unknown = event.data;
      if (typeof data !== "object" || data === null || !("result" in data)) return;
      const token = data.result === "success" && "token" in data ? data.token : undefined;
      done({ token: typeof token === "string" ? token : undefined });
    };
    const timer = setInterval(() => opened.closed && done(undefined), LOOK);
    window.addEventListener("message", listen);
  });
}
