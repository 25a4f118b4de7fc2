/** The typed calls of a joined participant; those of a Host in a breakout room go there (see `place`). */

import { conferenceUrl } from "./admission";
import { ApiError, demand, type RequestOptions } from "./http";
import type { DialRequest, LayoutChange, Role, RoomRequest, TransferRequest } from "./types";

export interface CallAnswer {
  call_uuid: string;
  sdp: string;
}

export interface RefreshAnswer {
  token: string;
  role?: Role;
  node_urls?: unknown;
}

/** A breakout room where a Host's picture and sound are. */
export interface Place {
  room: string;
  /** The Host's own participant there. */
  self: string;
}

/** The name that the API has for the composition which only one participant is sent. */
const PERSONAL = "main.!personal";

/** Media signalling must be answered within 5 s; waiting longer only delays recovery. */
const CALL_TIMEOUT = 6_000;

export class ConferenceApi {
  private readonly base: string;
  token: string;
  /** Undefined: in the main conference. */
  place: Place | undefined;
  private readonly main: string;

  /** `node`: its origin. */
  constructor(alias: string, token: string, self: string, node: string) {
    this.base = conferenceUrl(node, alias);
    this.token = token;
    this.main = self;
  }

  /** The own participant where picture and sound are. */
  get self(): string {
    return this.place?.self ?? this.main;
  }

  /** Path of what acts where picture and sound are. */
  private here(path: string): string {
    return this.place ? `breakouts/${encodeURIComponent(this.place.room)}/${path}` : path;
  }

  private get(path: string): Promise<unknown> {
    return demand(`${this.base}/${path}`, { method: "GET", headers: { token: this.token } });
  }

  private post(path: string, body?: unknown, options: RequestOptions = {}): Promise<unknown> {
    return demand(`${this.base}/${path}`, { ...options, headers: { token: this.token }, body });
  }

  private participant(uuid: string, action: string, body?: unknown): Promise<unknown> {
    return this.post(this.here(`participants/${encodeURIComponent(uuid)}/${action}`), body);
  }

  private call(path: string, body: unknown, signal?: AbortSignal): Promise<unknown> {
    const options: RequestOptions = { timeout: CALL_TIMEOUT };
    if (signal) options.signal = signal;
    return this.post(this.here(`participants/${encodeURIComponent(this.self)}/calls${path}`), body, options);
  }

  get eventsUrl(): string {
    return `${this.base}/events?token=${encodeURIComponent(this.token)}`;
  }

  async refresh(timeout: number): Promise<RefreshAnswer> {
    const answer = (await this.post("refresh_token", undefined, { timeout })) as RefreshAnswer;
    this.token = answer.token;
    return answer;
  }

  async release(reason: string): Promise<void> {
    await this.post("release_token", { reason }, { timeout: 3_000 });
  }

  /** Release while the page goes away, when no ordinary request survives. */
  releaseByBeacon(): boolean {
    const url = `${this.base}/release_token?token=${encodeURIComponent(this.token)}`;
    return navigator.sendBeacon(
      url,
      new Blob([JSON.stringify({ reason: "Browser closed" })], { type: "text/plain" }),
    );
  }

  async placeCall(sdp: string, mediaType: string, signal?: AbortSignal): Promise<CallAnswer> {
    const body = { call_type: "WEBRTC", sdp, media_type: mediaType };
    const answer = (await this.call("", body, signal)) as CallAnswer;
    if (!answer.sdp) throw new ApiError(200, "empty answer");
    return answer;
  }

  async updateCall(uuid: string, sdp: string, signal?: AbortSignal): Promise<string> {
    const answer = (await this.call(`/${uuid}/update`, { sdp }, signal)) as string | CallAnswer;
    const answered = typeof answer === "string" ? answer : answer.sdp;
    if (!answered) throw new ApiError(200, "empty answer");
    return answered;
  }

  async ackCall(uuid: string, signal?: AbortSignal): Promise<void> {
    await this.call(`/${uuid}/ack`, {}, signal);
  }

  async sendCandidate(uuid: string, candidate: RTCIceCandidate | null, signal?: AbortSignal): Promise<void> {
    const body = {
      candidate: candidate?.candidate ?? "",
      mid: candidate?.sdpMid ?? "0",
      ...(candidate?.usernameFragment ? { ufrag: candidate.usernameFragment } : {}),
    };
    await this.call(`/${uuid}/new_candidate`, body, signal);
  }

  async disconnectCall(uuid: string): Promise<void> {
    await this.call(`/${uuid}/disconnect`, {});
  }

  mute(uuid: string, muted: boolean): Promise<unknown> {
    return this.participant(uuid, muted ? "mute" : "unmute");
  }

  clientMute(muted: boolean): Promise<unknown> {
    return this.participant(this.self, muted ? "client_mute" : "client_unmute");
  }

  videoMute(muted: boolean): Promise<unknown> {
    return this.participant(this.self, muted ? "video_muted" : "video_unmuted");
  }

  raiseHand(raised: boolean): Promise<unknown> {
    return this.participant(this.self, raised ? "buzz" : "clearbuzz");
  }

  lowerHand(uuid: string): Promise<unknown> {
    return this.participant(uuid, "clearbuzz");
  }

  lowerAllHands(): Promise<unknown> {
    return this.post(this.here("clearallbuzz"));
  }

  remove(uuid: string): Promise<unknown> {
    return this.participant(uuid, "disconnect");
  }

  admit(uuid: string): Promise<unknown> {
    return this.participant(uuid, "unlock");
  }

