/**
 * What is kept of a registration: alias and name for good, so that the page is reachable again when it is opened; the
 * password only for as long as the tab lives.
 */

import { recall, remember } from "../devices/memory";
import type { Credentials } from "./registration";

const KEY = "rostra.registration";

export function kept(): Credentials | undefined {
  const { registered } = recall();
  if (!registered?.alias) return undefined;
  let password = "";
  try {
    password = sessionStorage.getItem(KEY) ?? "";
  } catch {
    // Storage is off: it has to be typed again.
  }
  return { ...registered, password };
}

export function keep(credentials: Credentials | undefined): void {
  remember({
    registered: credentials && { alias: credentials.alias, username: credentials.username },
  });
  try {
    if (credentials?.password) sessionStorage.setItem(KEY, credentials.password);
    else sessionStorage.removeItem(KEY);
  } catch {
    // Storage is off; it only has to be typed again.
  }
}
