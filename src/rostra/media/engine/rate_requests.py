"""Requests for a lower or higher bit rate in RTCP. Pure.

Of one stream: TMMBR and its notification TMMBN (RFC 5104 3.5.4, 4.2). Of all that comes by a connection: the estimate
of its receiver, which browsers know as REMB (draft-alvestrand-rmcat-remb).
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, Sequence
from typing import Final, NamedTuple

from rostra.media.engine import rungs

FEEDBACK: Final = 205
"""Packet type of transport-layer feedback (RFC 4585 6.1)."""
TMMBR, TMMBN = 3, 4
PICTURES: Final = 206
"""Packet type of payload-specific feedback (RFC 4585 6.1)."""
APPLICATION: Final = 15
"""Form of feedback that is told apart by what it begins with."""
_REMB: Final = b"REMB"
FLOOR: Final = rungs.LADDER[-1].bitrate
"""bit/s: nobody is sent, or asked for, less; who wants no picture at all says so by its offer."""
CEILING: Final = 6_000_000
"""bit/s: what is asked for when nothing needs limiting any more."""
OVERHEAD: Final = 40
"""Bytes of IPv4, UDP and RTP headers around each of our packets."""
_PACKET = 1200
_STEPS = 4
"""Rates that are obeyed in each doubling: legs that ask for nearly the same share an encoder."""
_SENDERS = 8
"""Far sources that are listened to at most."""


class Entry(NamedTuple):
    """One request or one bound: of or for the source of media `source`."""

    source: int
    bitrate: int
    """bit/s, headers included."""
    overhead: int
    """Bytes of headers in each packet, as whoever states it counts them."""

    @property
    def media(self) -> int:
        """bit/s that are left for the media itself."""
        return self.bitrate * _PACKET // (_PACKET + self.overhead)

    @staticmethod
    def of(source: int, media: int) -> Entry:
        """So many bit/s of media, with what our own packets have around them."""
        return Entry(source, media * (_PACKET + OVERHEAD) // _PACKET, OVERHEAD)


def entries(information: bytes) -> list[Entry]:
    """What a feedback control information says (RFC 5104 4.2.1.1); a rest that is no whole entry is left out."""
    found: list[Entry] = []
    for source, packed in struct.iter_unpack("!II", information[: len(information) // 8 * 8]):
        exponent, mantissa, overhead = packed >> 26, packed >> 9 & 0x1FFFF, packed & 0x1FF
        found.append(Entry(source, mantissa << exponent, overhead))
    return found


def information(stated: Sequence[Entry]) -> bytes:
    """The inverse of `entries`; rates are rounded up to what the field can say."""
    packed: list[bytes] = []
    for entry in stated:
        exponent = max(0, entry.bitrate.bit_length() - 17)
        mantissa = -(-entry.bitrate >> exponent)
        mantissa, exponent = (mantissa >> 1, exponent + 1) if mantissa > 0x1FFFF else (mantissa, exponent)
        packed.append(struct.pack("!II", entry.source, exponent << 26 | mantissa << 9 | min(entry.overhead, 0x1FF)))
    return b"".join(packed)


def packet(form: int, sender: int, name: str, stated: Sequence[Entry]) -> bytes:
    """A whole compound packet with TMMBR or TMMBN."""
    return _compound(sender, name, FEEDBACK, form, information(stated))


def estimate(sender: int, name: str, bitrate: int, sources: Collection[int]) -> bytes:
    """A whole compound packet with a receiver's estimate: bit/s of all that these sources send."""
    exponent = max(0, bitrate.bit_length() - 18)
    packed = struct.pack("!I", len(sources) << 24 | exponent << 18 | bitrate >> exponent)
    numbers = b"".join(struct.pack("!I", source) for source in sources)
    return _compound(sender, name, PICTURES, APPLICATION, _REMB + packed + numbers)


def estimated(information: bytes) -> int | None:
    """bit/s that a receiver's estimate says; None: it is something else."""
    if len(information) < 8 or information[:4] != _REMB:
        return None
    packed = struct.unpack("!I", information[4:8])[0]
    return (packed & 0x3FFFF) << (packed >> 18 & 0x3F)


