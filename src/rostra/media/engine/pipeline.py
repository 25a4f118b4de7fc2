"""One GStreamer pipeline and its bus, joined to the event loop.

All pipelines of a worker share one clock and one base time, so that time stamps mean the same everywhere.
Bus messages are read on the event loop through the bus's file descriptor: no Python runs in media threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import structlog

from rostra.media.engine import guard
from rostra.media.engine.gst import Gst
from rostra.waiting import in_time

logger = structlog.get_logger("rostra.media")

_WATCHED = Gst.MessageType.ERROR | Gst.MessageType.WARNING | Gst.MessageType.EOS | Gst.MessageType.ELEMENT
_CLOSING = 5.0
"""Seconds a pipeline may take to stop before it is left to its thread."""


RECEIVING = "receive-"
"""How the names of bins begin that take what far ends send. A single bad packet may make their elements complain
(such as a NAL unit type that the depayloader does not know); when the flow really ends, the source says so as well."""
_COMPLAINTS_LOGGED = 1000
"""Of so many complaints about what arrives, one is logged."""


class BadPipeline(Exception):
    """A fragment cannot be built; the text is GStreamer's."""


class _Time:
    """The clock and base time of the process."""

    def __init__(self) -> None:
        self.clock: Any = Gst.SystemClock.obtain()
        self.base = self.clock.get_time()


_time: _Time | None = None


def shared_time() -> tuple[Any, int]:
    """The process's clock and base time."""
    global _time  # made after Gst.init, once
    if _time is None:
        _time = _Time()
    return _time.clock, _time.base


def make_bin(fragment: str, name: str) -> Any:
    """A bin with ghost pads from gst-launch text. Raises BadPipeline."""
    try:
        made = Gst.parse_bin_from_description(fragment, True)
    except Exception as problem:  # GLib.Error is no subclass of anything narrower
        raise BadPipeline(f"{name}: {problem}: {fragment}") from problem
    made.set_name(name)
    return made


def make(factory: str, name: str | None = None) -> Any:
    """One element. Raises BadPipeline."""
    element = Gst.ElementFactory.make(factory, name)
    if element is None:
        raise BadPipeline(f"there is no element {factory}")
    return element


def elements_with(container: Any, property_name: str) -> list[Any]:
    """Every element inside a bin that has a property of this name."""
    found: list[Any] = []
    iterator = container.iterate_recurse()
    while True:
        result, element = iterator.next()
        if result != Gst.IteratorResult.OK:
            return found
        if element.find_property(property_name):
            found.append(element)


class Pipeline:
    """A running pipeline; errors are told once, on the event loop."""

    def __init__(
        self,
        name: str,
        on_error: Callable[[str], None],
        on_message: Callable[[Any], None] | None = None,
    ) -> None:
        self.name = name
        self._loop = asyncio.get_running_loop()
        self._on_error: Callable[[str], None] | None = on_error
        self._on_message = on_message
        self._closed = False
        self._complaints = 0
        self.gst: Any = Gst.Pipeline.new(None)
        clock, base = shared_time()
        self.gst.use_clock(clock)
        self.gst.set_start_time(Gst.CLOCK_TIME_NONE)
        self.gst.set_base_time(base)
        self._bus: Any = self.gst.get_bus()
        self._descriptor = self._bus.get_pollfd().fd
        self._loop.add_reader(self._descriptor, self._read)

    def add(self, element: Any) -> Any:
        self.gst.add(element)
        return element

    def play(self) -> None:
        self.gst.set_state(Gst.State.PLAYING)

    async def close(self) -> None:
        """Stop and free everything; safe to repeat. Never raises, never blocks the loop."""
        if self._closed:
            return
        self._closed = True
        self._loop.remove_reader(self._descriptor)
        pipeline, self.gst = self.gst, None
        try:
            await in_time(asyncio.to_thread(pipeline.set_state, Gst.State.NULL), _CLOSING)
        except TimeoutError:
            logger.error("Pipeline does not stop", pipeline=self.name)
        self._bus.set_flushing(True)
        # whoever still holds this object must hold nothing of GStreamer: the garbage collector comes late
        self._bus = self._on_error = self._on_message = None

    def _complained(self, problem: str, detail: str) -> None:
        if self._complaints % _COMPLAINTS_LOGGED == 0:
            count = self._complaints + 1
            logger.warning("Bad media received", pipeline=self.name, problem=problem, detail=detail, count=count)
        self._complaints += 1

    def _tell(self, problem: str) -> None:
        if self._on_error:
            self._on_error(problem)

    def _read(self) -> None:
        while not self._closed and (message := self._bus.pop_filtered(_WATCHED)) is not None:
            if message.type == Gst.MessageType.ERROR:
                problem, detail = message.parse_error()
                if f":{RECEIVING}" in message.src.get_path_string():
                    self._complained(problem.message, detail)
                    continue
                logger.warning("Pipeline error", pipeline=self.name, problem=problem.message, detail=detail)
                self._tell(f"{message.src.get_name()}: {problem.message}")
            elif message.type == Gst.MessageType.WARNING:
                problem, detail = message.parse_warning()
                logger.debug("Pipeline warning", pipeline=self.name, problem=problem.message, detail=detail)
            elif message.type == Gst.MessageType.EOS:
                self._tell("end of stream")
            elif message.has_name(guard.FLOOD):
                _, dropped = message.get_structure().get_uint64("dropped")
                logger.warning("A far end sends more than calls do: dropped", pipeline=self.name, packets=dropped)
            elif message.has_name(guard.TOO_MANY):
                self._tell("the far end sends from too many sources")
            elif message.has_name(guard.TOO_LARGE):
                size = {side: message.get_structure().get_int(side)[1] for side in ("width", "height")}
                logger.warning("A far end sends pictures that are too large: not shown", pipeline=self.name, **size)
            elif self._on_message:
                self._on_message(message)
