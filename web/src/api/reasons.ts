/** Reason texts are an interface of the client API; this maps them to messages of ours. */

import type { MessageKey } from "../i18n";

const BY_TEXT: Readonly<Record<string, MessageKey>> = {
  "Neither conference nor gateway found": "reason.notFound",
  "404 Not Found": "reason.notFound",
  "invalid gateway routing rule transform": "reason.notFound",
  "Invalid PIN": "reason.invalidPin",
  "Participant exceeded PIN entry retries": "reason.pinRetries",
  "Participant limit reached": "reason.full",
  "Out of resource": "reason.noResource",
  "Out of transcoding resource": "reason.noResource",
  "Out of proxying resource": "reason.noResource",
  "Resource unavailable": "reason.noResource",
  "503 Service Unavailable": "reason.noResource",
  "502 Bad Gateway": "reason.unreachable",
  "Failed to forward request": "reason.unreachable",
  "No direct route between Edge and Transcoding": "reason.unreachable",
  "System in maintenance mode": "reason.maintenance",
  "Maintenance mode": "reason.maintenance",
  Disabled: "reason.disabled",
  "Invalid token": "reason.sessionLost",
  "Timer expired awaiting token refresh": "reason.sessionLost",
  "Invalid role": "reason.invalidRole",
  "Invalid license": "reason.licence",
  "Insufficient licenses": "reason.licence",
  "transfer failed": "reason.transferFailed",
  "Conference host ended the conference with a DTMF command": "reason.ended",
  "API initiated conference termination": "reason.ended",
  "Conference terminated by another participant": "reason.ended",
  "Conference terminated by an administrator": "reason.endedByAdministrator",
  "API initiated participant disconnect": "reason.removed",
  "Disconnected by another participant": "reason.removed",
  "Disconnected by an administrator": "reason.removedByAdministrator",
  "Timeout waiting for conference host to join or permit access to locked conference": "reason.waitedTooLong",
  "Signaling node disconnected": "reason.nodeLost",
  "Media process disconnected": "reason.nodeLost",
  "Media node disconnected": "reason.nodeLost",
  "Proxied participant disconnected": "reason.nodeLost",
  "No participants can keep conference alive": "reason.nobodyLeft",
  "All conference hosts departed hosted conference": "reason.hostsLeft",
  "Last remaining participant removed from conference after timeout": "reason.alone",
  "Test call finished": "reason.testFinished",
  "Call rejected": "reason.rejected",
  "Called party not available": "reason.rejected",
  "Call transferred": "reason.transferred",
  "Another participant is presenting": "reason.otherPresents",
  "Timeout waiting for the PIN": "reason.nothingEntered",
  "Timeout waiting for a conference number": "reason.nothingEntered",
  "Call disconnected": "reason.callEnded",
  "Gateway dial out failed": "reason.rejected",
  "Ice failure": "reason.ice",
  "SSO Authentication Failed": "reason.sso",
  popup: "reason.popup",
  "SSO Authentication Failed. SSO is not available from this domain": "reason.sso",
  "SSO Authentication Failed. The system is in Maintenance mode": "reason.maintenance",
  "SSO enabled but no Identity Providers configured": "reason.sso",
};

/** Message for a reason text, or undefined for one this client does not know. */
export function messageFor(reason: string): MessageKey | undefined {
  return Object.hasOwn(BY_TEXT, reason) ? BY_TEXT[reason] : undefined;
}

export type Remedy = "stay" | "move" | "none";

const MOVING = new Set(["Signaling node disconnected", "System in maintenance mode", "Maintenance mode"]);
const STAYING = new Set([
  "Invalid token",
  "Timer expired awaiting token refresh",
  "Media process disconnected",
  "Media node disconnected",
  "Proxied participant disconnected",
]);

/**
 * What helps after the platform ended a session for this reason: joining again by way of another node (`move`), of
 * the same one (`stay`: it restarted or forgot us), or nothing, because somebody meant it.
 */
export function remedyFor(reason: string): Remedy {
  if (MOVING.has(reason)) return "move";
  return STAYING.has(reason) ? "stay" : "none";
}

/** True for endings that are an ordinary close rather than a fault. */
export function isOrdinaryEnd(reason: string): boolean {
  const key = messageFor(reason);
  return (
    key === "reason.ended" ||
    key === "reason.testFinished" ||
    key === "reason.callEnded" ||
    key === "reason.transferred"
  );
}
