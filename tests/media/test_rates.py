"""Who loses packets is sent a smaller picture, and nobody else is."""

from __future__ import annotations

import asyncio
import itertools
import struct
import time
from collections.abc import Callable

import pytest

from rostra.domain.media import CodecParameters
from rostra.domain.scene import Scene, Tile
from rostra.media import messages as m

from .conftest import Driven
from .wires import Socketed

VP8 = CodecParameters(name="VP8", payload_type=98, clock_rate=90000, feedback=("nack pli",))
REPORTS = 0.95
"""Seconds between the reports of a far end."""


class Packet:
    """Of VP8 (RFC 7741 4.2, 4.3)."""

    def __init__(self, data: bytes) -> None:
        self.number, self.timestamp, self.source = struct.unpack("!HII", data[2:12])
        payload = data[12:]
        at = 1
        if payload[0] & 0x80:
            at = 2 + (2 if payload[1] & 0x80 and payload[2] & 0x80 else bool(payload[1] & 0x80))
            at += bool(payload[1] & 0x40) + bool(payload[1] & 0x30)
        frame = payload[at : at + 10]
        self.height = 0
        """Of a picture that begins here and needs no other."""
        if payload[0] & 0x1F == 0x10 and len(frame) == 10 and not frame[0] & 1 and frame[3:6] == b"\x9d\x01\x2a":
            self.height = struct.unpack("<H", frame[8:10])[0] & 0x3FFF


class Spectator:
    """Takes what comes and reports of it, as if a share were lost."""

    def __init__(self, share: float) -> None:
        self.wire = Socketed(VP8)
        self.packets: list[Packet] = []
        self._share = share

    async def watch(self, enough: Callable[[], bool]) -> None:
        reported, lost, last = time.monotonic(), 0, 0
        while not enough():
            self.packets.append(Packet(await self.wire.media()))
            if time.monotonic() - reported < REPORTS:
                continue
            reported = time.monotonic()
            lost, last = lost + int(self._share * (len(self.packets) - last)), len(self.packets)
            newest = self.packets[-1]
            block = struct.pack("!IIIIII", newest.source, lost, newest.number, 0, 0, 0)
            self.wire.tell(struct.pack("!BBHI", 0x81, 201, 7, self.wire.source) + block)

    @property
    def smaller(self) -> int:
        """Where a smaller picture begins in what came; 0: nowhere."""
        return next((index for index, packet in enumerate(self.packets) if 0 < packet.height < 720), 0)


@pytest.mark.spec("PLAT-102")
async def test_a_poor_path_is_its_own_affair(driven: Driven) -> None:
    """Two see the same; one of them reports that half of it gets lost."""
    view = Scene(tiles=(Tile(x=0, y=0, width=640, height=720, colour=0xC04020),))
    await driven.worker.compose(m.Compose(views={"all": view}, watching={"poor": "all", "good": "all"}))
    good, poor = Spectator(0), Spectator(0.5)
    try:
        for leg, one in (("good", good), ("poor", poor)):
            await one.wire.join(driven.worker, leg)
        async with asyncio.timeout(8):
            await asyncio.gather(*(one.watch(lambda: poor.smaller > 0) for one in (good, poor)))
            since = len(good.packets)
            await asyncio.gather(*(one.watch(lambda: len(good.packets) > since + 20) for one in (good, poor)))
    finally:
        good.wire.close()
        poor.wire.close()
    at = poor.smaller
    assert poor.packets[at].timestamp - poor.packets[at - 1].timestamp < 0.3 * 90_000, "the picture stood still"
    for one in (good, poor):
        steps = {(after.number - before.number) % 65536 for before, after in itertools.pairwise(one.packets)}
        assert steps == {1}
    assert {packet.height for packet in good.packets} == {0, 720}
    assert not any(packet.height for packet in good.packets[since:]), "it began anew for somebody else"
    streams = {one.leg: one.height for one in (await driven.worker.statistics()).streams if one.sending}
    assert streams["good"] == 720
