"""Objects that hold each other are found soon after they were given up."""

from __future__ import annotations

import asyncio
import gc
import weakref

from rostra import garbage


class Ring:
    def __init__(self) -> None:
        self.me = self


async def test_what_was_given_up_is_found_once_for_all() -> None:
    gc.disable()
    try:
        sweep = garbage.Sweep(0.01)
        rings = [Ring() for _ in range(3)]
        left = [weakref.ref(ring) for ring in rings]
        sweep.soon()
        sweep.soon()
        rings.clear()
        assert left[0]() is not None
        async with asyncio.timeout(5):
            while any(one() for one in left):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        again = Ring()
        kept = weakref.ref(again)
        del again
        sweep.soon()
        async with asyncio.timeout(5):
            while kept():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    finally:
        gc.enable()