  setRole(uuid: string, role: "chair" | "guest"): Promise<unknown> {
    return this.participant(uuid, "role", { role });
  }

  spotlight(uuid: string, on: boolean): Promise<unknown> {
    return this.participant(uuid, on ? "spotlighton" : "spotlightoff");
  }

  clearSpotlights(): Promise<unknown> {
    return this.post("clearspotlights");
  }

  stopVideo(uuid: string, stopped: boolean): Promise<unknown> {
    return this.participant(uuid, stopped ? "video_muted" : "video_unmuted");
  }

  allowPresentation(uuid: string, allowed: boolean): Promise<unknown> {
    return this.participant(uuid, allowed ? "allowrxpresentation" : "denyrxpresentation");
  }

  hold(uuid: string, held: boolean): Promise<unknown> {
    return this.participant(uuid, held ? "hold" : "resume");
  }

  rename(uuid: string, text: string): Promise<unknown> {
    return this.participant(uuid, "overlaytext", { text });
  }

  transfer(uuid: string, request: TransferRequest): Promise<unknown> {
    return this.participant(uuid, "transfer", request);
  }

  /** Tones to the endpoint of `uuid`; one's own go to `callDigits`. */
  digits(uuid: string, digits: string): Promise<unknown> {
    return this.participant(uuid, "dtmf", { digits });
  }

  callDigits(call: string, digits: string): Promise<unknown> {
    return this.call(`/${call}/dtmf`, { digits });
  }

  takeFloor(): Promise<unknown> {
    return this.participant(this.self, "take_floor");
  }

  releaseFloor(): Promise<unknown> {
    return this.participant(this.self, "release_floor");
  }

  lock(locked: boolean): Promise<unknown> {
    return this.post(this.here(locked ? "lock" : "unlock"));
  }

  muteGuests(muted: boolean): Promise<unknown> {
    return this.post(this.here(muted ? "muteguests" : "unmuteguests"));
  }

  letGuestsUnmute(setting: boolean): Promise<unknown> {
    return this.post("set_guests_can_unmute", { setting });
  }

  letGuestsPresent(setting: boolean): Promise<unknown> {
    return this.post("set_guests_can_present", { setting });
  }

  start(): Promise<unknown> {
    return this.post("start_conference");
  }

  endForAll(): Promise<unknown> {
    return this.post("disconnect");
  }

  dial(request: DialRequest): Promise<unknown> {
    return this.post("dial", request, { timeout: 15_000 });
  }

  async layouts(): Promise<string[]> {
    const answer = await this.get("available_layouts?annotate=false");
    return Array.isArray(answer) ? answer.filter((name) => typeof name === "string") : [];
  }

  /** Small pictures of the layouts, by name; SVG. */
  async layoutPictures(): Promise<Readonly<Record<string, string>>> {
    const answer = await this.get("layout_svgs");
    return typeof answer === "object" && answer !== null ? (answer as Record<string, string>) : {};
  }

  changeLayout(transforms: LayoutChange): Promise<unknown> {
    return this.post(this.here("transform_layout"), { transforms });
  }

  /** To everyone, or to one only. */
  async say(text: string, to?: string): Promise<boolean> {
    const body = { type: "text/plain", payload: text };
    const sent =
      to === undefined ? this.post(this.here("message"), body) : this.participant(to, "message", body);
    return (await sent) !== false;
  }

  // A layout of one's own

  /** `anew`: so far the caller is sent what all are sent. Without `layout`: that again. */
  async ownLayout(layout: string | undefined, anew: boolean): Promise<void> {
    const path = this.here("video_mixes");
    const own = `${path}/${encodeURIComponent(PERSONAL)}`;
    if (layout === undefined) {
      await this.post(`${own}/delete`);
      return;
    }
    if (anew) await this.post(`${path}/create`, { mix_name: PERSONAL });
    await this.post(`${own}/configure`, { transform_layout: { layout } });
  }

  // Breakout rooms, for Hosts

  /** The uuid of the room. */
  async openRoom(request: RoomRequest): Promise<string> {
    const answer = (await this.post("breakouts", request)) as { breakout_uuid: string };
    return answer.breakout_uuid;
  }

  closeRoom(room: string): Promise<unknown> {
    return this.post(`breakouts/${encodeURIComponent(room)}/disconnect`);
  }

  closeAllRooms(): Promise<unknown> {
    return this.post("breakouts/disconnect");
  }

  /** Everybody comes back, the rooms stay. */
  emptyRooms(): Promise<unknown> {
    return this.post("breakouts/empty");
  }

  async sayToRooms(text: string): Promise<boolean> {
    return (await this.post("breakouts/message", { type: "text/plain", payload: text })) !== false;
  }

  /** Undefined names the main conference. */
  move(people: readonly string[], from: string | undefined, to: string | undefined): Promise<unknown> {
    const path = from === undefined ? "" : `breakouts/${encodeURIComponent(from)}/`;
    return this.post(`${path}participants/breakout`, { breakout_uuid: to ?? "main", participants: people });
  }

  helpGiven(room: string): Promise<unknown> {
    return this.post(`breakouts/${encodeURIComponent(room)}/clearbreakoutbuzz`);
  }

  // Breakout rooms, for who was sent into one

  askForHelp(wanted: boolean): Promise<unknown> {
    return this.post(wanted ? "breakoutbuzz" : "clearbreakoutbuzz");
  }

  leaveRoom(): Promise<unknown> {
    return this.post("leavebreakout");
  }
}
