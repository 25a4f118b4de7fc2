"""What a receiver gets, counted as it comes; it is judged afterwards (`judging`)."""

from __future__ import annotations

import dataclasses
import struct

from rostra.domain.media import CodecParameters

_HEADER = struct.Struct("!BBHII")


@dataclasses.dataclass(frozen=True, slots=True)
class Packet:
    """One of RTP."""

    arrived: float
    """Seconds, when the kernel had it."""
    sequence: int
    """Extended to more than 16 bits."""
    stamp: int
    marker: bool
    payload: bytes
    """Empty where it is not recorded."""


class Receiver:
    """One stream."""

    def __init__(self, codec: CodecParameters, *, recorded: bool) -> None:
        self.codec = codec
        self.recorded = recorded
        self.packets: list[Packet] = []
        self.octets = 0
        self.strangers = 0
        """Packets of another payload type, or of no RTP at all."""
        self.source = 0
        self.highest = 0
        self._video = codec.clock_rate == 90000

    def take(self, data: bytes, arrived: float) -> None:
        """A packet of RTP."""
        if len(data) < 12 or data[1] & 0x7F != self.codec.payload_type:
            self.strangers += 1
            return
        first, second, number, stamp, source = _HEADER.unpack_from(data)
        if source != self.source:
            self.source, self.highest = source, number
        sequence = self.highest + ((number - self.highest + 0x8000) & 0xFFFF) - 0x8000
        self.highest = max(self.highest, sequence)
        self.octets += len(data)
        payload = _payload(data, first) if self.recorded else b""
        self.packets.append(Packet(arrived, sequence, stamp, bool(second & 0x80), payload))

    def within(self, begin: float, end: float) -> list[Packet]:
        """Those that came in between, in the order they were sent."""
        found = [packet for packet in self.packets if begin <= packet.arrived < end]
        return sorted(found, key=lambda packet: packet.sequence)


def _payload(data: bytes, first: int) -> bytes:
    at = 12 + 4 * (first & 0x0F)
    if first & 0x10:
        at += 4 + 4 * int.from_bytes(data[at + 2 : at + 4])
    return data[at : len(data) - data[-1]] if first & 0x20 else data[at:]
