"""What calls cost and how full a node is (POL-112…POL-122, POL-136, PLAT-076…PLAT-090). Pure.

The unit is the token: an audio-only call is one, so every price of the price list is a whole number.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

import msgspec

from rostra.domain.vocabulary import CallProtocol


class CallClass(enum.IntEnum):
    """What a call may use at most; the value is its price in tokens (PLAT-078)."""

    AUDIO = 1
    SD = 6
    HD = 12
    FULL_HD = 24


HEADROOM = 0.2
"""Share of a node's processor that calls do not get: signalling, peaks, the system."""
HD_BANDWIDTH = 1_133_334
"""bit/s of video from which on a call is sent 720p; with less it is SD."""
_BROWSERS = frozenset({CallProtocol.WEBRTC, CallProtocol.API})
_EDGE_VIDEO, _EDGE_AUDIO = 3 * CallClass.AUDIO, 1 * CallClass.AUDIO


def call_class(
    *, audio_only: bool, call_type: str = "video", bandwidth: int | None = None, full_hd: bool = False,
    quality: str = "hd",
) -> CallClass:  # fmt: skip
    """The class of a call, fixed at admission by the most it may use (POL-113, POL-114).

    `audio_only`: the caller's wish; `call_type`: the service's (`video`, `video-only`, `audio`); `bandwidth`: bit/s
    the call may use at most in the direction that may use more, None: no limit; `full_hd`: 1080p is enabled in the
    deployment and this endpoint offers it; `quality`: the service's, `sd` is never more (POL-115).
    """
    if audio_only or call_type == "audio":
        return CallClass.AUDIO
    if quality == "sd" or (bandwidth is not None and bandwidth < HD_BANDWIDTH):
        return CallClass.SD
    return CallClass.FULL_HD if full_hd else CallClass.HD


def presentation(protocol: CallProtocol, *, sends: bool = False, receives: bool = False) -> int:
    """Tokens a participant of a conference costs more while it presents or watches (sheet 11, 12.2, v14)."""
    if protocol in _BROWSERS and sends:
        return CallClass.HD
    if protocol is CallProtocol.MSSIP and (sends or receives):
        return CallClass.HD
    return 0


def reservation(*, transcoding_nodes: int, audio_only: bool = False, full_hd: bool = False) -> int:
    """Tokens a conference instance reserves for its backplane on each node (PLAT-081, PLAT-082, POL-116…POL-118).

    `transcoding_nodes`: configured, not running; `audio_only`: of the service; `full_hd`: 1080p is enabled in the
    deployment.
    """
    if transcoding_nodes <= 1:
        return 0
    if audio_only:
        return CallClass.AUDIO
    return CallClass.FULL_HD if full_hd else CallClass.HD


def edge(call: CallClass) -> int:
    """Tokens on the edge node that relays a call, besides its price on the transcoding node (POL-136)."""
    return _EDGE_AUDIO if call is CallClass.AUDIO else _EDGE_VIDEO


class GatewayPrice(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of a gateway call, by what they are for."""

    legs: int
    """Both legs together: half of it each."""
    presentation: int = 0
    """Kept for, or used by, a presentation; on the node of the leg that sends it."""
    backplanes: int = 0
    """Both ends together: half of it on each of the two nodes."""

    @property
    def total(self) -> int:
        return self.legs + self.presentation + self.backplanes


def gateway(
    caller: CallProtocol,
    called: CallProtocol,
    *,
    call: CallClass = CallClass.HD,
    two_nodes: bool = False,
    full_motion: bool = False,
    presentation_elsewhere: bool = False,
) -> GatewayPrice:
    """What a gateway call costs (sheet 11, 12.4, v14; PLAT-084…PLAT-087).

    `two_nodes`: its legs are on different nodes; `full_motion`: between browsers, the receiver takes the presentation
    in full motion; `presentation_elsewhere`: the presentation of a Microsoft client came in on another node than its
    call. An audio-only call counts the same connections at the audio price.
    """
    ends = (caller, called)
    legs, backplanes = 2 * call, 2 * call
    if two_nodes:
        return GatewayPrice(legs=legs, backplanes=backplanes)
    if CallProtocol.MSSIP in ends:
        return GatewayPrice(legs=legs, presentation=call, backplanes=backplanes if presentation_elsewhere else 0)
    browsers = sum(end in _BROWSERS for end in ends)
    watched = 2 if browsers == 2 and full_motion else min(browsers, 1)
    return GatewayPrice(legs=legs, presentation=watched * call)


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """How many calls of one kind could be taken if there were no others (sheet 11, 12.5)."""

    hd: int
    sd: int
    audio: int
    full_hd: int

    @property
    def tokens(self) -> int:
        """The capacity that load arithmetic uses (POL-122)."""
        return self.hd * CallClass.HD

    def charge(self, price: int) -> float:
        """Tokens of this node's capacity that something of a price takes.

        As much as a call of that price takes of the node: where ten SD calls are all it can take, each is a tenth of
        it, whatever the price list says of SD and HD. A price that is none of a call counts as parts of an HD call.
        """
        by_price: dict[int, int] = {
            CallClass.AUDIO: self.audio, CallClass.SD: self.sd, CallClass.FULL_HD: self.full_hd,
        }  # fmt: skip
        most = by_price.get(price, 0)
        return self.tokens / most if most else float(price)


def max_calls(tokens: int) -> Figures:
    """The figures that follow from a capacity by price alone."""
    return Figures(
        hd=tokens // CallClass.HD,
        sd=tokens // CallClass.SD,
        audio=tokens // CallClass.AUDIO,
        full_hd=tokens // CallClass.FULL_HD,
    )


def figures_of(capacity: int, *, full_hd: int = 0, sd: int = 0, audio: int = 0) -> Figures:
    """The figures of a node as it reports them; where it has measured none, those by price."""
    if not audio:
        return max_calls(capacity)
    return Figures(hd=capacity // CallClass.HD, sd=sd, audio=audio, full_hd=full_hd)


def processor_load(cores_used: float, cores: float) -> int:
    """Percent of what calls get of the processor that is in use, by measurement: what `media_load` should be near."""
    return round(100 * cores_used / (cores * (1 - HEADROOM))) if cores else 0


def location_calls(nodes: Iterable[Figures]) -> Figures:
    """The figures of a location: sums over its nodes."""
    found = list(nodes)
    return Figures(
        hd=sum(one.hd for one in found),
        sd=sum(one.sd for one in found),
        audio=sum(one.audio for one in found),
        full_hd=sum(one.full_hd for one in found),
    )


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """How full a node is."""

    capacity: int
    """Tokens it can carry at most."""
    used: int
    """Tokens in use and reserved."""
    maintenance: bool = False

    @property
    def percent(self) -> int:
        """`media_load` of a node: 100 in maintenance mode, or when nothing is left (PLAT-079, NODE-128)."""
        return location_load((self,))


def location_load(nodes: Iterable[Load]) -> int:
    """`media_load` of a location: the average by capacity, in percent; 100 without nodes."""
    used = capacity = 0
    for node in nodes:
        capacity += node.capacity
        used += node.capacity if node.maintenance else min(node.used, node.capacity)
    return 100 * used // capacity if capacity else 100
