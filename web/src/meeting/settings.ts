/** From the answer to `request_token` to what a media connection needs. */

import type { Admission } from "../api/types";
import type { ConnectionSettings } from "../call/connection";

/** `limit`: the user's own, kbit/s. */
export function settingsFor(admission: Admission, limit?: number): ConnectionSettings {
  const stun = (admission.stun ?? []).map((entry): RTCIceServer => ({ urls: entry.url }));
  const turn = (admission.turn ?? []).map((entry): RTCIceServer => ({ ...entry }));
  return {
    mediaType: admission.call_type,
    iceServers: [...stun, ...turn],
    relayOnly: admission.use_relay_candidates_only ?? false,
    trickle: admission.trickle_ice_enabled ?? false,
    vp9: admission.vp9_enabled ?? false,
    fullHd: fullHdFor(admission, limit),
    limit,
  };
}

/** With less than this, kbit/s, there is no main video of 1080p. */
const FULL_HD_RATE = 2_564;

/** Main video of 1080p: where the conference has it, the user's limit is enough for it, and the screen shows it. */
export function fullHdFor(admission: Admission, limit = FULL_HD_RATE): boolean {
  const lines = Math.min(screen.width, screen.height) * devicePixelRatio;
  return admission.allow_1080p === true && limit >= FULL_HD_RATE && lines >= 1080;
}
