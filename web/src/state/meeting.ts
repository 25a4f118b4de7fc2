/** Everything the screen of a meeting depends on, and how it changes. Pure. */

import type {
  Admission,
  ChatPayload,
  ConferenceState,
  LayoutState,
  ParticipantRecord,
  PresenterRecord,
  Provider,
  Role,
  ServiceType,
  StreamEvent,
} from "../api/types";
import type { MessageKey } from "../i18n";
import { added, type ChatLine, type NewLine, newsOf } from "./chat";
import { insideOf, noRooms, type Rooms, reduceRooms } from "./rooms";
import { emptyRoster, nameOf, plain, type Roster, reduceRoster, without } from "./roster";

export type Phase =
  /** `to`: name of the room that somebody sent us to. */
  | { kind: "joining"; to?: string | undefined }
  | { kind: "pin"; guestPinRequired: boolean; wrong: boolean }
  | { kind: "extension"; wrong: boolean }
  | { kind: "providers"; providers: Provider[] }
  /** `waiting`: the window is open. */
  | { kind: "signOn"; provider: Provider; url: string; waiting: boolean }
  | { kind: "active" }
  | { kind: "ended"; reason: string; left: boolean }
  | { kind: "failed"; reason: string };

export interface Notice {
  id: number;
  key: MessageKey;
  params: Record<string, string>;
}

export interface Service {
  name: string;
  chat: boolean;
  video: boolean;
  presentation: boolean;
  /** Host and Guest have layouts of their own. */
  auditorium: boolean;
  streaming: boolean;
  /** Hosts may open breakout rooms. */
  rooms: boolean;
}

export interface MeetingState {
  phase: Phase;
  self: string;
  displayName: string;
  role: Role;
  where: ServiceType;
  service: Service;
  roster: Roster;
  /** Open breakout rooms, for Hosts. */
  rooms: Rooms;
  /** The room where our picture and sound are; undefined: the conference itself. */
  place: string | undefined;
  /** The roster is complete: what comes now is news. */
  synced: boolean;
  flags: ConferenceState;
  chat: readonly ChatLine[];
  unread: number;
  chatOpen: boolean;
  notices: readonly Notice[];
  /** Who presents to us. */
  presenter: PresenterRecord | undefined;
  /** What we present. */
  presenting: Presented | undefined;
  layout: LayoutState | undefined;
  /** Put on hold by somebody else. */
  held: boolean;
  /** Media is up at least once / being recovered; event stream open. */
  mediaUp: boolean;
  recovering: boolean;
  streamOpen: boolean;
  link: Link;
  /** Origins of other nodes that this page could not speak to while getting back in. */
  unreachable: readonly string[];
  micMuted: boolean;
  cameraOff: boolean;
  nextId: number;
}

export type Presented = "screen" | "document";

/** The own node answers; does not at the moment; is lost, and the way back in is being looked for. */
export type Link = "up" | "doubted" | "rejoining";

export const initialMeeting: MeetingState = {
  phase: { kind: "joining" },
  self: "",
  displayName: "",
  role: "GUEST",
  where: "conference",
  service: {
    name: "",
    chat: false,
    video: true,
    presentation: false,
    auditorium: false,
    streaming: false,
    rooms: false,
  },
  roster: emptyRoster,
  rooms: noRooms,
  place: undefined,
  synced: false,
  flags: { locked: false, guests_muted: false, started: false },
  chat: [],
  unread: 0,
  chatOpen: false,
  notices: [],
  presenter: undefined,
  presenting: undefined,
  layout: undefined,
  held: false,
  mediaUp: false,
  recovering: false,
  streamOpen: true,
  link: "up",
  unreachable: [],
  micMuted: false,
  cameraOff: false,
  nextId: 1,
};

export type Action =
  | { type: "phase"; phase: Phase }
  | { type: "admitted"; admission: Admission }
  | { type: "event"; event: StreamEvent; now: number }
  | { type: "role"; role: Role }
  | { type: "place"; room: string | undefined }
  | { type: "media"; up: true }
  | { type: "recovering"; recovering: boolean }
  | { type: "stream"; open: boolean }
  | { type: "link"; link: Link }
  | { type: "unreachable"; node: string }
  | { type: "microphone"; muted: boolean }
  | { type: "camera"; off: boolean }
  | { type: "said"; text: string; now: number; delivered: boolean; direct?: string | undefined }
  | { type: "presenting"; kind: Presented | undefined }
  | { type: "chatOpen"; open: boolean }
  | { type: "notice"; key: MessageKey; params?: Record<string, string> }
  | { type: "dismiss"; id: number };

