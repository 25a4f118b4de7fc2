"""Messages between signalling and a media worker: the closed set, one class each. What a worker says is in `replies`.

Requests go to `control_subject(worker)` and are answered with a reply of the stated type or `Failure`;
events are published on `events_subject(worker)`. A worker serves one conference at a time. All messages are
msgspec structs in MessagePack, tagged with their name, so a new member with a default is compatible with the
previous version. Ids are strings chosen by the caller; every request is safe to repeat.
"""

from __future__ import annotations

import enum

import msgspec

from rostra.domain.camera import CameraCommand
from rostra.domain.ice import NO_SERVERS, IceServers
from rostra.domain.media import CryptoAttribute, MediaDescription, MediaKind
from rostra.domain.scene import Scene
from rostra.fabric import subjects
from rostra.media.replies import (
    CameraAsked,
    Done,
    DtmfReceived,
    Failure,
    FirstPicture,
    Heartbeat,
    IceSides,
    LegConnected,
    LegFailed,
    Levels,
    PictureWanted,
    Playing,
    Ready,
    RtpPorts,
    StatisticsReply,
    StillTaken,
    WebRtcAnswer,
)


def control_subject(worker: str) -> str:
    return subjects.CONTROL.of(worker)


def events_subject(worker: str) -> str:
    return subjects.MEDIA_EVENTS.of(worker)


