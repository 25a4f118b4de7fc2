/** Asking to be let into a conference: `request_token` and its challenges. */

import { exchange, type RequestOptions } from "./http";
import type { Admission, Provider, TokenAnswer } from "./types";

export interface JoinRequest {
  alias: string;
  displayName: string;
  /** `none` joins as a Guest where Guests have no PIN; undefined asks what is needed. */
  pin?: string | undefined;
  /** Wanted by the link: a Guest is not asked for a PIN where Guests need none. */
  role?: "host" | "guest" | undefined;
  /** What the user typed at a Virtual Reception. */
  extension?: string | undefined;
  /** Opaque, for whoever made the link: kept with the participant. */
  callTag?: string | undefined;
  /** One-time token of a transfer, or of a call that rings here. */
  oneTimeToken?: string | undefined;
  /** Token of this page's registration: says under which alias it is known. */
  registrationToken?: string | undefined;
  /** Identity provider that the user has chosen. */
  provider?: string | undefined;
  /** Says who signed on there. */
  ssoToken?: string | undefined;
  /** Address that the user is sent back to where the provider gets no window of its own. */
  ssoTarget?: string | undefined;
  /** Origin of the node to ask. */
  node: string;
  /** Last token of an earlier session of ours, which is to end. */
  replaces?: string | undefined;
}

export function conferenceUrl(node: string, alias: string): string {
  return `${node}/api/client/v2/conferences/${encodeURIComponent(alias)}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** Read the answer to `request_token`; exported for tests. */
export function readTokenAnswer(status: number, result: unknown): TokenAnswer {
  if (status === 200 && isRecord(result) && typeof result.token === "string") {
    return { kind: "admitted", admission: result as unknown as Admission };
  }
  if (status === 403 && isRecord(result)) {
    if ("pin" in result) return { kind: "pin", guestPinRequired: result.guest_pin !== "none" };
    if (result.conference_extension === "required") return { kind: "extension" };
    if (Array.isArray(result.idp)) {
      return { kind: "providers", providers: result.idp as Provider[] };
    }
    if (typeof result.redirect_url === "string" && /^https?:\/\//i.test(result.redirect_url)) {
      const { redirect_url: url, redirect_idp, disable_popup_flow } = result;
      return {
        kind: "signOn",
        provider: redirect_idp as Provider,
        url,
        redirect: disable_popup_flow === true,
      };
    }
  }
  return { kind: "refused", status, reason: typeof result === "string" ? result : `HTTP ${status}` };
}

/** Throws when there is no answer within `timeout` milliseconds, or the signal is given. */
export async function requestToken(
  request: JoinRequest,
  options: Pick<RequestOptions, "timeout" | "signal"> = {},
): Promise<TokenAnswer> {
  const body: Record<string, unknown> = {
    display_name: request.displayName,
    client_id: "Rostra Web",
    supports_direct_chat: true,
  };
  if (request.callTag !== undefined) body.call_tag = request.callTag;
  if (request.extension !== undefined) body.conference_extension = request.extension;
  if (request.oneTimeToken !== undefined) body.token = request.oneTimeToken;
  if (request.registrationToken) body.registration_token = request.registrationToken;
  if (request.replaces !== undefined) body.replaces = request.replaces;
  if (request.provider !== undefined) body.chosen_idp = request.provider;
  if (request.ssoToken !== undefined) body.sso_token = request.ssoToken;
  if (request.ssoTarget !== undefined) body.sso_redirect_target = request.ssoTarget;
  // A one-time token stands for itself; the PIN is for coming back without one.
  const asked = request.pin !== undefined && request.oneTimeToken === undefined;
  const headers: Record<string, string> = asked ? { pin: request.pin ?? "" } : {};
  const { status, result } = await exchange(`${conferenceUrl(request.node, request.alias)}/request_token`, {
    ...options,
    headers,
    body,
  });
  return readTokenAnswer(status, result);
}
