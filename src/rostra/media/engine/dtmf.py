"""Telephone events (RFC 4733): digits to event numbers and back, and the pace of sending them."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

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


class Keys(Protocol):
    """The keys of a telephone that is on a leg."""

    def press(self, number: int) -> None:
        """Press a key, by its event number."""
        ...

    def release(self) -> None:
        """Let go of it."""
        ...


class EventSource:
    """Keys of a pipeline: an `rtpdtmfsrc`."""

    def __init__(self, element: Any) -> None:
        self._element = element

    def press(self, number: int) -> None:
        self._send(f"start=(boolean)true,number=(int){number},volume=(int){VOLUME}")

    def release(self) -> None:
        self._send("start=(boolean)false")

    def _send(self, members: str) -> None:
        structure = Gst.Structure.from_string(f"dtmf-event,type=(int)1,method=(int)1,{members}")[0]
        self._element.get_static_pad("src").send_event(Gst.Event.new_custom(Gst.EventType.CUSTOM_UPSTREAM, structure))


async def send(keys: Keys, digits: str) -> None:
    """Press digits one after the other; unknown characters are skipped."""
    for digit in digits.upper():
        if digit == ",":
            await asyncio.sleep(PAUSE)
        elif digit in DIGITS:
            keys.press(DIGITS.index(digit))
            await asyncio.sleep(PRESS)
            keys.release()
            await asyncio.sleep(GAP)


class Presses:
    """Of one leg: digits wait for those before."""

    def __init__(self) -> None:
        self._last: asyncio.Task[None] | None = None

    def press(self, keys: Keys, digits: str) -> None:
        """See `send`."""
        previous = self._last

        async def press() -> None:
            if previous:
                await asyncio.gather(previous, return_exceptions=True)
            await send(keys, digits)

        self._last = asyncio.get_running_loop().create_task(press())

    def cancel(self) -> None:
        if self._last:
            self._last.cancel()
            self._last = None