export function reduceMeeting(state: MeetingState, action: Action): MeetingState {
  switch (action.type) {
    case "phase":
      return { ...state, phase: action.phase };
    case "admitted":
      return admitted(state, action.admission);
    case "event":
      return received(state, action.event, action.now);
    case "role":
      return { ...state, role: action.role };
    case "place":
      return { ...state, place: action.room, mediaUp: false };
    case "media":
      return { ...state, mediaUp: true };
    case "recovering":
      return { ...state, recovering: action.recovering };
    case "stream":
      return { ...state, streamOpen: action.open };
    case "link":
      return { ...state, link: action.link, unreachable: [] };
    case "unreachable":
      if (state.unreachable.includes(action.node)) return state;
      return { ...state, unreachable: [...state.unreachable, action.node] };
    case "microphone":
      return { ...state, micMuted: action.muted };
    case "camera":
      return { ...state, cameraOff: action.off };
    case "said":
      return addLine(state, {
        origin: state.displayName,
        own: true,
        text: action.text,
        at: action.now,
        undelivered: !action.delivered,
        direct: action.direct,
      });
    case "presenting":
      if (!action.kind) return { ...state, presenting: undefined };
      return { ...state, presenting: action.kind, presenter: undefined };
    case "chatOpen":
      return { ...state, chatOpen: action.open, unread: action.open ? 0 : state.unread };
    case "notice":
      return notify(state, action.key, action.params);
    case "dismiss":
      return { ...state, notices: state.notices.filter((notice) => notice.id !== action.id) };
  }
}

/** Who comes back in keeps what it saw: chat, and the roster until the new one is complete. */
function admitted(state: MeetingState, admission: Admission): MeetingState {
  const back = state.phase.kind === "active";
  return {
    ...state,
    phase: { kind: "active" },
    link: "up",
    unreachable: [],
    mediaUp: false,
    recovering: false,
    self: admission.participant_uuid,
    displayName: admission.display_name,
    role: admission.role,
    where: admission.current_service_type,
    roster: back ? without(state.roster, state.self) : emptyRoster,
    service: {
      name: admission.conference_name,
      chat: admission.chat_enabled,
      video: admission.call_type !== "audio",
      presentation: admission.call_type !== "audio",
      auditorium: admission.service_type === "lecture",
      streaming: admission.rtmp_enabled ?? false,
      rooms: admission.breakout_rooms ?? false,
    },
    rooms: noRooms,
    place: undefined,
    // Until the server says what is so where we are now.
    flags: { ...state.flags, breakout: false },
    presenter: undefined,
    held: false,
  };
}

function addLine(state: MeetingState, line: NewLine): MeetingState {
  return { ...state, chat: added(state.chat, line, state.nextId), nextId: state.nextId + 1 };
}

function notify(state: MeetingState, key: MessageKey, params: Record<string, string> = {}): MeetingState {
  const others = state.notices.filter((notice) => notice.key !== key).slice(-2);
  return { ...state, notices: [...others, { id: state.nextId, key, params }], nextId: state.nextId + 1 };
}

function received(state: MeetingState, event: StreamEvent, now: number): MeetingState {
  const before = state.roster.byUuid.get(state.self);
  const rooms = reduceRooms(state.rooms, event);
  let next: MeetingState = { ...state, roster: reduceRoster(state.roster, event), rooms };
  next = heardHere(next, state, event, now);
  next = told(next, event);
  const after = next.roster.byUuid.get(state.self);
  return after && after !== before ? selfChanged(next, before, after) : next;
}

/** What is said and happens where our picture and sound are, and only there. */
function heardHere(state: MeetingState, before: MeetingState, event: StreamEvent, now: number): MeetingState {
  const wrapped = event.name === "breakout_event" ? event.data : undefined;
  const around = before.place === undefined ? before : before.rooms.get(before.place);
  if (!around || wrapped?.breakout_uuid !== before.place) return state;
  const happened = wrapped ? insideOf(wrapped) : event;
  if (happened.name === "message_received") return heard(state, happened.data, now);
  const line = before.synced && !isWaiting(before) ? newsOf(happened, around, now) : undefined;
  const next = line ? addLine(state, line) : state;
  const raised = before.role === "HOST" ? raisedBy(happened, around) : undefined;
  return raised ? notify(next, "notice.hand", { name: nameOf(raised) }) : next;
}

/** Who has just raised a hand, if that is what happened. */
function raisedBy(event: StreamEvent, before: { roster: Roster; self: string }) {
  if (event.name !== "participant_update" || event.data.uuid === before.self) return undefined;
  const known = before.roster.byUuid.get(event.data.uuid);
  return known && !known.buzz_time && event.data.buzz_time ? event.data : undefined;
}

