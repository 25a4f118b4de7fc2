"""What every kind of leg has in common, and what a leg may ask of the worker."""

from __future__ import annotations

import abc
import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from rostra.domain.camera import CameraCommand
from rostra.domain.media import MediaKind, StreamType
from rostra.domain.presenting import is_slides
from rostra.media.codecs.row import CodecRow
from rostra.media.engine import rtp_statistics
from rostra.media.engine.direct import Arriving
from rostra.media.engine.meter import Facts, Meter
from rostra.media.engine.receivers import Receivers
from rostra.media.engine.renditions import Renditions
from rostra.media.engine.rungs import Rung
from rostra.media.engine.sending import SendingRate
from rostra.media.engine.slides import Supply
from rostra.media.replies import StreamStatistics

BACKGROUND = "~background"
"""The view of legs that watch nothing: an empty scene."""
SESSIONS = range(3)
"""RTP sessions of a leg at most: sound, main video and slides."""
PATIENCE = 30.0
"""Seconds without a connection or media before a leg has failed."""


@dataclasses.dataclass(frozen=True, slots=True)
class LegContext:
    """The worker as its legs know it. All functions are called on the event loop."""

    renditions: Renditions
    connected: Callable[[str], None]
    failed: Callable[[str, str], None]
    digit: Callable[[str, str], None]
    patience: float = PATIENCE
    pictures: Callable[[], Mapping[str, tuple[int, int]]] = dict
    """Sources that have a picture on the stage, and its size."""
    slides: Supply | None = None
    """Where slides come from; None: there are none."""
    quality: Callable[[], str] = lambda: "hd"
    """The best main picture there is, see `rungs.pick`."""
    picture_wanted: Callable[[str], None] = lambda _: None
    """A far end that takes no RTCP feedback should be asked for a key frame by its signalling."""
    direct: Callable[[str], Arriving | None] = lambda _: None
    """What alone makes up a view, as it arrives; None: nothing does."""
    camera: Callable[[str, CameraCommand], None] = lambda _, __: None
    """A far end moves a camera: whose, is not its to say."""


class Feed(Protocol):
    """A picture that a leg is sent."""

    @property
    def channel(self) -> str:
        """Where it is published; empty: there is none now."""
        ...

    @property
    def forwards(self) -> str:
        """The source that is sent as it arrives; empty: it comes from an encoder."""
        ...

    def request_keyframe(self) -> None: ...
    def poll(self) -> None: ...


class Leg(abc.ABC):
    """One participant's media."""

    def __init__(self, context: LegContext, leg: str) -> None:
        self.context = context
        self.id = leg
        self.view = BACKGROUND
        self.held = False
        self.meter = Meter()
        self.sending: SendingRate | None = None
        """What is known of the path to it."""

    def watch(self, view: str) -> None:
        """Show another view from now on."""
        self.view = view

    def hold(self, held: bool) -> None:
        """Stop or resume sending to it and playing from it."""
        self.held = held

    def poll(self) -> None:
        """Look after what only looking can notice; called a few times a second."""
        return

    def add_candidate(self, mid: str, candidate: str, ufrag: str) -> None:
        """A trickled ICE candidate; of no use to legs without ICE."""
        del mid, candidate, ufrag

    def send_dtmf(self, digits: str) -> None:
        """Send telephone events where the leg has them."""
        del digits

    def need(self, bitrate: int | None) -> None:
        """Have it send no more than so many bit/s of its main picture, where it takes requests; None: what was agreed.

        Called often with the same.
        """
        del bitrate

    def move_camera(self, command: CameraCommand) -> None:
        """Move the camera at its far end, where it has one that can be."""
        del command

    @property
    def shows(self) -> str:
        """Under which name its picture is on the stage."""
        return self.id

    @property
    def presents(self) -> str:
        """Under which name its slides are on the stage; empty: it has none."""
        return ""

    @property
    def receivers(self) -> Receivers | None:
        """What comes from it; None: nothing does."""
        return None

    def arriving(self, source: str = "") -> CodecRow | None:
        """The codec of a picture it sends us (its main one by default), also on a channel (`backplane.channel`)."""
        return self.receivers.arriving(source) if self.receivers else None

    def arriving_profile(self, source: str = "") -> str:
        """What the codec calls what that picture uses; empty: not known."""
        return self.receivers.arriving_profile(source) if self.receivers else ""

    def slides_bitrate(self) -> float:
        """Bit/s of the slides it sends us."""
        return 0.0

    def pictures_bitrate(self) -> float:
        """Bit/s of what else it sends us; 0: not known."""
        return 0.0

    def show_slides(self, source: str) -> None:
        """Send it these slides from now on; empty: none."""
        del source

    @abc.abstractmethod
    def start(self, *, early: bool = False) -> None:
        """Send media from now on. `early`: nothing shows yet that the far end is where it says."""

    def request_keyframe(self) -> None:
        """The far end needs a key frame."""
        for feed in self.feeds():
            feed.request_keyframe()

    def feeds(self) -> Sequence[Feed]:
        """The pictures it is sent."""
        return ()

    @abc.abstractmethod
    def request_pictures(self) -> None:
        """Ask the far end for a key frame."""

    @abc.abstractmethod
    async def close(self) -> None:
        """Free everything. Safe to repeat."""

    @abc.abstractmethod
    def rtpbin(self) -> Any:
        """The element that knows the RTP sessions, or None."""

    @abc.abstractmethod
    def codecs(self) -> dict[StreamType, str]:
        """Names of the codecs in use."""

    @abc.abstractmethod
    def sent_rung(self) -> Rung | None:
        """Size and rate of the video it is sent."""

    def sent_slides(self) -> tuple[int, int, float] | None:
        """Width, height and rate of the slides it is sent; a rate of 0 is not known."""
        return None

    def carries_slides(self, session: int, source: int) -> bool:
        """Are the pictures of an RTP source of one of its sessions slides, sent or received?"""
        del session, source
        return False

    def count(self) -> None:
        """Take down what its sessions count; every few seconds."""
        element = self.rtpbin()
        if element is not None:
            readings = rtp_statistics.readings(element, SESSIONS, self.carries_slides)
            self.meter.count(time.monotonic(), readings)

    def statistics(self) -> list[StreamStatistics]:
        """Counters of all streams."""
        self.count()
        shown, sent, slides = self.context.pictures(), self.sent_rung(), self.sent_slides()
        pictures: dict[tuple[StreamType, bool], tuple[int, int, float]] = {}
        for source in (self.shows, self.presents):
            if source in shown:
                pictures[StreamType.of(MediaKind.VIDEO, slides=is_slides(source)), False] = (*shown[source], 0.0)
        if sent:
            pictures[StreamType.VIDEO, True] = (sent.width, sent.height, float(sent.frame_rate))
        if slides:
            pictures[StreamType.PRESENTATION, True] = slides
        return self.meter.report(self.id, Facts(self.codecs(), pictures), time.monotonic(), time.time())
