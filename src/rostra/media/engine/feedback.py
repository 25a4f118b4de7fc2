"""What far ends report of what they are sent, as the estimator wants it: transport-wide feedback, or RTCP reports."""

from __future__ import annotations

import ctypes
from typing import Any, Final, NamedTuple

from rostra.media.engine import stage
from rostra.media.engine.estimator import Base, Heard
from rostra.media.engine.rtp_statistics import Sent, passed

SECOND, ANSWERED = 1.0, 0.4
"""Seconds over which missed packets are counted, and after which most of them have been asked for."""
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


class Message(NamedTuple):
    """RTCP feedback about rates (RFC 4585 6.1): TMMBR, TMMBN or what an application defines, such as REMB."""

    kind: int
    """Payload type."""
    form: int
    sender: int
    control: bytes
    """FCI."""


_LONGEST: Final = 512
"""Octets of FCI that are kept (native/heard.c)."""


def hear(session: Any) -> None:
    """Keep the latest messages that a session hears, until they are `taken`."""
    stage.load().rostra_hear_feedback(_address(session))


def taken(session: Any) -> list[Message]:
    """What has come since the last time."""
    library, octets = stage.load(), ctypes.create_string_buffer(_LONGEST)
    numbers = tuple(ctypes.c_uint32() for _ in range(3))
    found: list[Message] = []
    while (size := library.rostra_feedback_taken(_address(session), *map(ctypes.byref, numbers), octets)) >= 0:
        kind, form, sender = (number.value for number in numbers)
        found.append(Message(kind, form, sender, octets.raw[:size]))
    return found


def count_reports(rtpbin: Any) -> None:
    """Begin to count, see `reports`."""
    stage.load().rostra_count_reports(_address(rtpbin))


def reports(rtpbin: Any) -> int:
    """How many an `rtpbin` has heard."""
    return stage.load().rostra_reports(_address(rtpbin))


class Missed(NamedTuple):
    """What left by a pad for the first time in a stretch of time."""

    packets: int
    lost: int
    """Those of them that the far end has asked for again."""
    octets: int


NOTHING: Final = Missed(0, 0, 0)


def limit_repeats(pad: Any, bitrate: float) -> None:
    """Let requests of a far end for lost packets pass a pad no faster than so many bit/s of answers; each two times
    while half of that is not used."""
    stage.load().rostra_limit_repeats(_address(pad), ctypes.c_double(bitrate))


def ask_at_once(received: Any, reports: Any, sender: int, name: str) -> None:
    """What is wanted again of what leaves a session by the pad `received` is asked for by that of its `reports`."""
    stage.load().rostra_ask_at_once(_address(received), _address(reports), ctypes.c_uint32(sender), name.encode())


def pass_restored(pad: Any) -> None:
    """What leaves the element of RFC 2198 by a pad is taken for what it is, though it came in another packet."""
    stage.load().rostra_pass_restored(_address(pad))


def missed(pad: Any) -> Missed:
    """What left by such a pad in the second that ended `ANSWERED` seconds ago."""
    count, lost, octets = ctypes.c_int32(), ctypes.c_int32(), ctypes.c_int64()
    since, until = ctypes.c_double(ANSWERED + SECOND), ctypes.c_double(ANSWERED)
    stage.load().rostra_repeats(
        _address(pad), since, until, ctypes.byref(count), ctypes.byref(lost), ctypes.byref(octets)
    )
    return Missed(count.value, lost.value, octets.value)


def _address(pad: Any) -> ctypes.c_void_p:
    return ctypes.c_void_p(hash(pad))


class Reports:
    """Reports of one stream that a far end sends every few seconds (RFC 3550 6.4.1), and the packets that it asks for
    again meanwhile. Pure."""

    def __init__(self) -> None:
        self._base = Base()
        self._reported: tuple[float, Sent] | None = None
        self._looked: tuple[float, Sent] | None = None
        self.sent = 0.0
        """bit/s of the stream lately."""

    def heard(self, now: float, sent: Sent | None, missed: Missed = NOTHING) -> Heard | None:
        """What a new report says, or what was asked for; None: nothing is new. Call it about once a second."""
        looked, self._looked = self._looked, (now, sent) if sent else None
        if sent is None:
            self._reported, self.sent = None, 0.0
            return None
        said = self._said(now, sent)
        if missed.packets:
            self.sent = 8 * missed.octets / SECOND
        elif looked and looked[1].source == sent.source and now > looked[0]:
            self.sent = 8 * (sent.octets - looked[1].octets) / (now - looked[0])
        if not missed.lost:
            return said
        arrived = max(0, missed.packets - missed.lost)
        bits = 8 * missed.octets * arrived // missed.packets
        return Heard(arrived, missed.packets - arrived, bits, SECOND, age=ANSWERED)

    def _said(self, now: float, sent: Sent) -> Heard | None:
        last = self._reported
        if not sent.highest or (last and last[1].highest == sent.highest):
            return None
        self._reported = now, sent
        if last is None or last[1].source != sent.source:
            return None
        before = last[1]
        packets, lost = passed(sent.highest, before.highest), max(0, sent.lost - before.lost)
        if packets <= 0:
            return None
        lost = min(lost, packets)
        bits = 8 * (sent.octets - before.octets) * (packets - lost) // packets
        return Heard(packets - lost, lost, bits, now - last[0], self._waiting(now, sent.round_trip))

    def _waiting(self, now: float, round_trip: float) -> float | None:
        return max(0.0, self._base.above(now, round_trip) - DOUBT) if round_trip else None
