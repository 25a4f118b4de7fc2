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
    limit,
  };
}
