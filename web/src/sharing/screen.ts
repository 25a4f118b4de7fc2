/** A screen, window or tab of this computer. */

import type { Source } from "../meeting/presenting";

/** `detail`: sharp text at a low rate. `motion`: films. */
export type Emphasis = "detail" | "motion";

export type ScreenFault = "unsupported" | "denied" | "failed";

export function canShareScreen(): boolean {
  return typeof navigator.mediaDevices?.getDisplayMedia === "function";
}

/** Asks the user what to share; a fault when nothing came of it. */
export async function shareScreen(emphasis: Emphasis): Promise<Source | ScreenFault> {
  if (!canShareScreen()) return "unsupported";
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia({
      video: {
        width: { max: 1920 },
        height: { max: 1080 },
        frameRate: { ideal: emphasis === "motion" ? 30 : 8, max: emphasis === "motion" ? 30 : 15 },
      },
      audio: false,
    });
    const track = stream.getVideoTracks()[0];
    if (!track) return "failed";
    track.contentHint = emphasis;
    return { track, kind: "screen", close: () => track.stop() };
  } catch (error) {
    console.info("no screen to share", error);
    return error instanceof DOMException && error.name === "NotAllowedError" ? "denied" : "failed";
  }
}
