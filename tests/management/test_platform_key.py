"""The key of the platform's secrets reaches nodes, and is kept there."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from rostra.configuration import journal, sealing
from rostra.environment import Environment
from rostra.fabric.bus import Bus

from .test_replication import eventually, following, managed, publishing


@pytest.fixture
def ring() -> Iterator[bytes]:
    """The key in use, put back afterwards: tests share the process."""
    before = sealing.platform_key()
    yield before
    sealing.unlock(before)


def kept(file: Path) -> bytes | None:
    return sealing.make_key(file) if file.exists() else None


async def test_a_node_gets_the_key_and_keeps_it(
    database: Path, fabric: Environment, bus: Bus, tmp_path: Path, ring: bytes
) -> None:
    path = tmp_path / "node" / "configuration.db"
    file = sealing.key_file(path.parent)
    async with publishing(bus), following(fabric, bus, path) as replica:
        await asyncio.wait_for(replica.synchronised.wait(), 8)
        assert kept(file) == ring
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    sealing.unlock(None)
    async with following(fabric, bus, path):  # the Management Node is away
        assert sealing.platform_key() == ring
    for damage in ("", "not base64", "AAAA"):
        file.write_text(damage)
        sealing.unlock(None)
        async with following(fabric, bus, path) as replica:
            sealing.unlock(ring)
            async with publishing(bus):
                await asyncio.wait_for(replica.synchronised.wait(), 8)
                assert kept(file) == ring


async def test_a_restored_backup_brings_another_key(
    database: Path, fabric: Environment, bus: Bus, tmp_path: Path, ring: bytes
) -> None:
    path = tmp_path / "node" / "configuration.db"
    file = sealing.key_file(path.parent)
    async with following(fabric, bus, path) as replica, publishing(bus):
        await asyncio.wait_for(replica.synchronised.wait(), 8)
        heard: list[str] = []
        replica.on_change(lambda resource, _key: heard.append(resource))
        other = os.urandom(sealing.KEY_BYTES)
        sealing.unlock(other)
        await managed(journal.install)
        await eventually(lambda: kept(file) == other)
        assert "conference" in heard, "secrets read differently now"
        sealing.unlock(None)  # a Management Node that has lost its key
        await managed(journal.install)
        epoch = await managed(journal.epoch)
        await eventually(lambda: replica._replica is not None and replica._replica.epoch == epoch)
        assert kept(file) == other
