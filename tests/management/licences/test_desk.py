"""Nodes ask, the Management Node counts: both sides on a bus without a server, with licences in the database."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from rostra.domain.grants import SETTLED
from rostra.domain.licensing import GRACE, LicenceKind, Shortage
from rostra.fabric import licensing
from rostra.fabric.peers import NodeReport
from rostra.management.alarms.models import Alarm
from rostra.management.licences import keeping, status
from rostra.management.licences.desk import EXHAUSTED, LicenceDesk
from rostra.management.licences.models import Licence
from rostra.node.licensing import NodeLicences
from tests.calls.network import Network
from tests.calls.people import until

from .conftest import Issuer

PORT, AUDIO = LicenceKind.PORT, LicenceKind.AUDIO
pytestmark = pytest.mark.usefixtures("database")


async def in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    """In a thread of its own, whose connection leads to this test's database."""

    def run() -> Any:
        try:
            return function(*arguments)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        return await asyncio.get_running_loop().run_in_executor(thread, run)


@dataclasses.dataclass
class Platform:
    """A Management Node that can be away, and nodes."""

    network: Network
    home: Path
    issuer: Issuer
    now: float = 1000.0
    known: dict[str, tuple[NodeReport, bool, float]] = dataclasses.field(default_factory=dict)
    desk: LicenceDesk | None = None
    nodes: dict[str, NodeLicences] = dataclasses.field(default_factory=dict)
    silent: float = 0.0
    told: list[Callable[[str, bool], None]] = dataclasses.field(default_factory=list)

    def on_change(self, listener: Callable[[str, bool], None]) -> None:
        self.told.append(listener)

    async def manage(self) -> LicenceDesk:
        bus = self.network.bus("management")
        self.desk = LicenceDesk(bus, self, clock=lambda: self.now, every=3600.0, hearing=0.0)
        await self.desk.start()
        await until(lambda: any(one.matches(licensing.LICENCES) for one in bus.subscriptions))
        return self.desk

    async def unmanage(self) -> None:
        if self.desk is not None:
            await self.desk.stop()
            self.desk = None
            self.network.buses.pop("management", None)

    async def node(self, name: str, boot: str = "a") -> NodeLicences:
        self.known[name] = (NodeReport(node=name, boot=boot), True, 0.0)
        file = self.home / f"{name}.licensing"
        self.nodes[name] = NodeLicences(self.network.bus(name), name, boot, lambda: self.silent, file)
        await self.nodes[name].start()
        return self.nodes[name]

    def kill(self, name: str) -> None:
        del self.network.buses[name], self.nodes[name]
        self.known[name] = (self.known[name][0], False, 9.0)

    async def install(self, concurrent: int, **more: object) -> None:
        """Install a licence, and have everybody know."""
        await in_thread(keeping.add, self.issuer.licence(concurrent, **more))
        if self.desk is not None:
            await self.look()

    async def look(self) -> None:
        assert self.desk is not None
        self.now += 2 * SETTLED
        await self.desk.look()
        await until(lambda: all(node.counted for node in self.nodes.values()))


@pytest.fixture
async def platform(database: Path, tmp_path: Path, issuer: Issuer) -> AsyncIterator[Platform]:
    found = Platform(Network(), tmp_path, issuer)
    yield found
    await found.unmanage()
    for node in found.nodes.values():
        await node.stop()


@pytest.mark.spec("SYS-182", "SYS-183")
async def test_without_licences_nobody_is_asked(platform: Platform) -> None:
    desk, node = await platform.manage(), await platform.node("n1")
    published = node._bus.published  # type: ignore[attr-defined]
    assert [await node.take(str(number), AUDIO) for number in range(50)] == [PORT] * 50
    node.give_back("1")
    assert not any(desk.used.values())
    assert node._bus.published == published  # type: ignore[attr-defined]
    assert len(node.held) == 49


@pytest.mark.spec("SYS-183", "SYS-185", "SYS-186", "SYS-187", "SYS-188", "PLAT-015", "PLAT-089")
async def test_nodes_share_one_pool(platform: Platform) -> None:
    desk = await platform.manage()
    one, two = await platform.node("n1"), await platform.node("n2")
    await platform.install(2)
    await platform.install(1, kind=AUDIO)
    assert [await one.take("ann", PORT), await two.take("bob", PORT)] == [PORT, PORT]
    assert await one.take("ann", PORT) is PORT
    assert await two.take("eve", PORT) is AUDIO
    assert await two.take("joe", AUDIO) is Shortage.INSUFFICIENT
    assert desk.used == {PORT: 2, AUDIO: 1}
    one.give_back("ann")
    await until(lambda: desk.used[PORT] == 1)
    assert await two.take("joe", AUDIO) is PORT
    assert await two.take("eve", PORT) is AUDIO
    assert "joe" in two.held


@pytest.mark.spec("DIAG-100", "DIAG-105")
async def test_the_alarm_goes_with_the_next_call_that_gets_in(platform: Platform) -> None:
    def up() -> bool:
        return Alarm.objects.filter(name=EXHAUSTED, time_lowered=None).exists()

    async def becomes(wanted: bool) -> None:
        async with asyncio.timeout(10):
            while await in_thread(up) is not wanted:
                pass

    await platform.manage()
    node = await platform.node("n1")
    await platform.install(1)
    await node.take("ann", PORT)
    assert await node.take("bob", PORT) is Shortage.INSUFFICIENT
    await becomes(True)
    node.give_back("ann")
    await platform.look()
    await becomes(True)
    assert await node.take("bob", PORT) is PORT
    await becomes(False)