class Message(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Base of everything a worker is asked."""


class Assign(Message, frozen=True, kw_only=True):
    """Give the worker its conference. Reply: Done."""

    conference: str
    name: str
    themes: tuple[str, ...] = ()
    """Directories of the conference's theme, each filling the gaps of those before it."""
    quality: str = "hd"
    """The best main picture that is sent: `sd`, `hd` or `fullhd`."""
    dscp: int = 0
    """Marks packets of RTP, towards endpoints that speak SIP and towards other nodes (SYS-143)."""
    denoise: bool = False
    """Take background noise out of what participants say."""


class Slides(msgspec.Struct, frozen=True, kw_only=True):
    """What may be agreed on a section for slides."""

    wanted: bool = True
    """False: it is answered inactive, and stays so."""
    only: bool = False
    """The one video section of the offer is for slides, whether it says so or not (API-096)."""
    sends: bool = True
    """We may send slides, if asked for."""
    receives: bool = False
    """We take slides, if they are offered."""


class OpenWebRtc(Message, frozen=True, kw_only=True):
    """Open a WebRTC leg, or negotiate it anew (same leg id): the complete answer with candidates comes back.

    With an ICE restart in the offer, or after the worker was replaced, the transport is built anew.
    Reply: WebRtcAnswer or Failure.
    """

    leg: str
    offer: str
    media_type: str = "video"
    """`video`, `video-only` or `audio`: what the service and client allow; more is answered inactive."""
    receive_bandwidth: int | None = None
    """Most bit/s we want from the client (b=TIAS of the answer)."""
    send_bandwidth: int | None = None
    """Most bit/s of video we may send."""
    slides: Slides = Slides()
    start: bool = False
    """Send at once; else a new connection sends nothing before Start (the client's ack, API-070)."""
    servers: IceServers = NO_SERVERS
    answered: bool = False
    """The offer is what the far end answered when our last answer was offered to it: the transport stays, whatever
    credentials it has."""


class AddCandidate(Message, frozen=True, kw_only=True):
    """A trickled remote ICE candidate; an empty one ends them. Reply: Done."""

    leg: str
    mid: str
    candidate: str
    ufrag: str = ""


class ReserveRtp(Message, frozen=True, kw_only=True):
    """Reserve RTP/RTCP port pairs for an RTP leg (SIP, H.323), one per stream. Reply: RtpPorts."""

    leg: str
    kinds: tuple[MediaKind, ...]
    ipv6: bool = False
    """The far end is reached by IPv6; ports of the other version are given up."""


class ReserveIce(Message, frozen=True, kw_only=True):
    """Have ICE on the streams of an RTP leg that has its ports reserved. Reply: IceSides, one for each stream.

    What was reserved before stays, as long as the generation is the same; another one restarts ICE (RFC 8445 9).
    """

    leg: str
    components: tuple[int, ...]
    """Of each stream: 1 where RTCP shares the port of RTP, else 2."""
    generation: str = ""
    controlling: bool = False
    """We began, or the far end is lite."""
    servers: IceServers = NO_SERVERS


class ConnectRtp(Message, frozen=True, kw_only=True):
    """Run an RTP leg by what was negotiated; repeated after a re-INVITE. Reply: Done or Failure.

    `local` and `remote` have the same streams in the same order; each lists exactly the agreed codecs (first
    one preferred), with the payload types that side wants to receive, and at most one crypto line.
    """

    leg: str
    local: MediaDescription
    remote: MediaDescription
    proved: str | None = None
    """The address the far end is known to be at, as its signalling comes from there. Before media has come from
    elsewhere little goes there (`engine.consent`). None: nothing is known, and everything goes where it was said to."""


class Start(Message, frozen=True, kw_only=True):
    """The far end has confirmed (SIP ACK, client API `ack`): send media. Reply: Done."""

    leg: str
    early: bool = False
    """It has not: signalling by datagrams proves nothing before, so no address counts as proved (`engine.consent`)."""


class Close(Message, frozen=True, kw_only=True):
    """End a leg and free everything of it. Unknown legs are fine. Reply: Done, with what it was when there was one."""

    leg: str


class Hold(Message, frozen=True, kw_only=True):
    """Stop or resume sending to and playing from a leg. Reply: Done."""

    leg: str
    held: bool


PARTICIPANT, SAME_LOCATION, OTHER_LOCATION = 1, 2, 4
"""Groups of sound: legs here; mixes of nodes of our location; mixes of other locations."""
EVERYBODY = PARTICIPANT | SAME_LOCATION | OTHER_LOCATION


class AudioRoute(msgspec.Struct, frozen=True, kw_only=True):
    """What one leg contributes and hears."""

    speaks: bool = True
    """False: its audio is discarded from all mixes (muted, waiting)."""
    hears: bool = True
    """False: it hears nothing of the conference."""
    loopback: float = 0.0
    """Seconds after which it hears itself (test call); 0: never."""
    group: int = PARTICIPANT
    """Which kind of source it is: one bit."""
    listens: int = EVERYBODY
    """Groups it hears, as a mask. What goes to another node must not carry what came from there."""


class Compose(Message, frozen=True, kw_only=True):
    """The wanted state of the whole conference: replaces the previous one. Reply: Done.

    `views` names scenes; `watching` gives each leg's view. Legs on the same view with the same codec and rung
    share one encoder. A leg not in `watching` sees the background. A leg not in `audio` has the default route.
    """

    views: dict[str, Scene]
    watching: dict[str, str]
    audio: dict[str, AudioRoute] = {}
    slides: dict[str, str] = {}
    """For each leg that is to be sent slides, their source; the others are sent none."""


class Quality(enum.StrEnum):
    """How a picture crosses a backplane."""

    FULL = "full"
    """As the source sends it, not encoded again."""
    THUMBNAIL = "thumbnail"
    """Small: encoded once for all who want it small; forwarded as it is where it arrived small."""


class ReceiveBackplane(Message, frozen=True, kw_only=True):
    """Take a stream of another node's worker: what arrives is on the stage as `source`. Reply: RtpPorts.

    One leg, one stream, one port (RTP and RTCP share it). Packets are SRTP: `key_in` is the sender's, `key_out` is
    for our RTCP. The payload type says the codec (`backplane.PAYLOAD_TYPES`). A picture that arrives at a quality
    can be passed on at that quality by SendBackplane of the same source.
    """

    leg: str
    kind: MediaKind
    source: str
    quality: Quality = Quality.FULL
    key_in: CryptoAttribute
    key_out: CryptoAttribute


class SendBackplane(Message, frozen=True, kw_only=True):
    """Send a stream to another node's worker. Reply: Done, or UNKNOWN_LEG while there is no such source.

    Video: the picture of `source`, which is a leg of this worker or arrives here by backplane. Audio: the mix that
    the route of `leg` (in Compose.audio) says. Repeating it with another address or other keys moves it.
    """

    leg: str
    kind: MediaKind
    source: str = ""
    quality: Quality = Quality.FULL
    address: str
    port: int
    key_out: CryptoAttribute
    key_in: CryptoAttribute


class ShowStill(Message, frozen=True, kw_only=True):
    """Show a picture as the slides of a call without media of its own. Reply: Done, or BAD_DESCRIPTION for no JPEG."""

    leg: str
    jpeg: bytes


FACES_KEPT = 64
"""Images of KeepImage that a worker keeps, the oldest go first."""


class KeepImage(Message, frozen=True, kw_only=True):
    """Have an image at hand that views composed from now on show by its name. Reply: Done, or BAD_DESCRIPTION."""

    name: str
    """`FACE` of `domain.scene` and what tells it from others; the same name is always the same picture."""
    jpeg: bytes


class TakeStill(Message, frozen=True, kw_only=True):
    """Ask for the picture of a source as JPEG. Reply: StillTaken, or UNKNOWN_LEG while it has no picture."""

    source: str
    mark: bytes = b""
    """Of the picture known already: one that looks the same is not sent again."""


class OpenStream(Message, frozen=True, kw_only=True):
    """Send what the leg sees and hears to an RTMP server. Reply: Done once it takes it, or UNREACHABLE."""

    leg: str
    url: str
    presentation_url: str = ""
    """Where the presentation goes, by itself; empty: it is in the main picture (Compose says so)."""
    background: int = 0
    """Colour behind the icon that is sent there while nobody presents."""
    send_bandwidth: int | None = None
    authorities: str = ""
    """Who is believed to vouch for servers, beside the machine's: PEM."""


class RequestKeyframe(Message, frozen=True, kw_only=True):
    """The far end of a leg asked for a key frame by signalling. Reply: Done."""

    leg: str


class SendDtmf(Message, frozen=True, kw_only=True):
    """Send telephone events to the far end of a leg. Reply: Done."""

    leg: str
    digits: str


class MoveCamera(Message, frozen=True, kw_only=True):
    """Move the camera at the far end of a leg, where that can be. Reply: Done."""

    leg: str
    command: CameraCommand


class Play(Message, frozen=True, kw_only=True):
    """Let the far end of a leg hear sounds of the theme, after those it hears already. Reply: Playing.

    One that no theme has, or that is broken in all, is skipped.
    """

    leg: str
    sounds: tuple[str, ...]


class StopPlaying(Message, frozen=True, kw_only=True):
    """Be silent. Reply: Done."""

    leg: str


class Statistics(Message, frozen=True, kw_only=True):
    """Ask for the counters of all legs. Reply: StatisticsReply."""


class Quit(Message, frozen=True, kw_only=True):
    """End the process cleanly. Reply: Done."""


Request = (
    Assign
    | OpenWebRtc
    | AddCandidate
    | ReserveRtp
    | ReserveIce
    | ConnectRtp
    | Start
    | Close
    | Hold
    | Compose
    | ReceiveBackplane
    | SendBackplane
    | ShowStill
    | KeepImage
    | TakeStill
    | OpenStream
    | RequestKeyframe
    | SendDtmf
    | MoveCamera
    | Play
    | StopPlaying
    | Statistics
    | Quit
)
Reply = Done | Failure | WebRtcAnswer | RtpPorts | IceSides | Playing | StillTaken | StatisticsReply
Event = (
    Ready | Heartbeat | LegConnected | LegFailed | FirstPicture | Levels | DtmfReceived | PictureWanted | CameraAsked
)

request_decoder = msgspec.msgpack.Decoder(Request)
reply_decoder = msgspec.msgpack.Decoder(Reply)
event_decoder = msgspec.msgpack.Decoder(Event)
encode = msgspec.msgpack.Encoder().encode
