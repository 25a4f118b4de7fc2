"""What a conference pays for a far end that floods one of its ports with 100 Mbit/s, and what the others notice.

Four RTP far ends (`peers.py`) meet; one of them sends, besides its media and from the same socket, packets of 1200
bytes that are of no use. Counted are the processor time of the media worker and of the kernel for it, with and without
the flood, and the pictures and sound that the three others receive. Run: `python -m bench.flood [seconds]`.
"""

from __future__ import annotations

import asyncio
import os
import struct
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from bench.media import everybody_else, processor_seconds, worker_pool
from bench.peers import KINDS, Peer, Peers, Track, describe, picture, record, voice
from rostra.media import bounds
from rostra.media import messages as m
from rostra.media.engine import stage

LEGS = 4
RATE = 100e6
SIZE = 1200
BATCH = 20
"""Packets between two looks at the clock."""
WARMING = 3.0
_HEADER = struct.Struct("!BBHII")


def _rtp(payload_type: int, sequence: int, source: int, body: bytes) -> bytes:
    return _HEADER.pack(0x80, payload_type, sequence & 0xFFFF, sequence * 960 & 0xFFFFFFFF, source) + body


SOUND = "sound:"
BODY = os.urandom(SIZE - _HEADER.size)
SPEECH = bytes([0x7B, 0x06]) + os.urandom(60)
"""Of Opus: six frames of 20 ms, the longest that there is in one packet."""
OWN = 0x5000
"""Source number of the first track of a peer (`peers.py`)."""
KINDS_OF_FLOOD: dict[str, Callable[[int], bytes]] = {
    "no RTP": lambda number: b"\x17" + BODY + bytes(11),
    "unknown payload type": lambda number: _rtp(77, number, 0xBAD, BODY),
    "new source each packet": lambda number: _rtp(97, number, number * 2654435761 & 0xFFFFFFFF, BODY),
    "garbage as its picture": lambda number: _rtp(97, number, 0xBAD, BODY),
    "random sequence numbers": lambda number: _rtp(97, number * 7919, 0xBAD, BODY),
    f"{SOUND} garbage": lambda number: _rtp(111, number, 0xBAD, BODY),
    f"{SOUND} new sources": lambda number: _rtp(111, number, number * 2654435761 & 0xFFFFFFFF, BODY),
    f"{SOUND} no RTP": lambda number: b"\x17" + BODY + bytes(11),
    f"{SOUND} reports": lambda number: _rtp(72, number, 0xBAD, BODY),
    f"{SOUND} its own source": lambda number: _rtp(111, number, OWN, BODY),
    f"{SOUND} its own source, speech": lambda number: _rtp(111, number, OWN, SPEECH),
    f"{SOUND} small": lambda number: _rtp(111, number, 0xBAD, SPEECH),
}
"""What is sent to the port of pictures, or to that of sound."""


class Flood:
    """Sends from a peer's socket of pictures until it is stopped; a context manager."""

    def __init__(self, peer: Peer, name: str) -> None:
        self._outlet, self._make = peer.outlets[not name.startswith(SOUND)], KINDS_OF_FLOOD[name]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)
        self.sent = self.octets = 0

    def __enter__(self) -> Flood:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _send(self) -> None:
        began = time.monotonic()
        while not self._ended.is_set():
            if self.octets * 8 > RATE * (time.monotonic() - began):
                time.sleep(0.001)
                continue
            for _ in range(BATCH):
                packet = self._make(self.sent)
                try:
                    self._outlet.socket.sendto(packet, self._outlet.to)
                except (BlockingIOError, ConnectionError):
                    break
                self.sent += 1
                self.octets += len(packet)


async def count(worker: int, peers: Peers, seconds: float) -> tuple[float, list[float], float]:
    """Cores of the worker; frames a second of all but the first; megabytes it takes."""
    began, used = time.monotonic(), processor_seconds(worker)
    before = [peer.received[0] for peer in peers.all]
    await asyncio.sleep(seconds)
    took, used = time.monotonic() - began, processor_seconds(worker) - used
    frames = [(peer.received[0] - then) / took for peer, then in zip(peers.all, before, strict=True)]
    return used / took, frames[1:], bounds.resident(worker) / 1e6


async def conference(tracks: list[Track], seconds: float, names: list[str]) -> None:
    """All kinds of flood, one after the other, on one conference."""
    legs = [f"leg{number}" for number in range(LEGS)]
    failed: list[m.Event] = []

    def hear(event: m.Event) -> None:
        if isinstance(event, m.LegFailed):
            failed.append(event)

    async with worker_pool() as pool:
        worker = await pool.acquire(
            "bench", "Bench", hear, lambda lost: failed.append(m.LegFailed(leg="all", reason=str(lost)))
        )
        with Peers(LEGS, tracks) as peers:
            await worker.compose(everybody_else(legs))
            for leg, peer in zip(legs, peers.all, strict=True):
                _, ports = await worker.reserve_rtp(leg, KINDS)
                await worker.connect_rtp(leg, describe(ports), describe(peer.ports))
                await worker.start(leg)
                peer.send_to(ports)
            await asyncio.sleep(WARMING)
            calm, frames, memory = await count(worker.process, peers, seconds)
            print(f"{'none':34} cores {calm:.3f}  frames {min(frames):.1f}  {memory:.0f} MB", flush=True)
            for name in names:
                with Flood(peers.all[0], name) as flood:
                    await asyncio.sleep(0.5)
                    sent, octets = flood.sent, flood.octets
                    cores, frames, memory = await count(worker.process, peers, seconds)
                    rate, packets = (flood.octets - octets) * 8 / seconds / 1e6, (flood.sent - sent) / seconds / 1000
                print(
                    f"{name:34} cores {cores:.3f} (+{cores - calm:.3f})  frames {min(frames):.1f}  {memory:.0f} MB  "
                    f"flood {rate:.0f} Mbit/s, {packets:.0f} a ms  failed {[one.leg for one in failed]}",
                    flush=True,
                )
                await asyncio.sleep(1.0)
            cores, frames, memory = await count(worker.process, peers, seconds)
            print(f"{'none':34} cores {cores:.3f}  frames {min(frames):.1f}  {memory:.0f} MB", flush=True)
        await pool.release(worker)


async def main(seconds: float, names: list[str]) -> None:
    stage.load()
    with tempfile.TemporaryDirectory() as directory:
        recording = Path(directory) / "picture.h264"
        record(recording)
        await conference([voice(), picture(recording)], seconds, names or list(KINDS_OF_FLOOD))


if __name__ == "__main__":
    asyncio.run(asyncio.wait_for(main(float(sys.argv[1]) if len(sys.argv) > 1 else 4.0, sys.argv[2:]), 120))
