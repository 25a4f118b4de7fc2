"""What hangs on the receiving pads of an RTP element: one branch for each stream that arrives.

Pads come and go in media threads (a new source, a new payload type); a branch is joined at once, because media
is waiting, and taken apart on a thread of its own.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Callable
from typing import Any

import structlog

from rostra.media import codecs
from rostra.media.codecs.row import CodecRow
from rostra.media.engine import backplane, branches
from rostra.media.engine.asking import Spaced
from rostra.media.engine.gst import Gst
from rostra.media.engine.pipeline import RECEIVING, Pipeline, elements_with
from rostra.media.engine.sluice import Sluice
from rostra.media.messages import Quality

logger = structlog.get_logger("rostra.media")

_ASKS = "automatic-request-sync-points"
"""Property that tells decoders of pictures from other elements."""


class Receivers:
    """The receiving branches of one connection; what arrives is on the stage as `source`."""

    def __init__(
        self, source: str, pipeline: Pipeline, quality: Quality = Quality.FULL, *, prompt: bool = False,
        shown_as: Callable[[Any], str] | None = None, sluice: Callable[[Any], Sluice | None] | None = None,
    ) -> None:  # fmt: skip
        """`shown_as` tells the source of a pad that may be another one (in a media thread), `sluice` what keeps back
        pictures that nobody sees before they get to it."""
        self._source = source
        self._shown_as = shown_as
        self._sluice = sluice
        self._joined: dict[str, tuple[Sluice, Any]] = {}
        self._quality = quality
        self._prompt = prompt
        self._pipeline = pipeline
        self._loop = asyncio.get_running_loop()
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._branches: dict[str, Any] = {}
        self._pictures: dict[str, tuple[str, CodecRow, int]] = {}
        self._muffled = False
        self._held = 0

    def attach(self, pad: Any) -> None:
        """Join a new pad to the stage (in a media thread)."""
        structure = (pad.get_current_caps() or pad.query_caps(None)).get_structure(0)
        kind, encoding = structure.get_string("media") or "", (structure.get_string("encoding-name") or "").upper()
        row = codecs.BY_NAME.get(encoding)
        source = self._shown_as(pad) if self._shown_as else self._source
        made = self._branch(kind, row, source)
        container = self._pipeline.gst
        if container is None:
            return
        with self._lock:
            self._branches[pad.get_name()] = made
            if row and kind == "video":
                self._pictures[pad.get_name()] = (source, row, structure.get_uint("ssrc")[1])
            self._muffle(made)
            branches.hold(made, self._held)
        if kind == "video":
            _space_requests(made)
        container.add(made)
        made.sync_state_with_parent()
        if pad.link(made.get_static_pad("sink")) != Gst.PadLinkReturn.OK:
            logger.error("Received stream cannot be joined", source=self._source, caps=structure.to_string())
        if row and row.plain_keys:
            self._keep_back(pad, structure, made)

    def _keep_back(self, pad: Any, structure: Any, made: Any) -> None:
        """Let no pictures come this far that nobody sees."""
        sluice, gate = self._sluice(pad) if self._sluice else None, made.get_by_name("look")
        if sluice is None or gate is None:
            return
        with self._lock:
            self._joined[pad.get_name()] = sluice, gate
        numbers = structure.get_uint("ssrc")[1], structure.get_int("payload")[1]
        sluice.join(*numbers, gate, made.get_by_name("publish").get_property("channel"))

    def detach(self, pad: Any) -> None:
        """A pad is gone (in a media thread)."""
        with self._lock:
            made = self._branches.pop(pad.get_name(), None)
            self._pictures.pop(pad.get_name(), None)
            joined = self._joined.pop(pad.get_name(), None)
        if joined:
            joined[0].leave(joined[1])
        if made is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.run_in_executor, None, self._remove, made)

    def clear(self) -> None:
        """Let go of everything: the pipeline is at its end."""
        with self._lock:
            self._branches.clear()
            self._pictures.clear()
            self._joined.clear()

    def arriving(self, source: str = "") -> CodecRow | None:
        """The codec of the pictures that come of a source, latest stream first; None before there is one."""
        wanted = source or self._source
        with self._lock:
            return next((row for shown, row, _ in reversed(self._pictures.values()) if shown == wanted), None)

    def arriving_profile(self, source: str = "") -> str:
        """What the codec of the latest stream of a source calls what it uses; empty: not known."""
        wanted = source or self._source
        with self._lock:
            name = next((name for name, (shown, *_) in reversed(self._pictures.items()) if shown == wanted), None)
            made = self._branches.get(name) if name else None
        caps = made.get_by_name("split").get_static_pad("sink").get_current_caps() if made else None
        return (caps.get_structure(0).get_string("profile") or "") if caps else ""

    def numbers(self, source: str) -> set[int]:
        """RTP source numbers of the pictures that come of a source."""
        with self._lock:
            return {number for shown, _, number in self._pictures.values() if shown == source}

    def muffle(self, muffled: bool) -> None:
        """Keep what arrives from the stage (a leg on hold)."""
        with self._lock:
            self._muffled = muffled
            for made in self._branches.values():
                self._muffle(made)

    def hold(self, milliseconds: int) -> None:
        """Show pictures only so long after they could have come."""
        with self._lock:
            self._held = milliseconds
            for made in self._branches.values():
                branches.hold(made, milliseconds)

    def request_pictures(self) -> None:
        """Ask the far end for a key frame."""
        with self._lock:
            decoders = [one for made in self._branches.values() for one in elements_with(made, _ASKS)]
        for decoder in decoders:
            decoder.get_static_pad("sink").push_event(_key_unit())

    def _muffle(self, made: Any) -> None:
        for valve in elements_with(made, "drop-mode"):
            valve.set_property("drop", self._muffled)
        for gate in elements_with(made, "shut"):
            gate.set_property("shut", self._muffled)

    def _branch(self, kind: str, row: CodecRow | None, source: str) -> Any:
        name = f"{RECEIVING}{kind}-{next(self._numbers)}"
        if row is codecs.EVENTS:
            return branches.receive_events(name)
        if row is codecs.CAMERAS:
            return branches.receive_frames(name)
        if row is None or not row.decoder:
            return branches.discard(name)
        if kind != "video":
            return branches.receive_audio(row, self._source, name, prompt=self._prompt)
        channel = backplane.channel(source, self._quality, row)
        return branches.receive_video(row, source, name, channel, standby=self._quality is not Quality.FULL)

    def _remove(self, made: Any) -> None:
        made.set_state(Gst.State.NULL)
        container = self._pipeline.gst
        if container is not None and made.get_parent() == container:
            container.remove(made)


def _key_unit() -> Any:
    return Gst.Event.new_custom(
        Gst.EventType.CUSTOM_UPSTREAM, Gst.Structure.from_string("GstForceKeyUnit,all-headers=(boolean)true")[0]
    )


def _space_requests(made: Any) -> None:
    """While pictures wait for a key frame, each of them that comes has the far end asked for one, and so has everybody
    who watches: let it be told once in a while."""
    spaced = Spaced()

    def going(_: Any, info: Any) -> Any:
        structure = info.get_event().get_structure()
        wanted = structure is not None and structure.get_name() == "GstForceKeyUnit"
        return Gst.PadProbeReturn.DROP if wanted and not spaced.allows(time.monotonic()) else Gst.PadProbeReturn.OK

    made.get_static_pad("sink").add_probe(Gst.PadProbeType.EVENT_UPSTREAM, going)
