/** Installing as an app. The worker keeps no code: it only has a page to show when there is no network. */

export function registerWorker(): void {
  if (!("serviceWorker" in navigator) || import.meta.env.DEV) return;
  navigator.serviceWorker
    .register("/sw.js", { updateViaCache: "none" })
    .catch((error: unknown) => console.info("not installable here", error));
}
