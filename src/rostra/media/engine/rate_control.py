"""Bit rates agreed with far ends while media runs: their TMMBR obeyed, ours sent, for the streams of one `rtpbin`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import structlog

from rostra.media.engine import feedback, rtp_statistics
from rostra.media.engine import rate_requests as requests
from rostra.media.engine.gst import Gst
from rostra.media.engine.rate_requests import Bounds, Entry, Throttle
from rostra.media.engine.rtp_statistics import Received
from rostra.media.engine.steps import Steps

logger = structlog.get_logger("rostra.media")

AGREED: Final = "ccm tmmbr"
"""As RTCP feedback is negotiated (RFC 5104 7.1)."""
PAUSE: Final = 1.0
"""Seconds between two requests that are not confirmed."""
_TRIES = 3


class _Stream:
    """One stream whose rate is agreed so."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.bounds = Bounds()
        self.throttle = Throttle()
        self.need: int | None = None
        """bit/s of media that would do; None: it may send what was agreed."""
        self.steps = Steps()
        self.asked = -PAUSE
        self.tries = _TRIES
        feedback.hear(session)

    @property
    def limit(self) -> int | None:
        """bit/s that are obeyed."""
        return None if self.steps.limit is None else max(requests.FLOOR, self.steps.limit)


class RateControl:
    """The streams of one transport whose rates are agreed by TMMBR."""

    def __init__(self, rtpbin: Any, indices: Iterable[int], paths: Callable[[int], Any]) -> None:
        """`paths` tells the pad that RTCP of a stream leaves by."""
        self._rtpbin = rtpbin
        self._paths = paths
        self._streams = {index: _Stream(rtpbin.emit("get-internal-session", index)) for index in indices}

    def limit(self, index: int) -> int | None:
        """bit/s the far end wants to be sent at most; None: it did not say."""
        stream = self._streams.get(index)
        return stream.limit if stream else None

    def need(self, index: int, bitrate: int | None) -> None:
        """Have a far end send no more than so many bit/s of a stream; None: what was agreed."""
        stream = self._streams.get(index)
        if stream is not None and bitrate != stream.need:
            stream.need, stream.tries, stream.asked = bitrate, 0, -PAUSE

    def poll(self, now: float, received: Callable[[int], list[Received]]) -> bool:
        """Look at what has come; True: a limit has changed. Call it a few times a second."""
        changed = False
        for index, stream in self._streams.items():
            self._take(index, stream)
            if stream.limit is not None:
                stream.bounds.keep(rtp_statistics.sources(self._rtpbin, index))
            if stream.steps.follow(now, stream.bounds.limit, lambda _: 0):  # of what size is decided where it is sent
                logger.info("Far end asks for another rate", session=index, bitrate=stream.limit)
                changed = True
            if stream.throttle.due(now) or (stream.tries < _TRIES and now - stream.asked >= PAUSE):
                self._ask(index, stream, now, received(index))
        return changed

    def close(self) -> None:
        self._streams.clear()

    def _take(self, index: int, stream: _Stream) -> None:
        arrived = [one for one in feedback.taken(stream.session) if one.kind == requests.FEEDBACK]
        if not arrived:
            return
        ours = {one.source for one in rtp_statistics.read(self._rtpbin, index)[1]}
        answer = False
        for one in arrived:
            if one.form == requests.TMMBN:
                stream.tries = _TRIES
            else:
                answer |= stream.bounds.take(one.sender, requests.entries(one.control), ours)
        if answer:
            self._send(index, stream, requests.TMMBN, list(stream.bounds.notification()))

    def _ask(self, index: int, stream: _Stream, now: float, received: list[Received]) -> None:
        """Have the far end that sends most send less while packets get lost, and more again later."""
        main = max(received, key=lambda one: one.packets, default=None)
        if main is None:
            return
        if stream.throttle.look(now, main.packets, main.lost, main.bitrate):
            stream.tries, stream.asked = 0, now - PAUSE
        if stream.tries >= _TRIES or now - stream.asked < PAUSE:
            return
        stream.tries, stream.asked = stream.tries + 1, now
        least = min(stream.need or requests.CEILING, stream.throttle.wanted or requests.CEILING)
        wanted = Entry.of(main.source, least)
        self._send(index, stream, requests.TMMBR, [wanted])

    def _send(self, index: int, stream: _Stream, form: int, stated: list[Entry]) -> None:
        sent = rtp_statistics.read(self._rtpbin, index)[1]
        sender = sent[0].source if sent else stream.session.get_property("internal-ssrc")
        name = canonical(stream.session)
        post(self._paths(index), requests.packet(form, sender, name, stated))


def canonical(session: Any) -> str:
    """The name under which a session reports."""
    return session.get_property("sdes").get_string("cname") or "rostra"


def post(pad: Any, packet: bytes) -> bool:
    """RTCP of ours beside a session's own reports, by the way that they take; False: none of them has gone out yet."""
    if pad is None or pad.get_current_caps() is None or pad.get_peer() is None:
        return False
    pad.get_peer().chain(Gst.Buffer.new_wrapped(packet))
    return True