function told(state: MeetingState, event: StreamEvent): MeetingState {
  switch (event.name) {
    case "conference_update":
      return { ...state, flags: event.data };
    case "participant_sync_begin":
      return { ...state, synced: false };
    case "participant_sync_end":
      return { ...state, synced: true };
    case "layout":
      return { ...state, layout: { ...state.layout, ...event.data } };
    case "presentation_start":
      return { ...state, presenter: event.data };
    case "presentation_stop":
      return { ...state, presenter: undefined };
    case "on_hold":
      return { ...state, held: event.data.setting };
    default:
      return state;
  }
}

function heard(state: MeetingState, message: ChatPayload, now: number): MeetingState {
  if (!message.type.startsWith("text/plain")) return state;
  const { payload, direct } = message;
  const origin = plain(message.origin) || "–";
  const line = { origin, own: false, text: payload, at: now, undelivered: false };
  const next = addLine(state, { ...line, direct: direct ? origin : undefined });
  if (state.chatOpen) return next;
  return notify({ ...next, unread: state.unread + 1 }, "notice.message", {
    name: origin,
    text: shortened(payload),
  });
}

const MOST_SHOWN = 140;

function shortened(text: string): string {
  const letters = [...text];
  return letters.length > MOST_SHOWN ? `${letters.slice(0, MOST_SHOWN).join("")}…` : text;
}

/** Take over what the server says about ourselves, and tell the user what somebody else did to it. */
function selfChanged(
  state: MeetingState,
  before: ParticipantRecord | undefined,
  after: ParticipantRecord,
): MeetingState {
  let next = state;
  if (after.role !== "unknown") next = { ...next, role: after.role === "chair" ? "HOST" : "GUEST" };
  next = { ...next, where: after.service_type };
  if (!before) return next;
  if (before.is_muted !== after.is_muted) {
    next = notify(next, after.is_muted === "YES" ? "notice.mutedByHost" : "notice.unmutedByHost");
  }
  if (before.service_type === "waiting_room" && after.service_type !== "waiting_room") {
    next = notify(next, "notice.admitted");
  }
  if (before.role !== after.role && before.role !== "unknown") {
    next = notify(next, after.role === "chair" ? "notice.nowHost" : "notice.nowGuest");
  }
  return next;
}

export function handRaised(state: MeetingState): boolean {
  return state.phase.kind === "active" && (state.roster.byUuid.get(state.self)?.buzz_time ?? 0) > 0;
}

export function isWaiting(state: MeetingState): boolean {
  return state.where === "waiting_room";
}

/** The state as of the place where our picture and sound are: that of the breakout room, when it is one. */
export function seen(state: MeetingState): MeetingState {
  const room = state.place === undefined ? undefined : state.rooms.get(state.place);
  if (!room) return state;
  const { self, roster, flags, presenter } = room;
  return { ...state, self, roster, flags, presenter, layout: undefined };
}

/** Messages are possible here and now. */
export function mayChat(state: MeetingState): boolean {
  return state.service.chat && (state.flags.chat_enabled ?? true) && !isWaiting(state);
}

/** May present now, as far as this client can know. */
export function mayPresent(state: MeetingState): boolean {
  if (!state.service.presentation || isWaiting(state)) return false;
  if (state.role === "HOST") return true;
  return (state.flags.guests_can_present ?? true) && (state.flags.presentation_allowed ?? true);
}

/** Name of the layout that a Host chose, or the one of the picture sent to us. */
export function layoutOf(state: MeetingState, audience: "chair" | "guest" = "chair"): string | undefined {
  const asked = state.layout?.requested_layout?.primary_screen;
  return asked?.[`${audience}_layout`] ?? state.layout?.view;
}

/** The layout that only we are sent; undefined: what all are sent. */
export function ownLayoutOf(state: MeetingState): string | undefined {
  const mix = state.roster.byUuid.get(state.self)?.receive_from_video_mix;
  return hasOwnMix(state) ? mix?.mix_config?.transform_layout?.layout : undefined;
}

export function hasOwnMix(state: MeetingState): boolean {
  return (state.roster.byUuid.get(state.self)?.receive_from_video_mix?.mix_name ?? "main") !== "main";
}

export function mayChooseOwnLayout(state: MeetingState): boolean {
  return state.roster.byUuid.get(state.self)?.can_receive_personal_mix ?? false;
}

/** May end the mute that a Host put upon us. */
export function mayUnmute(state: MeetingState): boolean {
  return state.role === "HOST" || (state.flags.guests_can_unmute ?? false);
}

/** Muted by the platform, whatever the own button says. */
export function isMutedByHost(state: MeetingState): boolean {
  return state.roster.byUuid.get(state.self)?.is_muted === "YES";
}
