"""TLS handshakes under way: those who never end theirs keep nobody else away."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from pathlib import Path

import pytest

from rostra.sip.limits import HANDSHAKE_SURE, MAX_HANDSHAKES, MAX_HANDSHAKES_OF_ONE
from rostra.sip.transport.handshakes import Handshakes
from tests.sip.conftest import Running

ONE, OTHER = "198.51.100.1", "198.51.100.2"


class Begun:
    ended = False

    def cancel(self) -> None:
        self.ended = True


def fill(handshakes: Handshakes, count: int, source: str = "", now: float = 0.0) -> list[Begun]:
    found = [Begun() for _ in range(count)]
    for number, one in enumerate(found):
        assert handshakes.room(source or f"10.0.{number // 250}.{number % 250}", now)
        handshakes.begun(one, source or f"10.0.{number // 250}.{number % 250}", now)
    return found


def test_of_one_source_there_are_few() -> None:
    handshakes = Handshakes()
    begun = fill(handshakes, MAX_HANDSHAKES_OF_ONE, ONE)
    assert not handshakes.room(ONE, HANDSHAKE_SURE / 2)
    assert handshakes.room(OTHER, HANDSHAKE_SURE / 2)
    handshakes.over(begun[5])
    handshakes.over(begun[5])
    assert handshakes.room(ONE, HANDSHAKE_SURE / 2)


def test_in_all_there_are_not_too_many() -> None:
    handshakes = Handshakes()
    begun = fill(handshakes, MAX_HANDSHAKES)
    assert not handshakes.room(ONE, HANDSHAKE_SURE / 2)
    for one in begun:
        handshakes.over(one)
    assert len(handshakes) == 0
    assert handshakes.room(ONE, 0.0)


@pytest.mark.parametrize(("count", "source"), [(MAX_HANDSHAKES, ""), (MAX_HANDSHAKES_OF_ONE, ONE)])
def test_the_oldest_makes_way_once_it_had_its_time(count: int, source: str) -> None:
    handshakes = Handshakes()
    begun = fill(handshakes, count, source)
    assert handshakes.room(ONE, HANDSHAKE_SURE)
    assert [one.ended for one in begun[:3]] == [True, False, False]
    assert len(handshakes) == count - 1


async def secured(running: Running, files: tuple[Path, Path], source: str) -> bool:
    """Does a peer at an address get through?"""
    context = ssl.create_default_context(cafile=files[0])
    async with asyncio.timeout(10):
        try:
            _, writer = await asyncio.open_connection(
                "127.0.0.1", running.tls_port, ssl=context, local_addr=(source, 0)
            )
        except OSError:
            return False
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True


async def test_the_silent_keep_nobody_away(
    running: Running, tls_files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = running.service._driver
    assert driver is not None
    silent = [
        await asyncio.open_connection("127.0.0.1", running.tls_port, local_addr=("127.0.0.2", 0))
        for _ in range(MAX_HANDSHAKES_OF_ONE)
    ]
    await running.until(lambda: len(driver._handshakes) == MAX_HANDSHAKES_OF_ONE)
    assert not await secured(running, tls_files, "127.0.0.2")
    assert await secured(running, tls_files, "127.0.0.1")
    monkeypatch.setattr("rostra.sip.transport.handshakes.HANDSHAKE_SURE", 0.0)
    assert await secured(running, tls_files, "127.0.0.2")
    async with asyncio.timeout(5):
        with contextlib.suppress(OSError):
            assert await silent[0][0].read() == b"", "the oldest had to go"
    await running.service.stop()
    await running.until(lambda: len(driver._handshakes) == 0)
    for _, writer in silent:
        writer.close()
