"""What requests carry: one structure per body. Unknown members are ignored (API-006)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

Digits = Annotated[str, msgspec.Meta(pattern="^[0-9A-D*#,]+$", max_length=512)]
"""Tones that can be sent (API-119)."""


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all bodies."""


class RequestToken(Body, frozen=True, kw_only=True):
    """Members we act upon; the others a client may send need features that say so in the answer."""

    display_name: str | bool | None = None
    """`false`: take it from the identity provider."""
    call_tag: str | None = None
    conference_extension: str | None = None
    token: str | None = None
    registration_token: str | None = None
    supports_direct_chat: bool | None = None
    direct_media: bool | None = None
    chosen_idp: str | None = None
    sso_token: str | None = None
    sso_redirect_target: str | None = None
    replaces: str | None = None
    """Ours: the last token of an earlier session of the same person, which ends when this one has begun. Having the
    token is the right to end it."""


class ReleaseToken(Body, frozen=True, kw_only=True):
    """Sent by closing browsers too; never a reason to refuse."""

    reason: Any = None
    error: Any = None


class RegistrationToken(Body, frozen=True, kw_only=True):
    """Legacy clients send the token of their registration so."""

    token: Any = None


class Message(Body, frozen=True, kw_only=True):
    type: Annotated[str, msgspec.Meta(max_length=250)]
    payload: Annotated[str, msgspec.Meta(max_length=65_536)]
    """Everybody gets a copy."""


class DigitsBody(Body, frozen=True, kw_only=True):
    digits: Digits


class Overlay(Body, frozen=True, kw_only=True):
    text: Annotated[str, msgspec.Meta(max_length=1024)]


class TransformLayout(Body, frozen=True, kw_only=True):
    """Members of `transforms` are looked at by `domain.look`, which says what they may be."""

    transforms: dict[str, Any]


class OverrideLayout(Body, frozen=True, kw_only=True):
    """Who is shown to Hosts and to all others."""

    layouts: list[Any]


class RoleBody(Body, frozen=True, kw_only=True):
    role: Literal["chair", "guest"]


class Call(Body, frozen=True, kw_only=True):
    """New call; `call_type` decides which of the others matter. WebRTC needs `sdp`."""

    call_type: Literal["WEBRTC", "presentation", "RTMP"]
    sdp: str | None = None
    present: Literal["", "send", "receive", "main"] | None = None
    media_type: Literal["video", "video-only", "audio"] | None = None
    fecc_supported: bool | None = None


class Update(Body, frozen=True, kw_only=True):
    sdp: str
    media_type: Literal["video", "video-only", "audio"] | None = None
    fecc_supported: bool | None = None
    call_type: str | None = None


class Acknowledge(Body, frozen=True, kw_only=True):
    sdp: str | None = None
    offer_ignored: bool | None = None


class NewCandidate(Body, frozen=True, kw_only=True):
    candidate: str
    mid: str | None = None
    ufrag: str | None = None
    pwd: str | None = None


class Movement(Body, frozen=True, kw_only=True):
    axis: Literal["pan", "tilt", "zoom"]
    direction: Literal["left", "right", "up", "down", "in", "out"]


class CameraMove(Body, frozen=True, kw_only=True):
    """Far-end camera control."""

    action: Literal["start", "stop", "continue"]
    movement: Annotated[list[Movement], msgspec.Meta(max_length=16)]
    timeout: Annotated[float, msgspec.Meta(ge=0, le=60_000)] | None = None
    """Milliseconds."""


class Setting(Body, frozen=True, kw_only=True):
    setting: bool


class SilentVideoConfig(Body, frozen=True, kw_only=True):
    enable: bool = True
    silent_after: Annotated[float, msgspec.Meta(ge=1, le=120)] = 15.0
    """Seconds."""
    require_no_faces: bool = True
    reactivate_after: Annotated[float, msgspec.Meta(ge=1, le=5)] = 2.0
    """Seconds."""


class SilentVideo(Body, frozen=True, kw_only=True):
    config: SilentVideoConfig


class AspectRatio(Body, frozen=True, kw_only=True):
    aspect_ratio: Annotated[float, msgspec.Meta(ge=0, le=2)]


class CreateMix(Body, frozen=True, kw_only=True):
    mix_name: Annotated[str, msgspec.Meta(min_length=1, max_length=250)]


class MixLayout(Body, frozen=True, kw_only=True):
    layout: str | None = None


class ConfigureMix(Body, frozen=True, kw_only=True):
    transform_layout: MixLayout


class Transfer(Body, frozen=True, kw_only=True):
    conference_alias: str
    role: Literal["host", "guest", "chair"] | None = None
    pin: str | None = None


class Dial(Body, frozen=True, kw_only=True):
    """Call somebody (section 12)."""

    destination: str
    protocol: Literal["sip", "h323", "rtmp", "mssip", "auto"] = "auto"
    role: str | None = None
    """HOST or GUEST, also chair, in any case."""
    presentation_url: str | None = None
    presentation_uri: str | None = None
    """Older clients' name of it."""
    streaming: str | bool | None = None
    """`yes` or `no`."""
    dtmf_sequence: str | None = None
    source: str | None = None
    source_display_name: str | None = None
    call_type: Literal["video", "video-only", "audio"] = "video"
    keep_conference_alive: str | None = None
    remote_display_name: str | None = None
    text: str | None = None
    custom_sip_headers: str | dict[str, str] | None = None
    """Lines `Name: value`, or an object."""


Uuids = Annotated[list[str], msgspec.Meta(max_length=2000)]


class OpenRoom(Body, frozen=True, kw_only=True):
    """A new breakout room (section 17)."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=250)]
    description: Annotated[str, msgspec.Meta(max_length=1000)] | None = None
    duration: Annotated[float, msgspec.Meta(ge=0, le=7 * 24 * 3600)] | None = None
    """Seconds; 0: it stays open."""
    end_action: Literal["transfer", "disconnect"] = "transfer"
    participants: dict[str, Uuids] = {}
    """Who goes there, by the room they are in now (`main`, or a uuid)."""
    guests_allowed_to_leave: bool | None = None


class MoveToRoom(Body, frozen=True, kw_only=True):
    breakout_uuid: str
    """Empty or `main`: the main room."""
    participants: Uuids


class PresentationInMix(Body, frozen=True, kw_only=True):
    state: bool


class TakeFloor(Body, frozen=True, kw_only=True):
    jpegs: bool | None = None
