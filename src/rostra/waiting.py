"""Waiting that ends in time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def in_time(awaited: Awaitable[T], seconds: float | None) -> T:
    """What comes of it. Raises TimeoutError after so many seconds; None: never.

    `asyncio.wait_for` of Python 3.11 loses a cancellation that comes together with the result: who was called off would
    go on, and whoever called it off would wait for it.
    """
    async with asyncio.timeout(seconds):
        return await awaited
