"""RTCP as an endpoint has it: reports every two seconds, and what is asked of the sender (RFC 3550 6, 4585, 5104)."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator

from bench.load.receiving import Receiver
from bench.load.sending import Sender

EVERY = 2.0
_EMPTY = 201
SENDER_REPORT, DESCRIPTION, TRANSPORT_FEEDBACK, PICTURE_FEEDBACK = 200, 202, 205, 206
_PLI, _FIR = 1, 4
_TMMBR, _TMMBN = 3, 4
_PACKET = 1200
_SINCE_1900 = 2_208_988_800


def report(sender: Sender, receiver: Receiver, heard: tuple[int, float]) -> bytes:
    """Sender report with one block about what comes, and a name. `heard`: middle bits of the last report, and when."""
    now = time.time() + _SINCE_1900
    body = struct.pack(
        "!IIIIII", sender.source, int(now), int(now % 1 * 2**32), sender.stamp, sender.packets, sender.octets
    )
    blocks = 0
    if receiver.source:
        last, when = heard
        delay = int((time.time() - when) * 65536) if last else 0
        body += struct.pack("!IIIIII", receiver.source, 0, receiver.highest & 0xFFFFFFFF, 0, last, delay)
        blocks = 1
    name = b"load"
    items = struct.pack("!IBB", sender.source, 1, len(name)) + name + bytes(2)
    return _packet(SENDER_REPORT, blocks, body) + _packet(DESCRIPTION, 1, items)


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body


def parts(packet: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Type, count and body of the packets of a compound one."""
    while len(packet) >= 4:
        first, kind, words = struct.unpack_from("!BBH", packet)
        yield kind, first & 0x1F, packet[4 : 4 + 4 * words]
        packet = packet[4 + 4 * words :]


def asks_for_key_frame(kind: int, count: int) -> bool:
    return kind == PICTURE_FEEDBACK and count in (_PLI, _FIR)


def limits(kind: int, count: int, body: bytes) -> Iterator[tuple[int, int]]:
    """The sources that are to send less, or may send more, and bit/s of media (RFC 5104 4.2.1)."""
    if kind != TRANSPORT_FEEDBACK or count != _TMMBR:
        return
    for source, packed in struct.iter_unpack("!II", body[8 : len(body) // 8 * 8]):
        total = (packed >> 9 & 0x1FFFF) << (packed >> 26)
        yield source, total * _PACKET // (_PACKET + (packed & 0x1FF))


def confirmation(sender: Sender, body: bytes) -> bytes:
    """That a request is heeded: who made it, and what it said (RFC 5104 4.2.2)."""
    report = struct.pack("!I", sender.source)
    stated = struct.pack("!III", sender.source, 0, int.from_bytes(body[:4])) + body[12:16]
    return _packet(_EMPTY, 0, report) + _packet(TRANSPORT_FEEDBACK, _TMMBN, stated)


def middle(body: bytes) -> int:
    """Of the time of a sender report, for the answer."""
    return struct.unpack_from("!I", body, 6)[0] if len(body) >= 10 else 0
