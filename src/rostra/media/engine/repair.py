"""Lost packets asked for again (RFC 4585 generic NACK): the jitter buffers of one `rtpbin`, set up by what its paths need.

A jitter buffer lets through at once what comes in order. So how long it waits delays nothing but a picture with a
packet missing, which cannot be shown anyway: waiting for one that has been asked for costs a call without loss nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable
from typing import Any, Final

from rostra.media.engine.pipeline import make

REORDERING: Final = 15
"""Milliseconds that a packet may come after those behind it before it is asked for."""
UNKNOWN: Final = 0.1
"""Seconds of round trip where nothing has been measured."""
REMEMBERED: Final = 600
"""Packets of ours that can be sent again: more than two seconds of pictures, and the largest key frame in one."""
POLLS: Final = 10
"""Of so many polls, one looks how long the way is."""
_SHORTEST, _LONGEST = 120, 500
_TRIES = 3


def again(round_trip: float) -> int:
    """Milliseconds until what did not come is asked for once more: the answer may have been lost as well."""
    return max(30, min(250, round(1000 * round_trip) + 20))


def patience(round_trip: float) -> int:
    """Milliseconds that a missing packet is waited for: several requests, each with its way there and back."""
    return max(_SHORTEST, min(_LONGEST, REORDERING + _TRIES * again(round_trip)))


class Repair:
    """The jitter buffers of sessions whose far ends take requests for lost packets."""

    def __init__(self, rtpbin: Any, sessions: Collection[int]) -> None:
        self._sessions = frozenset(sessions)
        self._lock = threading.Lock()
        self._buffers: dict[Any, int] = {}
        self._round_trip = UNKNOWN
        self._polls = 0
        self._rtpbin = rtpbin
        self._handler = rtpbin.connect("new-jitterbuffer", self._made)

    def _made(self, _: Any, buffer: Any, session: int, __: int) -> None:
        """(In a media thread.)"""
        if session not in self._sessions:
            return
        for name, value in (
            ("do-retransmission", True),
            ("rtx-next-seqnum", False),  # pictures come in bursts: a late packet need not be lost
            ("rtx-delay", REORDERING),
            ("faststart-min-packets", 1),
        ):
            buffer.set_property(name, value)
        with self._lock:
            self._buffers[buffer] = session
            self._tune(buffer)

    def _tune(self, buffer: Any) -> None:
        buffer.set_property("rtx-retry-timeout", again(self._round_trip))
        buffer.set_property("latency", patience(self._round_trip))

    def look(self, measured: Callable[[], Iterable[float]]) -> None:
        """Follow what has been measured of the way, in seconds, now and then; call it a few times a second."""
        self._polls += 1
        if not self._sessions or self._polls % POLLS:
            return
        known = [one for one in measured() if one > 0]
        with self._lock:
            self._buffers = {buffer: session for buffer, session in self._buffers.items() if buffer.get_parent()}
            if not known or abs(max(known) - self._round_trip) < 0.01:
                return
            self._round_trip = max(known)
            for buffer in self._buffers:
                self._tune(buffer)

    def close(self) -> None:
        self._rtpbin.disconnect(self._handler)
        self._rtpbin = None
        with self._lock:
            self._buffers.clear()


def resending(name: str) -> Any:
    """What keeps the packets of a stream and sends them again as they were (RFC 4585), when a request comes by."""
    made = make("rtprtxqueue", name)
    made.set_property("max-size-packets", REMEMBERED)
    return made
