/** Shapes of the client API (v2) as this client reads them; members it does not use are left out. */

export type Role = "HOST" | "GUEST";
export type ServiceType =
  | "conference"
  | "lecture"
  | "gateway"
  | "test_call"
  | "waiting_room"
  | "ivr"
  | "media_playback"
  | "connecting";
export type CallType = "video" | "video-only" | "audio";
export type YesNo = "YES" | "NO";

export interface TurnServer {
  urls: string[];
  username?: string;
  credential?: string;
}

/** Answer to a successful `request_token`. */
export interface Admission {
  token: string;
  /** Lifetime in seconds, as text. */
  expires: string;
  participant_uuid: string;
  role: Role;
  display_name: string;
  current_service_type: ServiceType;
  service_type: ServiceType;
  conference_name: string;
  call_type: CallType;
  chat_enabled: boolean;
  vp9_enabled?: boolean;
  /** Main video may be 1080p. */
  allow_1080p?: boolean;
  trickle_ice_enabled?: boolean;
  stun?: { url: string }[];
  turn?: TurnServer[];
  use_relay_candidates_only?: boolean;
  guests_can_present?: boolean;
  rtmp_enabled?: boolean;
  /** Hosts may open breakout rooms. */
  breakout_rooms?: boolean;
  /** Most to receive and to send, kbit/s. */
  bandwidth_in?: number;
  bandwidth_out?: number;
  /** Signs on once more, should we have to join anew. */
  sso_token?: string;
  /** Other nodes to go on with when this one is lost. */
  node_urls?: unknown;
}

/** An identity provider. */
export interface Provider {
  name: string;
  uuid: string;
}

/** What `request_token` may say. */
export type TokenAnswer =
  | { kind: "admitted"; admission: Admission }
  | { kind: "pin"; guestPinRequired: boolean }
  | { kind: "extension" }
  | { kind: "providers"; providers: Provider[] }
  /** The user has to sign on there, in a window of its own unless `redirect`. */
  | { kind: "signOn"; provider: Provider; url: string; redirect: boolean }
  | { kind: "refused"; status: number; reason: string };

export interface ParticipantRecord {
  uuid: string;
  display_name: string;
  uri?: string;
  role: "chair" | "guest" | "unknown";
  service_type: ServiceType;
  protocol?: string;
  start_time: number;
  has_media: boolean;
  is_video_call: YesNo;
  is_audio_only_call: YesNo;
  is_muted: YesNo;
  is_presenting: YesNo;
  is_client_muted?: boolean;
  is_video_muted?: boolean;
  buzz_time?: number;
  spotlight?: number;
  mute_supported?: YesNo;
  disconnect_supported?: YesNo;
  transfer_supported?: YesNo;
  presentation_supported?: YesNo;
  rx_presentation_policy?: "ALLOW" | "DENY";
  supports_direct_chat?: boolean;
  is_streaming_conference?: boolean;
  is_on_hold?: boolean;
  overlay_text?: string;
  /** A Host whose picture and sound are in a breakout room. */
  is_conjoined?: boolean;
  can_receive_personal_mix?: boolean;
  receive_from_video_mix?: { mix_name: string; mix_config?: { transform_layout?: { layout?: string } } };
}

export interface ConferenceState {
  locked: boolean;
  guests_muted: boolean;
  started: boolean;
  guests_can_unmute?: boolean;
  guests_can_present?: boolean;
  presentation_allowed?: boolean;
  chat_enabled?: boolean;
  recording?: boolean;
  streaming?: boolean;
  public_streaming?: boolean;
  breakout_rooms?: boolean;
  /** Only in breakout rooms, like all that follows. */
  breakout?: boolean;
  breakout_name?: string;
  end_action?: EndAction;
  /** Seconds since the epoch by the server's clock; 0: open end. */
  end_time?: number;
  breakoutbuzz?: { value: boolean; time: number };
  breakout_guests_allowed_to_leave?: boolean;
}

/** What becomes of Guests when a breakout room closes. */
export type EndAction = "transfer" | "disconnect";

export interface RoomRequest {
  name: string;
  /** Seconds; 0: open end. */
  duration: number;
  end_action: EndAction;
  guests_allowed_to_leave: boolean;
  /** Participants by the room they are in now, `main` or a uuid. */
  participants: Readonly<Record<string, readonly string[]>>;
}

/** What the picture sent to this client is made of. */
export interface LayoutState {
  view: string;
  participants: string[];
  requested_layout?: { primary_screen?: { chair_layout?: string; guest_layout?: string } };
  overlay_text_enabled?: boolean;
}

export interface PresenterRecord {
  presenter_name: string;
  presenter_uri: string;
  presenter_uuid: string;
  presenter_source?: "video" | "static";
}

/** Members of `transform_layout` that this client uses. */
export interface LayoutChange {
  layout?: string;
  host_layout?: string;
  guest_layout?: string;
  enable_overlay_text?: boolean;
}

export type DialProtocol = "auto" | "sip" | "h323" | "rtmp" | "mssip";

export interface DialRequest {
  destination: string;
  protocol: DialProtocol;
  role: Role;
  dtmf_sequence?: string;
  remote_display_name?: string;
  streaming?: "yes" | "no";
  presentation_url?: string;
}

export interface TransferRequest {
  conference_alias: string;
  role: "host" | "guest";
  pin?: string;
}

export interface StageEntry {
  participant_uuid: string;
  stage_index: number;
  vad: number;
}

export interface ChatPayload {
  origin: string;
  uuid: string;
  type: string;
  payload: string;
  direct?: boolean;
}

/** Events of the stream that this client acts on, by name. */
export interface EventMap {
  hello: null;
  ping: null;
  participant_sync_begin: null;
  participant_sync_end: null;
  participant_create: ParticipantRecord;
  participant_update: ParticipantRecord;
  participant_delete: { uuid: string };
  conference_update: ConferenceState;
  stage: StageEntry[];
  layout: LayoutState;
  presentation_start: PresenterRecord;
  presentation_stop: Record<string, never> | null;
  message_received: ChatPayload;
  call_disconnected: { call_uuid: string; reason: string };
  media_lost: { call_uuid?: string } | null;
  disconnect: { reason: string };
  refer: { alias: string; token: string; target?: string; breakout_name?: string };
  cancel_refer: unknown;
  on_hold: { setting: boolean };
  refresh_token: null;
  breakout_begin: { breakout_uuid: string; participant_uuid: string };
  breakout_end: { breakout_uuid: string; participant_uuid: string };
  breakout_event: { breakout_uuid: string; event: string; data: unknown };
  breakout_refer: { breakout_uuid: string; breakout_name: string; requester_uuid: string };
}
export type EventName = keyof EventMap;
export type StreamEvent = { [K in EventName]: { name: K; data: EventMap[K] } }[EventName];
