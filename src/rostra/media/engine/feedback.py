"""What far ends report of what they are sent, as the estimator wants it: transport-wide feedback, or RTCP reports."""

from __future__ import annotations

import ctypes
from typing import Any, Final

from rostra.media.engine import stage
from rostra.media.engine.estimator import Base, Heard
from rostra.media.engine.rtp_statistics import Sent

DOUBT: Final = 0.15
"""Seconds of a round trip that are no queue: far ends take their time to report, and not always the same."""


class _Sums(ctypes.Structure):
    _fields_ = (
        ("reports", ctypes.c_int32),
        ("arrived", ctypes.c_int32),
        ("lost", ctypes.c_int32),
        ("octets", ctypes.c_int64),
        ("span", ctypes.c_double),
        ("least", ctypes.c_double),
        ("mean", ctypes.c_double),
    )


class TransportWide:
    """Feedback for each packet that leaves by a connection (the header extension `webrtc_answer.TRANSPORT_WIDE`)."""

    def __init__(self, pad: Any) -> None:
        """Of any one stream's branch: where the session tells upstream what it was told."""
        self._pad = pad
        self._base = Base()
        library = stage.load()
        library.rostra_feedback_read.restype = ctypes.c_int32
        library.rostra_feedback_watch(_address(pad))

    def heard(self, now: float) -> Heard | None:
        """What came since the last look; None: nothing."""
        sums = _Sums()
        stage.load().rostra_feedback_read(_address(self._pad), ctypes.byref(sums))
        if not sums.arrived and not sums.lost:
            return None
        queue = self._base.above(now, sums.least) if sums.arrived else None
        return Heard(sums.arrived, sums.lost, 8 * sums.octets, sums.span, queue)


def _address(pad: Any) -> ctypes.c_void_p:
    return ctypes.c_void_p(hash(pad))


class Reports:
    """Reports of one stream that a far end sends every few seconds (RFC 3550 6.4.1). Pure."""

    def __init__(self) -> None:
        self._base = Base()
        self._last: tuple[float, Sent] | None = None
        self.sent = 0.0
        """bit/s of the stream lately."""
        self._octets: tuple[float, Sent] | None = None

    def heard(self, now: float, sent: Sent | None) -> Heard | None:
        """What a new report says; None: there is none."""
        if sent is None:
            self._last = self._octets = None
            self.sent = 0.0
            return None
        self._weigh(now, sent)
        if not sent.highest or (self._last and self._last[1].highest == sent.highest):
            return None
        last, self._last = self._last, (now, sent)
        if last is None or last[1].source != sent.source:
            return None
        before = last[1]
        packets, lost = sent.highest - before.highest, max(0, sent.lost - before.lost)
        if not 0 < packets < 1 << 16:
            return None
        lost = min(lost, packets)
        bits = 8 * (sent.octets - before.octets) * (packets - lost) // packets
        return Heard(packets - lost, lost, bits, now - last[0], self._waiting(now, sent.round_trip))

    def _weigh(self, now: float, sent: Sent) -> None:
        if self._octets is None or self._octets[1].source != sent.source:
            self._octets = now, sent
        elif now - self._octets[0] >= 1.0:
            self.sent = 8 * (sent.octets - self._octets[1].octets) / (now - self._octets[0])
            self._octets = now, sent

    def _waiting(self, now: float, round_trip: float) -> float | None:
        return max(0.0, self._base.above(now, round_trip) - DOUBT) if round_trip else None
