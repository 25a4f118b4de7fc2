"""Waiting that ends in time, whoever is called off meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from rostra.waiting import in_time


async def test_a_result_that_comes_with_a_cancellation_does_not_hide_it() -> None:
    result: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(in_time(result, 5))
    await asyncio.sleep(0)
    result.set_result(1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_what_takes_too_long_is_called_off() -> None:
    never: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    with pytest.raises(TimeoutError):
        await in_time(never, 0.01)
    assert never.cancelled()


async def test_what_comes_in_time_is_the_result() -> None:
    assert await in_time(asyncio.sleep(0, 7), None) == 7
