"""What the API answers: one structure per `result` object; field names and types are the contract (API-009)."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

YesNo = Literal["YES", "NO"]
VERSION_ID = "36"
"""Generation shown to clients: the SDKs of 36 use `client_mute`, which is there (API-028)."""
PSEUDO_VERSION = "36000.0.0"


class Version(msgspec.Struct, frozen=True):
    version_id: str = VERSION_ID
    pseudo_version: str = PSEUDO_VERSION


class TokenGranted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """200 of `request_token`. `expires` is a string by contract, in seconds.

    No `stun` or `turn` while there are none: the SDK would hand an empty list of addresses to the browser.
    """

    token: str
    expires: str
    participant_uuid: str
    version: Version
    role: Literal["HOST", "GUEST"]
    display_name: str
    current_service_type: str
    service_type: str
    conference_name: str
    service_name: str
    call_type: Literal["video", "video-only", "audio"]
    chat_enabled: bool
    fecc_enabled: bool = True
    rtmp_enabled: bool = False
    rtsp_enabled: bool = False
    analytics_enabled: bool = False
    guests_can_present: bool = True
    allow_1080p: bool = False
    vp9_enabled: bool = False
    trickle_ice_enabled: bool = True
    direct_media: bool = False
    breakout_rooms: bool = False
    call_tag: str = ""
    idp_uuid: str = ""
    pex_datachannel_id: int | msgspec.UnsetType = msgspec.UNSET
    """Only with direct media, like the next but two (API-158)."""
    stun: list[dict[str, str]] | msgspec.UnsetType = msgspec.UNSET
    turn: list[dict[str, Any]] | msgspec.UnsetType = msgspec.UNSET
    """Also with direct media, then even if there are none."""
    client_stats_update_interval: int | msgspec.UnsetType = msgspec.UNSET
    """Milliseconds; the same in every refresh (API-023)."""
    bandwidth_in: int | msgspec.UnsetType = msgspec.UNSET
    bandwidth_out: int | msgspec.UnsetType = msgspec.UNSET
    sso_token: str | msgspec.UnsetType = msgspec.UNSET
    """Ours, for who has signed on: good once, to join this alias anew."""
    node_urls: tuple[str, ...] = ()
    """Ours: where to go on when this node is lost, best first, as `https://host:port`."""


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """200 of a registration's `request_token` (API-134); every member is always there."""

    token: str
    expires: str
    registration_uuid: str
    directory_enabled: bool
    route_via_registrar: bool
    version: Version = Version()


class RegistrationRefreshed(msgspec.Struct, frozen=True, kw_only=True):
    token: str
    expires: str


class DirectoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An alias that can be called; `description` is empty when there is none (API-141)."""

    alias: str
    description: str
    username: str = ""


class PinChallenge(msgspec.Struct, frozen=True, kw_only=True):
    """403 of `request_token` when a PIN is wanted (API-031); `version` is mandatory in it."""

    pin: Literal["required", "none"]
    guest_pin: Literal["required", "none"]
    version: Version = Version()
    conference_extension: str | msgspec.UnsetType = msgspec.UNSET
    """Through a Virtual Reception: its type (API-035)."""


class ExtensionChallenge(msgspec.Struct, frozen=True, kw_only=True):
    """403 of `request_token` at a Virtual Reception: the number to go on to is wanted (API-034)."""

    conference_extension: Literal["required"] = "required"
    conference_extension_type: str


class ProviderNamed(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    uuid: str


class ProviderOffered(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    uuid: str
    disable_popup_flow: bool


class ProviderChallenge(msgspec.Struct, frozen=True, kw_only=True):
    """403 of `request_token`: one of these identity providers has to be chosen (API-036)."""

    idp: list[ProviderOffered]
    version: Version = Version()


class RedirectChallenge(msgspec.Struct, frozen=True, kw_only=True):
    """403 of `request_token`: the user has to sign on there (API-036)."""

    redirect_url: str
    redirect_idp: ProviderNamed
    disable_popup_flow: bool
    version: Version = Version()


CHALLENGES = (PinChallenge, ExtensionChallenge, ProviderChallenge, RedirectChallenge)
"""What `request_token` asks for; none of it is a failure."""


class TokenRefreshed(msgspec.Struct, frozen=True, kw_only=True):
    token: str
    expires: str
    role: Literal["HOST", "GUEST"]
    client_stats_update_interval: int | msgspec.UnsetType = msgspec.UNSET
    node_urls: tuple[str, ...] = ()


class MixReceived(msgspec.Struct, frozen=True):
    mix_name: str = "main"
    timestamp: float = 0
    mix_config: dict[str, dict[str, str]] | msgspec.UnsetType = msgspec.UNSET


class ParticipantObject(msgspec.Struct, frozen=True, kw_only=True):
    """One participant in events and lists; every member is always sent (API-057)."""

    uuid: str
    api_url: str
    display_name: str
    overlay_text: str
    local_alias: str
    uri: str
    vendor: str
    protocol: str
    call_direction: str
    role: str
    service_type: str
    start_time: float
    has_media: bool
    is_video_call: YesNo
    is_audio_only_call: YesNo
    encryption: Literal["On", "Off"]
    is_muted: YesNo
    is_presenting: YesNo
    presentation_supported: YesNo
    rx_presentation_policy: Literal["ALLOW", "DENY"]
    fecc_supported: YesNo
    is_streaming_conference: bool
    is_external: bool
    spotlight: float
    external_node_uuid: str = ""
    buzz_time: float
    disconnect_supported: YesNo = "YES"
    mute_supported: YesNo = "YES"
    transfer_supported: YesNo = "NO"
    is_client_muted: bool
    is_video_muted: bool
    is_on_hold: bool
    is_video_silent: bool = False
    is_main_video_dropped_out: bool = False
    needs_presentation_in_mix: bool = False
    is_conjoined: bool = False
    is_transferring: bool = False
    is_idp_authenticated: bool = False
    supports_direct_chat: bool
    can_receive_personal_mix: bool = False
    receive_from_video_mix: MixReceived = MixReceived()
    call_tag: str
    last_spoken_time: float


class ConferenceState(msgspec.Struct, frozen=True, kw_only=True):
    """`conference_update` and `conference_status` (API-060)."""

    locked: bool
    guests_muted: bool
    all_muted: bool = False
    started: bool
    presentation_allowed: bool
    guests_can_present: bool
    guests_can_unmute: bool = False
    chat_enabled: bool
    direct_media: bool = False
    live_captions_available: bool = False
    breakout_rooms: bool = False
    breakout: bool | msgspec.UnsetType = msgspec.UNSET
    """Only in breakout rooms, like all that follows."""
    breakout_name: str | msgspec.UnsetType = msgspec.UNSET
    breakout_description: str | msgspec.UnsetType = msgspec.UNSET
    end_action: Literal["transfer", "disconnect"] | msgspec.UnsetType = msgspec.UNSET
    end_time: float | msgspec.UnsetType = msgspec.UNSET
    breakoutbuzz: dict[str, bool | float] | msgspec.UnsetType = msgspec.UNSET
    breakout_guests_allowed_to_leave: bool | msgspec.UnsetType = msgspec.UNSET


class RoomOpened(msgspec.Struct, frozen=True):
    breakout_uuid: str


class WebRtcCall(msgspec.Struct, frozen=True):
    """200 of `calls`. There is deliberately no `turn`: even an empty list is a fallback offer (API-068)."""

    call_uuid: str
    sdp: str | msgspec.UnsetType = msgspec.UNSET
    """Absent for a call without media of its own; empty while the other client with direct media has not called."""
    offer_ignored: bool | msgspec.UnsetType = msgspec.UNSET
    """The offer was not needed: the other client will make one (API-159)."""


class LayoutName(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A layout that can be chosen."""

    name: str
    tags: tuple[str, ...] = ()
    """`equal`: all pictures have one size."""
