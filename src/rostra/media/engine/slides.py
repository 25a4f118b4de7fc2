"""Slides: how a presentation gets from the leg that brings it to one that is sent it.

Passed on as it came wherever the receiver can take that, so its text is as sharp as it was sent; else encoded once
for all who need the same codec and size. Shapes are never cropped (REF-135).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, Final, Protocol

from rostra.media import codecs
from rostra.media.codecs.row import CodecRow
from rostra.media.engine import backplane, rungs, stage
from rostra.media.engine.backplane import Encode, Forward, Way
from rostra.media.engine.renditions import Rendition
from rostra.media.engine.rungs import Rung
from rostra.media.messages import Quality

LADDER: Final[tuple[Rung, ...]] = (
    Rung(1920, 1080, 15, 2_500_000),
    Rung(1920, 1080, 5, 1_350_000),
    Rung(1280, 720, 15, 1_300_000),
    Rung(1024, 768, 10, 800_000),
    Rung(800, 600, 8, 450_000),
    Rung(640, 480, 6, 250_000),
    Rung(448, 336, 5, 120_000),
)
"""Best first: with less bandwidth slower before smaller, and 4:3 below 720p (REF-134)."""
CAREFUL: Final = 8
"""Pictures a second up to which each is encoded with care."""
STRETCH: Final = 1.5
"""How far below a rung's bit rate it may still be used: text is worth waiting for."""
EXCESS: Final = 1.15
"""Above this share of what a leg can take a presentation is not passed on to it as it comes."""
ROOM_SHAPES: Final = (16 / 9, 4 / 3)
"""Width to height that room systems are sent (REF-133)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Taker:
    """What a leg can take as slides."""

    row: CodecRow
    parameters: Mapping[str, str]
    """Its fmtp members."""
    limit: int | None = None
    """bit/s."""
    shaped: bool = False
    """A room system: only the usual shapes."""


@dataclasses.dataclass(frozen=True, slots=True)
class Arriving:
    """A presentation as it is at hand."""

    source: str
    row: CodecRow | None = None
    """The codec it comes in; None: not encoded."""
    size: tuple[int, int] | None = None
    too_fast: bool = False
    """It has come faster than the leg can take."""


def way(taker: Taker, arriving: Arriving) -> Way:
    """How slides get to a leg; None: not at present. Pure."""
    if arriving.row is not None and _passes(taker, arriving):
        return Forward(backplane.channel(arriving.source, Quality.FULL, arriving.row), arriving.row)
    if arriving.size is None:
        return None
    rung = pick(taker, arriving.size)
    view = f"~slides:{rung.width}x{rung.height}:{arriving.source}"
    row = codecs.sent_as(taker.row, taker.parameters)
    row = codecs.careful(row) if rung.frame_rate <= CAREFUL else row
    return Encode(view, row, rung, arriving.source, whole=True)


def pick(taker: Taker, size: tuple[int, int]) -> Rung:
    """The best rung for a leg, no bigger than the presentation needs."""
    if sizes := taker.row.sizes(taker.parameters):
        return rungs.one_of(sizes, taker.limit)
    rate, most, bits = rungs.capability(taker.parameters)
    if taker.limit:
        bits = min(bits, taker.limit) if bits else taker.limit
    for rung in LADDER[:-1]:
        if rung.width * rung.height > 1280 * 720 and size[0] * size[1] <= 1.1 * 1280 * 720:
            continue
        if most and rung.macroblocks > most:
            continue
        if bits and bits * STRETCH < rung.bitrate:
            continue
        return _within(rung, rate, bits)
    return _within(LADDER[-1], rate, bits)


def _within(rung: Rung, rate: int, bits: int) -> Rung:
    bitrate = min(rung.bitrate, bits) if bits else rung.bitrate
    frames = rung.frame_rate
    if bits == 0 or bits >= 1.5 * rung.bitrate:
        frames, bitrate = 2 * frames, int(1.4 * bitrate)
    if rate:
        frames = max(1, min(frames, rate // rung.macroblocks))
    return dataclasses.replace(rung, frame_rate=frames, bitrate=bitrate)


def _passes(taker: Taker, arriving: Arriving) -> bool:
    """Can the leg take it as it comes?"""
    if arriving.row is not taker.row:
        return False
    if not taker.row.passes(taker.parameters):
        return False
    if arriving.too_fast:
        return False
    if arriving.size is None:
        return not taker.shaped  # nothing is decoded yet: begin at once
    width, height = arriving.size
    most = rungs.capability(taker.parameters)[1]
    if most and -(-width // 16) * -(-height // 16) > most:
        return False
    return not taker.shaped or any(math.isclose(width / height, shape, rel_tol=0.02) for shape in ROOM_SHAPES)


class Supply(Protocol):
    """Where slides come from."""

    def arriving(self, source: str) -> Arriving: ...
    def bitrate(self, source: str) -> float: ...
    def encoder(self, way: Encode) -> Rendition: ...
    def release(self, rendition: Rendition) -> None: ...


class SlidesFeed:
    """The slides that one leg is sent; `subscriber` is the element in its sending branch."""

    def __init__(self, supply: Supply, taker: Taker, subscriber: Any) -> None:
        self._supply = supply
        self._taker = taker
        self._subscriber = subscriber
        self._source = ""
        self._way: Way = None
        self._rendition: Rendition | None = None
        self._channel = ""
        self._too_fast = False

    @property
    def rung(self) -> Rung | None:
        return self._way.rung if isinstance(self._way, Encode) else None

    @property
    def row(self) -> CodecRow:
        return self._taker.row

    @property
    def channel(self) -> str:
        """Where what is sent is published; empty: nothing is sent."""
        return self._channel

    @property
    def forwards(self) -> str:
        """The source that is passed on as it comes; empty: none."""
        return self._source if isinstance(self._way, Forward) else ""

    @property
    def picture(self) -> tuple[int, int, float] | None:
        """Width, height and rate of what is sent; the rate of what is passed on is not known."""
        if isinstance(self._way, Encode) and self._way.rung:
            return self._way.rung.width, self._way.rung.height, float(self._way.rung.frame_rate)
        size = self._supply.arriving(self._source).size if self._way else None
        return (*size, 0.0) if size else None

    def take(self, taker: Taker) -> None:
        """The leg can take something else now."""
        if taker != self._taker:
            self._taker, self._too_fast = taker, False
        self.poll()

    def show(self, source: str) -> None:
        """Send the slides of this source from now on; empty: none."""
        if source != self._source:
            self._source, self._too_fast = source, False
        self.poll()

    def poll(self) -> None:
        """Follow the source: it may come, go, or change codec or size. Raises BadPipeline."""
        wanted = self._wanted() if self._source else None
        if wanted == self._way:
            return
        previous, self._rendition = self._rendition, None
        self._way = wanted
        if isinstance(wanted, Encode):
            self._rendition = self._supply.encoder(wanted)
        forwarded = wanted.channel if isinstance(wanted, Forward) else ""
        self._tune(self._rendition.channel if self._rendition else forwarded)
        if previous:
            self._supply.release(previous)

    def _wanted(self) -> Way:
        arriving = self._supply.arriving(self._source)
        limit = self._taker.limit
        if limit and arriving.row is self._taker.row and not self._too_fast:
            # once too fast it is encoded from then on: to and fro would cost a key frame each time
            self._too_fast = self._supply.bitrate(self._source) > EXCESS * limit
        return way(self._taker, dataclasses.replace(arriving, too_fast=self._too_fast))

    def request_keyframe(self) -> None:
        if self._channel:
            stage.request_keyframe(self._channel)

    def close(self) -> None:
        previous, self._rendition, self._way, self._source = self._rendition, None, None, ""
        if previous:
            self._supply.release(previous)

    def _tune(self, channel: str) -> None:
        if channel != self._channel:
            self._channel = channel
            self._subscriber.set_property("channel", channel)
