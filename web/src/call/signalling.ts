/** What a media connection needs from the server; one implementation over ConferenceApi, fakes in tests. */

import type { ConferenceApi } from "../api/conference";

export interface Signalling {
  place(sdp: string, mediaType: string, signal: AbortSignal): Promise<{ call: string; sdp: string }>;
  update(call: string, sdp: string, signal: AbortSignal): Promise<string>;
  ack(call: string, signal: AbortSignal): Promise<void>;
  candidate(call: string, candidate: RTCIceCandidate | null, signal: AbortSignal): Promise<void>;
  disconnect(call: string): Promise<void>;
}

export function signallingOver(api: ConferenceApi): Signalling {
  return {
    async place(sdp, mediaType, signal) {
      const answer = await api.placeCall(sdp, mediaType, signal);
      return { call: answer.call_uuid, sdp: answer.sdp };
    },
    update: (call, sdp, signal) => api.updateCall(call, sdp, signal),
    ack: (call, signal) => api.ackCall(call, signal),
    candidate: (call, candidate, signal) => api.sendCandidate(call, candidate, signal),
    disconnect: (call) => api.disconnectCall(call),
  };
}
