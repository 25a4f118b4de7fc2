"""Lost packets asked for again (RFC 4585 6.2.1), and pictures held back while that takes its time.

A jitter buffer lets through at once what comes in order. So how long it waits delays nothing but a picture with a
packet missing, which cannot be shown anyway: waiting for one that has been asked for costs a call without loss nothing.

Pictures that had to wait come all at once with those behind them, of which only the last would be seen. So while
packets get lost all pictures are held back, until most that had to wait are there in time.
"""

from __future__ import annotations

import collections
import threading
import time
from collections.abc import Callable, Collection, Iterable
from typing import Any, Final

from rostra.media.engine import feedback
from rostra.media.engine.rate_control import canonical

REORDERING: Final = 15
"""Milliseconds that a packet may come after those behind it before it is asked for."""
VOICE: Final = 40
"""Milliseconds that speech waits for a missing packet, which nobody is asked for: longer, and what is behind it would
come too late as well."""
UNKNOWN: Final = 0.1
"""Seconds of round trip where nothing has been measured."""
NEAR: Final = 0.03
"""The same between nodes, where who only receives cannot measure it."""
REPORTING: Final = 800_000.0
"""Bit/s from which the time between reports, and so between requests, follows (5 % are for RTCP: RFC 3550 6.2): some
35 ms. By the true rate a picture of little bandwidth would be asked for too late, and one of much too often."""
FRAME: Final = 34
"""Milliseconds between pictures: so late is noticed that the last packet of one is missing."""
_SHORTEST, _LONGEST = 120, 800
_TRIES = 5
_MEASURED = 2.0
"""Seconds between looks at how long the way is."""


def again(round_trip: float, *, heavy: bool = False) -> int:
    """Milliseconds until what did not come is asked for once more: request or answer may have been lost as well.

    While much is lost, half a round trip is waited: answers that come twice cost less than those that come too late.
    """
    return max(30, min(250, round(500 * round_trip) + 10 if heavy else round(1000 * round_trip) + 20))


def patience(round_trip: float) -> int:
    """Milliseconds that a missing packet is waited for: several requests, each with its way there and back."""
    return max(_SHORTEST, min(_LONGEST, REORDERING + FRAME + _TRIES * again(round_trip)))


def held(round_trip: float, *, heavy: bool = False) -> int:
    """Milliseconds that pictures are held back while packets get lost: time for two requests of each, or for all."""
    return min(400, patience(round_trip) if heavy else REORDERING + FRAME + 2 * again(round_trip))


class Pacing:
    """Decides how long pictures are held back. Pure."""

    WINDOW: Final = 3.0
    LEAST: Final = 3
    """So many requests in a window, and
    """
    SHARE: Final = 0.005
    """so many for each packet, are more than chance."""
    HEAVY: Final = 0.12
    """Much is lost from so many requests for each packet."""
    CALM: Final = 8.0
    """Seconds without until nothing is held back any more."""
    UP: Final = 60
    DOWN: Final = 20
    """Milliseconds a step: what is held back longer stands still for a moment."""

    def __init__(self) -> None:
        self.delay = 0
        """Milliseconds."""
        self.heavy = False
        """Much is being lost."""
        self._past: collections.deque[tuple[float, int, int]] = collections.deque()
        self._lossy = float("-inf")

    def look(self, now: float, packets: int, asked: int, wanted: int) -> int:
        """Counts of packets that came and of requests so far; what to hold back while there is loss. The `delay`."""
        past = self._past
        if past and (packets < past[-1][1] or asked < past[-1][2]):
            past.clear()  # another source
        past.append((now, packets, asked))
        while past[0][0] < now - self.WINDOW:
            past.popleft()
        came, missed = packets - past[0][1], asked - past[0][2]
        if missed >= self.LEAST and missed > self.SHARE * came:
            self._lossy = now
        self.heavy = missed >= self.LEAST and missed > self.HEAVY * came * (0.5 if self.heavy else 1.0)
        goal = wanted if now - self._lossy < self.CALM else 0
        self.delay = min(goal, self.delay + self.UP) if goal > self.delay else max(goal, self.delay - self.DOWN)
        return self.delay


