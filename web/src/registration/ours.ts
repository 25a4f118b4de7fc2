/** The registration of this page. */

import { Registration } from "./registration";
import { kept } from "./remembered";

export const registration = new Registration({
  node: window.location.origin,
  open: (url) => new EventSource(url),
});

/** Be reachable again, as when the page was last open. */
export function resume(): void {
  window.addEventListener("pagehide", () => registration.release());
  window.addEventListener("pageshow", (event) => {
    const again = kept();
    if (event.persisted && again) void registration.start(again);
  });
  const before = kept();
  if (before) void registration.start(before);
}