@pytest.mark.spec("SYS-196")
async def test_no_valid_licence_is_another_thing_than_none_left(platform: Platform, issuer: Issuer) -> None:
    await platform.manage()
    node = await platform.node("n1")
    await platform.install(5, deployment=await in_thread(keeping.deployment))
    assert await node.take("ann", PORT) is PORT
    await in_thread(lambda: Licence.objects.update(document="broken"))
    await platform.look()
    assert await node.take("bob", PORT) is Shortage.INVALID
    assert not await in_thread(Alarm.objects.filter(name=EXHAUSTED, time_lowered=None).exists)
    await in_thread(lambda: Licence.objects.all().delete())
    assert platform.desk is not None
    await platform.desk.look()
    await until(lambda: not node.counted)
    assert await node.take("bob", PORT) is PORT


@pytest.mark.spec("SYS-183")
async def test_calls_that_were_there_before_count(platform: Platform) -> None:
    desk, node = await platform.manage(), await platform.node("n1")
    await node.take("ann", PORT)
    await platform.install(1)
    assert desk.used[PORT] == 1
    assert await node.take("bob", PORT) is Shortage.INSUFFICIENT


@pytest.mark.spec("SYS-185")
async def test_a_call_that_ends_before_its_node_knows_of_counting_is_not_counted(platform: Platform) -> None:
    desk, node = await platform.manage(), await platform.node("n1")
    await node.take("ann", PORT)
    bus = platform.network.buses["n1"]
    bus.subscriptions[:] = [one for one in bus.subscriptions if not one.matches(licensing.POLICY)]
    await in_thread(keeping.add, platform.issuer.licence(1))
    await desk._load()
    await desk.settle()
    assert desk.used[PORT] == 1
    assert not node.counted
    node.give_back("ann")
    await until(lambda: desk.used[PORT] == 0)


@pytest.mark.spec("PLAT-019", "SYS-194")
async def test_while_the_management_node_is_away_licences_are_assumed_and_counted_later(platform: Platform) -> None:
    await platform.manage()
    node = await platform.node("n1")
    await platform.install(1)
    await platform.unmanage()
    assert [await node.take(who, PORT) for who in ("ann", "bob")] == [PORT, PORT]
    node.give_back("ann")
    assert await node.take("eve", AUDIO) is AUDIO
    platform.silent = GRACE - 1
    assert node.permitted()
    platform.silent = GRACE
    assert not node.permitted()
    again = NodeLicences(node._bus, "n1", "b", lambda: GRACE, node._file)  # what a restarted node remembers
    assert not again.permitted()
    desk = await platform.manage()
    assert desk.used == {PORT: 1, AUDIO: 1}
    assert await node.take("joe", PORT) is Shortage.INSUFFICIENT


async def test_nothing_stays_behind(platform: Platform) -> None:
    desk = await platform.manage()
    one, two = await platform.node("n1"), await platform.node("n2")
    await platform.install(3)
    for node, who in ((one, "ann"), (one, "bob"), (two, "eve")):
        await node.take(who, PORT)
    one._held.pop("ann")  # its message was lost
    await platform.look()
    assert desk.used[PORT] == 2
    platform.kill("n2")
    await platform.look()
    assert desk.used[PORT] == 1
    platform.kill("n1")
    await platform.node("n1", boot="b")
    await platform.look()
    assert desk.used[PORT] == 0


async def test_who_stops_waiting_leaves_nothing(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    desk, node = await platform.manage(), await platform.node("n1")
    await platform.install(1)
    request = node._bus.request

    async def answer_is_late(*arguments: Any, **more: Any) -> bytes:
        await request(*arguments, **more)
        await asyncio.Event().wait()
        return b""

    monkeypatch.setattr(node._bus, "request", answer_is_late)
    taking = asyncio.create_task(node.take("ann", PORT))
    await until(lambda: desk.used[PORT] == 1)
    taking.cancel()
    await asyncio.gather(taking, return_exceptions=True)
    assert not node.held
    await until(lambda: desk.used[PORT] == 0)


@pytest.mark.spec("SYS-197", "SYS-200")
async def test_the_status_tells_overdraft_apart(platform: Platform) -> None:
    await platform.manage()
    node = await platform.node("n1")
    await platform.install(1, overdraft=1)
    assert [await node.take(who, PORT) for who in ("ann", "bob", "eve")] == [PORT, PORT, Shortage.INSUFFICIENT]
    rows, _ = await in_thread(status.TABLE.source.page, [], [], 0, 20)
    assert (rows[0]["port_count"], rows[0]["port_total"]) == (2, 1)


async def test_what_is_not_understood_is_passed_over(platform: Platform) -> None:
    desk, node = await platform.manage(), await platform.node("n1")
    assert await desk._asked("", b"\xc1") is None
    await node._heard("", b"\xc1")
    reply = await desk._asked(
        "", licensing.encode(licensing.Take(node="n1", boot="a", holder="x", kinds=("hologram",)))
    )
    assert reply is not None
    assert licensing.decode_reply(reply) == licensing.Granted(kinds=("port",))
