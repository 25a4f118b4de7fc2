"""What a sender sends and when: footage in a loop, or a voice that has its turns."""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Callable, Sequence

from bench.load.footage import Track, Unit, Voice

_HEADER = struct.Struct("!BBHII")
_BURST = 8
"""Packets of a picture that are sent at once,"""
_APART = 0.002
"""and the seconds until the next ones, as senders do not fill the buffers on their way."""

Send = Callable[[bytes], None]


@dataclasses.dataclass(frozen=True, slots=True)
class Talk:
    """Who speaks when: `together` of `people` at a time, each `turn` seconds; no turn: the first ones, always."""

    people: int
    together: int = 1
    turn: float = 0.0

    def speaks(self, number: int, seconds: float) -> bool:
        """Whether one of them speaks, so long after the beginning."""
        if number >= self.people:
            return False
        if not self.turn:
            return number < self.together
        first = int(seconds / self.turn) * self.together
        return (number - first) % self.people < self.together

    def settled(self, seconds: float, span: float) -> bool:
        """The speakers have been the same for that long."""
        return not self.turn or seconds % self.turn >= span


class Sender:
    """One stream: `due` says when it wants to be called."""

    def __init__(self, codec_type: int, source: int, step: float, ticks: int, send: Send) -> None:
        self.source = source
        self.due = 0.0
        self.packets = self.octets = 0
        self.worst = 0.0
        """Seconds by which it was called late."""
        self.stamp = source * 977 & 0xFFFFFFFF
        self._type = codec_type
        self._step, self._ticks = step, ticks
        self._send = send
        self._sequence = source * 31 & 0xFFFF
        self._steps = 0
        self._began = 0.0

    def begin(self, now: float) -> None:
        self._began = self.due = now

    def _packet(self, payload: bytes, marker: bool) -> None:
        header = _HEADER.pack(0x80, self._type | marker << 7, self._sequence, self.stamp, self.source)
        self._send(header + payload)
        self._sequence = self._sequence + 1 & 0xFFFF
        self.packets += 1
        self.octets += len(payload)

    def _next(self, now: float) -> None:
        self._steps += 1
        self.stamp = self.stamp + self._ticks & 0xFFFFFFFF
        self.due = self._began + self._steps * self._step
        if now - self.due > 0.2:  # the machine stood still: go on from here
            self._began += now - self.due
            self.due = now


class PictureSender(Sender):
    """Footage, from a place of its own on; asked for a key frame it goes on with the next one, and asked for less with
    the best of its tracks that is no more."""

    def __init__(
        self, tracks: Sequence[Track], source: int, offset: int, send: Send, payload_type: int | None = None
    ) -> None:
        """`tracks`: the same footage, best first. `payload_type`: where another one was agreed than theirs."""
        track = tracks[0]
        super().__init__(payload_type or track.codec.payload_type, source, track.step, track.ticks, send)
        self.sent: list[tuple[float, int]] = []
        """When which frame of the footage was sent."""
        self.asked = 0
        """Key frames that were asked for."""
        self._tracks, self._track = tracks, track
        self._at = offset % len(track.units)
        self._wanted = True
        self._left: list[tuple[bool, bytes]] = []

    def key_frame(self) -> None:
        self.asked += 1
        self._wanted = True

    def limit(self, bitrate: int) -> None:
        """Send no more bit/s than these, if there is something so small."""
        fitting = (one for one in self._tracks if one.bitrate <= bitrate)
        track = next(fitting, self._tracks[-1])
        if track is not self._track:
            self._track, self._wanted = track, True

    def send(self, now: float) -> None:
        self.worst = max(self.worst, now - self.due)
        if not self._left:
            unit = self._unit()
            self.sent.append((now, self._at))
            self._left = list(unit.payloads)
        for marker, payload in self._left[:_BURST]:
            self._packet(payload, marker)
        del self._left[:_BURST]
        if self._left:
            self.due = now + _APART
        else:
            self._at = (self._at + 1) % len(self._track.units)
            self._next(now)

    def _unit(self) -> Unit:
        units = self._track.units
        if self._wanted:
            while not units[self._at].key:
                self._at = (self._at + 1) % len(units)
            self._wanted = False
        return units[self._at]


class VoiceSender(Sender):
    """A voice, that speaks when it is its turn."""

    def __init__(
        self, voice: Voice, source: int, speaks: Callable[[float], bool], send: Send, payload_type: int | None = None
    ) -> None:
        track = voice.speech
        super().__init__(payload_type or track.codec.payload_type, source, track.step, track.ticks, send)
        self._voice = voice
        self._speaks = speaks
        self._at = source * 37

    def send(self, now: float) -> None:
        self.worst = max(self.worst, now - self.due)
        track = self._voice.speech if self._speaks(now) else self._voice.quiet
        self._at += 1
        ((_, payload),) = track.units[self._at % len(track.units)].payloads
        self._packet(payload, False)
        self._next(now)
