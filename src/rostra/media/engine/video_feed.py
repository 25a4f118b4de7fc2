"""The encoded picture of one leg: from a shared encoder, or as it arrives from somebody (see `direct`).

Who goes from an encoder to a stream that arrives keeps the encoder until the stream's next key frame. Who goes back
keeps the stream until the picture is decoded again, where it is the same that is to be shown.
"""

from __future__ import annotations

import time
from typing import Any, Final, Protocol

from rostra.media.codecs.row import CodecRow
from rostra.media.engine import direct, rungs, sights, stage
from rostra.media.engine.direct import Arriving, Taker
from rostra.media.engine.renditions import Rendition, Renditions
from rostra.media.engine.rungs import Rung

ARRIVING: Final = 1.5
"""Seconds a key frame may take to come."""
RETURNING: Final = 0.8
"""Seconds the decoder may take to have a new picture."""


class Context(Protocol):
    """What of a leg's context is needed."""

    @property
    def renditions(self) -> Renditions: ...
    def direct(self, view: str, /) -> Arriving | None: ...


class VideoFeed:
    """Which encoder or stream a leg's sending branch is tuned to; `subscriber` is the element in it."""

    def __init__(self, context: Context, row: CodecRow, subscriber: Any) -> None:
        self._context = context
        self._row = row
        self._subscriber = subscriber
        self._rendition: Rendition | None = None
        self._view = ""
        self._wanted: Rung | None = None
        self._taker: Taker | None = None
        self._steady = direct.Steady()
        self._arriving: Arriving | None = None
        """What is sent as it arrives, or is about to be."""
        self._since = 0.0
        self._returning: float | None = None

    @property
    def rung(self) -> Rung | None:
        """Size and rate of what is sent; of what is sent as it arrives, the frame rate is not known (0)."""
        if self._arriving and not self._rendition:
            return Rung(*self._arriving.size, 0, int(self._arriving.bitrate))
        return self._rendition.key.rung if self._rendition else None

    @property
    def forwards(self) -> str:
        """The source that is sent as it arrives; empty: none."""
        return self._arriving.source if self._arriving and not self._rendition else ""

    @property
    def channel(self) -> str:
        """Where what is sent is published."""
        return self._rendition.channel if self._rendition else self._arriving.channel if self._arriving else ""

    def tune(self, view: str, rung: Rung | None = None, taker: Taker | None = None) -> None:
        """Show another view or rung; it begins with a key frame. `taker`: the leg takes what it is sent as it came."""
        self._view, self._wanted, self._taker = view, rung or self._wanted, taker or self._taker
        if self._wanted:
            self._follow()

    def poll(self) -> None:
        """Follow what arrives; call it a few times a second. Raises BadPipeline."""
        if self._wanted and self._taker:
            self._follow()

    def request_keyframe(self) -> None:
        if self.channel:
            stage.request_keyframe(self.channel)

    def close(self) -> None:
        self._release()
        self._arriving, self._wanted = None, None

    def _follow(self) -> None:
        now = time.monotonic()
        found = self._context.direct(self._view) if self._taker else None
        if self._steady.choose(now, found.source if found and self._passes(found) else "") and found:
            self._forward(found, now)
        else:
            self._encode(found, now)

    def _passes(self, found: Arriving) -> bool:
        if self._taker is None or self._wanted is None:
            return False
        rung = rungs.narrow(self._wanted) if self._view in self._context.renditions.narrow else self._wanted
        scene = rung.width, rung.height
        return direct.passes(self._taker, self._row, found, scene, already=self._steady.chosen == found.source)

    def _forward(self, found: Arriving, now: float) -> None:
        before, self._arriving, self._returning = self._arriving, found, None
        if before is None or before.channel != found.channel:
            self._since = now
            self._subscriber.set_property("channel", found.channel)
        if self._subscriber.get_property("playing") == found.channel:
            self._release()
        elif now - self._since > ARRIVING:
            self._steady.failed(now)
            self._encode(None, now)

    def _encode(self, found: Arriving | None, now: float) -> None:
        if self._waits(found, now):
            return
        self._arriving = self._returning = None
        previous = self._rendition
        if self._wanted is None:
            return
        if previous is None or not self._context.renditions.retune(previous, self._view, self._wanted):
            self._rendition = self._context.renditions.acquire(self._view, self._row, self._wanted)
            if previous:
                self._context.renditions.release(previous)
        self._subscriber.set_property("channel", self._rendition.channel if self._rendition else "")

    def _waits(self, found: Arriving | None, now: float) -> bool:
        """The same source goes on to be all that is shown, and has not been decoded for some time."""
        if not self.forwards or found is None or found.source != self.forwards:
            return False
        self._returning = now if self._returning is None else self._returning
        return not sights.want(found.source) and now - self._returning < RETURNING

    def _release(self) -> None:
        rendition, self._rendition = self._rendition, None
        if rendition:
            self._context.renditions.release(rendition)
