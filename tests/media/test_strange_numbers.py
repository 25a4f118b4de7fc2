"""Far ends that count strangely: sound goes on through wraps and jumps, and whoever cannot count harms nobody else."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Callable, Iterator

from rostra.domain.media import MediaKind
from rostra.media import messages as m

from .conftest import Driven
from .test_rtp_legs import PCMU
from .wires import Socketed

LOUD = (bytes([0x00]) * 8 + bytes([0x80]) * 8) * 10
"""A square wave of 500 Hz in G.711."""
TURN = 50
"""Packets of 20 ms until something strange happens."""
HOURS = 5 * 3600 * 8000
Numbers = Iterator[tuple[int, int, int, int]]
"""Sequence number, timestamp, source, payload type; for ever."""


def usual() -> Numbers:
    number = 0
    while True:
        yield number, number * 160, 99, 0
        number += 1


def wrap() -> Numbers:
    """Both begin just before they wrap."""
    for number, stamp, source, kind in usual():
        yield number - TURN, stamp - TURN * 160, source, kind


def jump(by: int) -> Numbers:
    """The far end's clock jumps."""
    for number, stamp, source, kind in usual():
        yield number, stamp + (by if number > TURN else HOURS), source, kind


def other_source() -> Numbers:
    """It begins anew under another name."""
    for number, stamp, source, kind in usual():
        yield (number, stamp, source, kind) if number < TURN else (number + 999, stamp + HOURS, source + 1, kind)


def other_types() -> Numbers:
    """Every tenth packet is nothing that was agreed."""
    for number, stamp, source, kind in usual():
        yield number, stamp, source, 77 if number % 10 == 9 else kind


def no_source_twice() -> Numbers:
    """Cannot be understood at all, after a while."""
    for number, stamp, source, kind in usual():
        yield number, stamp, source if number < TURN else 1000 + number, kind


CONTINUE: dict[str, Callable[[], Numbers]] = {
    "usual": usual, "wrap": wrap, "forth": lambda: jump(2 * HOURS), "back": lambda: jump(0),
    "source": other_source, "types": other_types,
}  # fmt: skip
ALL = {**CONTINUE, "churn": no_source_twice}


async def speak(far: Socketed, numbers: Numbers, sent: dict[str, int], name: str) -> None:
    began = time.monotonic()
    for count, (number, stamp, source, kind) in enumerate(numbers):
        header = struct.pack("!BBHII", 0x80, kind, number & 0xFFFF, stamp & 0xFFFFFFFF, source)
        far.rtp.sendto(header + LOUD, ("127.0.0.1", far.port))
        sent[name] = count
        await asyncio.sleep(max(0.0, began + (count + 1) * 0.02 - time.monotonic()))


async def test_sound_goes_on_however_far_ends_count(driven: Driven) -> None:
    ends = {name: Socketed(PCMU) for name in ALL}
    sent: dict[str, int] = {}
    for name, far in ends.items():
        await far.join(driven.worker, name, MediaKind.AUDIO)
    speaking = [asyncio.create_task(speak(ends[name], numbers(), sent, name)) for name, numbers in ALL.items()]
    try:
        for name in ALL:
            await driven.until(lambda name=name: driven.level(name) > -40)
        await driven.until(lambda: min(sent.values()) > TURN + 25)  # half a second after it became strange
        driven.events.clear()
        await driven.until(lambda: sum(isinstance(event, m.Levels) for event in driven.events) >= 6)
        told = [event.levels for event in driven.events if isinstance(event, m.Levels)]
        for name in CONTINUE:
            assert min(levels.get(name, -127.0) for levels in told) > -40, (name, told)
        assert not [event for event in driven.events if isinstance(event, m.LegFailed)]
    finally:
        for task in speaking:
            task.cancel()
        for far in ends.values():
            far.close()