def _compound(sender: int, name: str, kind: int, form: int, said: bytes) -> bytes:
    """An empty report, our canonical name, and the feedback (RFC 3550 6.1)."""
    canonical = name.encode()[:255]
    item = bytes([1, len(canonical)]) + canonical + b"\0"
    item += b"\0" * (-len(item) % 4)
    return (
        struct.pack("!BBHI", 0x80, 201, 1, sender)
        + struct.pack("!BBHI", 0x81, 202, 1 + len(item) // 4, sender)
        + item
        + struct.pack("!BBHII", 0x80 | form, kind, 2 + len(said) // 4, sender, 0)
        + said
    )


def obeyed(bitrate: int) -> int:
    """The next lower rate of those that are obeyed: never none."""
    if bitrate <= FLOOR:
        return FLOOR
    step = int(bitrate).bit_length() - 1
    base = 1 << step
    return max(FLOOR, base + (bitrate - base) * _STEPS // base * base // _STEPS)


class Bounds:
    """What far ends allow us to send on one stream. The lowest request counts (the bounding set of RFC 5104 3.5.4.2
    has one member, as ours is the only stream)."""

    def __init__(self) -> None:
        self._asked: dict[int, Entry] = {}
        self._there: frozenset[int] = frozenset()
        """Who of them has been among the far sources."""

    def take(self, sender: int, asked: Collection[Entry], ours: Collection[int]) -> bool:
        """A request of `sender`; False: none of it is about us."""
        mine = [entry for entry in asked if entry.source in ours]
        if mine:
            self._asked.pop(sender, None)
            if len(self._asked) >= _SENDERS:
                self._asked.pop(next(iter(self._asked)))
            self._asked[sender] = min(mine, key=lambda entry: entry.media)
        return bool(mine)

    def keep(self, present: Collection[int]) -> None:
        """Forget what those asked for who were among the far sources and are not any more: they have left, timed out,
        or have another number now, and would take nothing back (RFC 5104 3.5.4.2)."""
        self._asked = {one: entry for one, entry in self._asked.items() if one in present or one not in self._there}
        self._there = frozenset(one for one in self._asked if one in present)

    @property
    def limit(self) -> int | None:
        """bit/s of media; None: nobody asked."""
        return min((obeyed(entry.media) for entry in self._asked.values()), default=None)

    def notification(self) -> Iterator[Entry]:
        """What TMMBN says: who asked for the bound that counts (RFC 5104 4.2.2)."""
        if self._asked:
            sender, entry = min(self._asked.items(), key=lambda item: item[1].media)
            yield Entry(sender, entry.bitrate, entry.overhead)


class Throttle:
    """Which rate a far end whose packets get lost is asked for."""

    PERIOD = 2.0
    """Seconds between two looks."""
    _LOSSY, _CLEAN = 0.05, 0.01
    _PATIENCE = 4
    """Clean looks before more is asked for."""
    _FEW = 20
    """Packets below which a look says nothing."""

    def __init__(self) -> None:
        self.wanted: int | None = None
        """bit/s of media; None: whatever the description allows."""
        self._seen: tuple[float, int, int] | None = None
        self._clean = 0

    def due(self, now: float) -> bool:
        """It is time for a look."""
        return self._seen is None or now - self._seen[0] >= self.PERIOD

    def look(self, now: float, packets: int, lost: int, bitrate: float) -> bool:
        """Counters of what came and what did not; True: `wanted` has changed."""
        if self._seen is None or packets < self._seen[1]:
            self._seen = now, packets, lost
            return False
        then, before, gone = self._seen
        if now - then < self.PERIOD:
            return False
        self._seen = now, packets, lost
        came, missing = packets - before, max(0, lost - gone)
        if came + missing < self._FEW:
            return False
        return self._decide(missing / (came + missing), bitrate)

    def _decide(self, share: float, bitrate: float) -> bool:
        before = self.wanted
        if share > self._LOSSY:
            self._clean = 0
            self.wanted = max(FLOOR, int(min(bitrate, before or CEILING) * (1 - share) * 0.9))
        elif share < self._CLEAN and before is not None:
            self._clean += 1
            if self._clean >= self._PATIENCE:
                self._clean = 0
                raised = before * 5 // 4
                self.wanted = raised if raised < CEILING else None
        else:
            self._clean = 0
        return self.wanted != before
