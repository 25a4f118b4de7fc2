"""Telephone events (RFC 4733): digits to event numbers and back, and the pace of sending them."""

from __future__ import annotations

import asyncio
from typing import Any

from rostra.media.engine.gst import Gst

DIGITS = "0123456789*#ABCD"
"""In the order of their event numbers."""
PRESS = 0.12
GAP = 0.08
PAUSE = 2.0
"""Seconds a digit sounds, of silence after it, and of a `,`."""
VOLUME = 10
"""dBm0 below full, as sent."""


def digit_of(number: int) -> str | None:
    """The digit of an event number; None for other events (flash, tones)."""
    return DIGITS[number] if 0 <= number < len(DIGITS) else None


async def send(source: Any, digits: str) -> None:
    """Press digits one after the other on an `rtpdtmfsrc`; unknown characters are skipped."""
    for digit in digits.upper():
        if digit == ",":
            await asyncio.sleep(PAUSE)
        elif digit in DIGITS:
            _event(source, start=True, number=DIGITS.index(digit))
            await asyncio.sleep(PRESS)
            _event(source, start=False)
            await asyncio.sleep(GAP)


class Presses:
    """Of one leg: digits wait for those before."""

    def __init__(self) -> None:
        self._last: asyncio.Task[None] | None = None

    def press(self, source: Any, digits: str) -> None:
        """See `send`."""
        previous = self._last

        async def press() -> None:
            if previous:
                await asyncio.gather(previous, return_exceptions=True)
            await send(source, digits)

        self._last = asyncio.get_running_loop().create_task(press())

    def cancel(self) -> None:
        if self._last:
            self._last.cancel()
            self._last = None


def _event(source: Any, *, start: bool, number: int | None = None) -> None:
    members = f"dtmf-event,type=(int)1,method=(int)1,start=(boolean){str(start).lower()}"
    if number is not None:
        members += f",number=(int){number},volume=(int){VOLUME}"
    source.get_static_pad("src").send_event(
        Gst.Event.new_custom(Gst.EventType.CUSTOM_UPSTREAM, Gst.Structure.from_string(members)[0])
    )
