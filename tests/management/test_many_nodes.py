"""Twenty nodes, each a process, follow a configuration of many rooms."""

from __future__ import annotations

from pathlib import Path

from rostra.configuration import journal
from rostra.configuration.models import Conference
from rostra.environment import Environment
from rostra.fabric.bus import Bus

from . import many
from .replicas import Nodes
from .test_replication import managed, publishing

NODES = 20
ROOMS = 500


async def test_a_change_reaches_twenty_nodes(database: Path, fabric: Environment, bus: Bus, tmp_path: Path) -> None:
    """By snapshot, as it is made, and after they were away. About 3 s on a quiet machine."""
    await managed(lambda: many.rooms(ROOMS))
    async with publishing(bus) as publisher:
        async with Nodes(fabric, tmp_path / "nodes", NODES) as nodes:
            assert {words[1] for words in (await nodes.every("synchronised")).values()} == {"1"}, "one snapshot each"
            room = await managed(lambda: Conference.objects.get(name="room 7").pk)
            await managed(lambda: Conference.objects.filter(pk=room).update(tag="changed"))
            publisher.wake()
            assert {words[0] for words in (await nodes.every("heard")).values()} == {str(room)}
        await managed(lambda: Conference.objects.filter(name__contains="1").delete())
        position, own = await managed(lambda: (journal.position(), journal.checksum()))
        async with Nodes(fabric, tmp_path / "nodes", NODES) as nodes:
            assert {words[1] for words in (await nodes.every("synchronised")).values()} == {"0"}, "no snapshot"
            assert await nodes.checksums(position) == {own}
            await managed(lambda: Conference.objects.filter(pk=room).update(tag="again"))
            position, other = await managed(lambda: (journal.position(), journal.checksum()))
            assert await nodes.checksums(position) == {other} != {own}
