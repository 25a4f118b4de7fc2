"""What a media worker says: its replies to requests, and the events it tells. See `messages`."""

from __future__ import annotations

import enum

import msgspec

from rostra.domain.camera import CameraCommand
from rostra.domain.ice import IceSide
from rostra.domain.media import StreamType


class Said(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Base of everything a worker says."""


# ---- replies ----------------------------------------------------------------------------------------------


class StreamStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """One direction of one stream of a leg. Rates in bit/s, times in seconds."""

    leg: str
    kind: StreamType
    sending: bool
    codec: str = ""
    bitrate: float = 0.0
    packets: int = 0
    lost: int = 0
    jitter: float = 0.0
    round_trip: float = 0.0
    width: int = 0
    height: int = 0
    frame_rate: float = 0.0
    since: float = 0.0
    """When it began, Unix seconds."""
    recent_loss: float = 0.0
    """Percent lost over the last 20 seconds."""
    mean_bitrate: float = 0.0
    """Over its life."""
    idle: bool = False
    """It has not moved for about 10 seconds."""


class LegReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a leg was over its life."""

    streams: tuple[StreamStatistics, ...] = ()
    quality: tuple[int, ...] = ()
    """Values of `domain.quality.Quality`, one for each 20 seconds."""


class Done(Said, frozen=True, kw_only=True):
    """The request was carried out."""

    report: LegReport | None = None
    """Of the leg that was closed."""


class Failure(Said, frozen=True, kw_only=True):
    """The request could not be carried out; `reason` is for the log, `kind` for the program."""

    class Kind(enum.StrEnum):
        UNKNOWN_LEG = "unknown_leg"
        BAD_DESCRIPTION = "bad_description"
        NO_COMMON_CODEC = "no_common_codec"
        OUT_OF_PORTS = "out_of_ports"
        UNREACHABLE = "unreachable"
        INTERNAL = "internal"

    kind: Kind
    reason: str


class WebRtcAnswer(Said, frozen=True, kw_only=True):
    sdp: str


class RtpPorts(Said, frozen=True, kw_only=True):
    """Local addresses of an RTP leg: `ports[i]` is the RTP port of stream i; its RTCP port is one higher."""

    address: str
    ports: tuple[int, ...]


class IceSides(Said, frozen=True, kw_only=True):
    """What we state of the streams of an RTP leg."""

    sides: tuple[IceSide, ...]


class Playing(Said, frozen=True, kw_only=True):
    """What is queued for a leg will be over in so many seconds."""

    seconds: float


class StillTaken(Said, frozen=True, kw_only=True):
    """A picture in two sizes; both empty: it looks like the one that is known."""

    mark: bytes = b""
    """Tells pictures apart that look different."""
    small: bytes = b""
    large: bytes = b""


class StatisticsReply(Said, frozen=True, kw_only=True):
    streams: tuple[StreamStatistics, ...]
    processor_seconds: float
    quality: dict[str, int] = {}
    """By leg: value of `domain.quality.Quality` of the last 20 seconds that are over."""
    debug: dict[str, object] = {}
    """State figures for people: pipelines, threads, views, encoders."""


# ---- events -----------------------------------------------------------------------------------------------


class Ready(Said, frozen=True, kw_only=True):
    """The process is up and listens on its control subject."""

    worker: str
    process: int


class Heartbeat(Said, frozen=True, kw_only=True):
    """Every second while alive."""

    worker: str
    legs: int = 0
    """It has now."""


class LegConnected(Said, frozen=True, kw_only=True):
    """Media (ICE and DTLS, or the first RTP packet) flows."""

    leg: str


class LegFailed(Said, frozen=True, kw_only=True):
    """The leg's transport or pipeline failed for good, or no media came for the timeout; the worker has closed it."""

    leg: str
    reason: str


class FirstPicture(Said, frozen=True, kw_only=True):
    """The first frame of a leg's video was decoded, or its size changed, or (width 0) its video stopped."""

    leg: str
    width: int
    height: int


class Levels(Said, frozen=True, kw_only=True):
    """Ten times a second: how loud each sending leg is, dBov (0 loudest, -127 silence), over the last 100 ms."""

    levels: dict[str, float]


class DtmfReceived(Said, frozen=True, kw_only=True):
    """A digit was pressed at the far end (RFC 4733 event, once per press)."""

    leg: str
    digit: str


class PictureWanted(Said, frozen=True, kw_only=True):
    """The far end should send a key frame, and can only be asked by its signalling (RFC 5168)."""

    leg: str


class CameraAsked(Said, frozen=True, kw_only=True):
    """The far end moves the camera of whom it sees (H.281)."""

    leg: str
    command: CameraCommand


LegTold = LegFailed | DtmfReceived | PictureWanted | CameraAsked
"""What whoever signals the call of a leg is told of it."""
