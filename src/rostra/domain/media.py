"""Vocabulary of media: the neutral description every protocol's offer and answer is turned into.

Pure values. `sdp/` (and later H.245) translate to and from these; nothing above knows SDP.
"""

from __future__ import annotations

import enum

import msgspec

from rostra.domain.ice import IceSide


class MediaKind(enum.StrEnum):
    AUDIO = "audio"
    VIDEO = "video"
    APPLICATION = "application"


class StreamType(enum.StrEnum):
    """What a stream is to those who look at statistics: slides count by themselves (DIAG-046)."""

    AUDIO = "audio"
    VIDEO = "video"
    PRESENTATION = "presentation"

    @staticmethod
    def of(kind: MediaKind, *, slides: bool) -> StreamType:
        """Only pictures are slides."""
        return StreamType.PRESENTATION if slides and kind is MediaKind.VIDEO else StreamType(kind)


class Content(enum.StrEnum):
    """Role of a stream (RFC 4796 `a=content`)."""

    MAIN = "main"
    SLIDES = "slides"


class Direction(enum.StrEnum):
    """RFC 3264 direction, seen from the side that states it."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def sends(self) -> bool:
        return self in (Direction.SENDRECV, Direction.SENDONLY)

    @property
    def receives(self) -> bool:
        return self in (Direction.SENDRECV, Direction.RECVONLY)

    @staticmethod
    def of(sends: bool, receives: bool) -> Direction:
        return {
            (True, True): Direction.SENDRECV,
            (True, False): Direction.SENDONLY,
            (False, True): Direction.RECVONLY,
            (False, False): Direction.INACTIVE,
        }[sends, receives]

    def reversed(self) -> Direction:
        """The same agreement seen from the other side."""
        return Direction.of(self.receives, self.sends)

    def limited_to(self, other: Direction) -> Direction:
        """What remains when `other` (same point of view) also has to agree."""
        return Direction.of(self.sends and other.sends, self.receives and other.receives)


class CodecParameters(msgspec.Struct, frozen=True, kw_only=True):
    """One payload type of one stream: `a=rtpmap`, `a=fmtp`, `a=rtcp-fb` together."""

    name: str
    """Encoding name in upper case (`OPUS`, `H264`, `TELEPHONE-EVENT`)."""
    payload_type: int
    clock_rate: int
    channels: int = 1
    parameters: dict[str, str] = {}
    """fmtp members, names in lower case; a value-less member has an empty value, a nameless one the name ''."""
    feedback: tuple[str, ...] = ()
    """RTCP feedback agreed or offered, such as `nack pli`."""


class CryptoAttribute(msgspec.Struct, frozen=True, kw_only=True):
    """One SDES line (RFC 4568)."""

    tag: int
    suite: str
    key_salt: str
    """Base64 of master key and salt."""


class DtlsSide(msgspec.Struct, frozen=True, kw_only=True):
    """What one side states of keys that media agrees on by itself (RFC 5763)."""

    fingerprint: str
    """Of its certificate: hash function and digest (RFC 8122)."""
    setup: str
    """Who begins: `active`, `passive`, or in offers `actpass`."""
    certificate: str = ""
    """Of ours: certificate and private key, PEM; never written into a description."""


class FloorControl(msgspec.Struct, frozen=True, kw_only=True):
    """What an m-section for floor control states (RFC 8856)."""

    roles: tuple[str, ...] = ()
    """`c-only`, `s-only`, `c-s`."""
    conference: int = 0
    user: int = 0
    floor: int = 0
    label: str = ""
    """Of the stream the floor is for."""
    setup: str = ""
    """Who connects, over TCP."""


class MediaStream(msgspec.Struct, frozen=True, kw_only=True):
    """One m-section. `port` 0 is a refused section, kept so that order and number survive (RFC 3264 6)."""

    kind: MediaKind
    content: Content = Content.MAIN
    direction: Direction = Direction.SENDRECV
    address: str = ""
    port: int = 0
    rtcp_port: int = 0
    """0: port + 1, or the same port with `rtcp_mux`."""
    rtcp_mux: bool = False
    profile: str = "RTP/AVP"
    codecs: tuple[CodecParameters, ...] = ()
    crypto: tuple[CryptoAttribute, ...] = ()
    dtls: DtlsSide | None = None
    """Where keys are agreed by DTLS."""
    ice: IceSide | None = None
    """Where the way is found by checks; the address is then the one for those who do none."""
    bandwidth: int | None = None
    """Most bit/s the stating side wants to receive on this stream."""
    ptime: int | None = None
    """Milliseconds of audio in a packet."""
    label: str = ""
    mid: str = ""
    formats: tuple[str, ...] = ()
    """The m-line's formats as written, for sections that are not RTP."""
    control: FloorControl | None = None
    """Of a section for floor control."""
    ratio: float = 0.0
    """Width to height of the pictures the stating side would like to receive; 0: it does not say."""

    @property
    def refused(self) -> bool:
        return self.port == 0


class MediaDescription(msgspec.Struct, frozen=True, kw_only=True):
    """One side's whole offer or answer."""

    streams: tuple[MediaStream, ...] = ()
    bandwidth: int | None = None
    """Session limit in bit/s."""
    address: str = ""
    session_id: int = 0
    version: int = 0