class Repair:
    """The jitter buffers of one `rtpbin`."""

    def __init__(
        self,
        rtpbin: Any,
        hold: Callable[[int], None],
        sessions: Collection[int] | None = None,
        *,
        round_trip: float = UNKNOWN,
    ) -> None:
        """`hold` has pictures held back, by milliseconds. `sessions`: those whose far ends take requests for lost
        packets; None: whoever makes the buffers says that. `round_trip`: seconds, until it is measured."""
        self._sessions = sessions
        self._hold = hold
        self._pacing = Pacing()
        self._lock = threading.Lock()
        self._new: list[tuple[Any, int]] = []
        self._asking: list[Any] = []
        self._prepared: set[int] = set()
        self._round_trip = round_trip
        self._measured = 0.0
        self._rtpbin: Any = rtpbin
        self._handler = rtpbin.connect("new-jitterbuffer", self._made)

    def _made(self, _: Any, buffer: Any, session: int, __: int) -> None:
        """(In a media thread.)"""
        buffer.set_property("rtx-next-seqnum", False)  # pictures come in bursts: a late packet need not be lost
        buffer.set_property("rtx-delay", REORDERING)
        with self._lock:
            if self._sessions is not None and session in self._sessions:
                buffer.set_property("do-retransmission", True)
                self._tune(buffer)
            self._new.append((buffer, session))

    def _tune(self, buffer: Any) -> None:
        buffer.set_property("rtx-retry-timeout", again(self._round_trip, heavy=self._pacing.heavy))
        buffer.set_property("latency", patience(self._round_trip))

    def look(self, measured: Callable[[], Iterable[float]]) -> None:
        """Follow what gets lost, and how long the way is, in seconds; call it a few times a second."""
        self._sort()
        if not self._asking:
            return
        now, pacing = time.monotonic(), self._pacing
        if now - self._measured >= _MEASURED:
            self._measured = now
            self._round_trip = max((one for one in measured() if one > 0), default=self._round_trip)
            for buffer in self._asking:
                self._tune(buffer)
        counts = [one.get_property("stats") for one in self._asking]
        packets, asked = (sum(one.get_value(name) for one in counts) for name in ("num-pushed", "rtx-count"))
        before = pacing.delay, pacing.heavy
        pacing.look(now, packets, asked, held(self._round_trip, heavy=pacing.heavy))
        if pacing.delay != before[0]:
            self._hold(pacing.delay)
        if pacing.heavy != before[1]:
            self._measured = 0.0

    def _sort(self) -> None:
        """What the new buffers are for is known once something has come."""
        self._asking = [buffer for buffer in self._asking if buffer.get_parent() is not None]
        with self._lock:
            found = [(one, session, _kind(one)) for one, session in self._new if one.get_parent() is not None]
            self._new = [(buffer, session) for buffer, session, kind in found if not kind]
        for buffer, session, kind in found:
            if kind == "audio":
                buffer.set_property("do-retransmission", False)
                buffer.set_property("latency", VOICE)
            elif kind and buffer.get_property("do-retransmission"):
                self._asking.append(buffer)
                self._measured = 0.0
                self._prepare(session)

    def _prepare(self, session: int) -> None:
        """Have requests of a session go out at once: with its next report they were late by up to 70 ms."""
        if session in self._prepared:
            return
        self._prepared.add(session)
        element, inner = (self._rtpbin.emit(f"get-{one}session", session) for one in ("", "internal-"))
        inner.set_property("bandwidth", REPORTING)
        out = self._rtpbin.get_static_pad(f"send_rtcp_src_{session}")
        feedback.ask_at_once(
            element.get_static_pad("recv_rtp_src"), out, inner.get_property("internal-ssrc"), canonical(inner)
        )

    def close(self) -> None:
        self._rtpbin.disconnect(self._handler)
        self._rtpbin = None
        with self._lock:
            self._new.clear()
        self._asking.clear()


def _kind(buffer: Any) -> str:
    """`audio` or `video`; empty while that is not known. The element behind it tells payload types apart."""
    peer = buffer.get_static_pad("src").get_peer()
    pads = peer.get_parent_element().srcpads if peer is not None else []
    known = [caps for caps in (pad.get_current_caps() for pad in pads) if caps is not None]
    return (known[0].get_structure(0).get_string("media") or "") if known else ""
