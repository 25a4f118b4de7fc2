"""Who is there: reports, silence, questions, new runs, wrong clocks - in time that the test makes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from rostra.fabric import peers as p
from rostra.fabric.bus import Bus
from rostra.fabric.peers import NodeReport, Peers
from tests.calls.network import MemoryBus, Network


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Site:
    """One node that looks, and others that speak when told."""

    def __init__(self) -> None:
        self.network = Network()
        self.clock = Clock()
        self.heard: list[tuple[str, bool]] = []
        self.own = NodeReport(node="n1", boot="a")
        self.peers = Peers(self.network.bus("n1"), lambda: self.own, clock=self.clock)
        self.peers.on_change(lambda node, alive: self.heard.append((node, alive)))
        self.others: dict[str, MemoryBus] = {}

    async def say(self, node: str, **members: object) -> None:
        report = (
            NodeReport(node=node, boot="b", **members) if "boot" not in members else NodeReport(node=node, **members)
        )  # type: ignore[arg-type]
        bus = self.others.setdefault(node, self.network.bus(node))
        await bus.publish(p.report_subject(node), msgspec.msgpack.encode(report))
        await self.settle()

    async def settle(self) -> None:
        for _ in range(6):
            await asyncio.sleep(0)

    async def pass_time(self, seconds: float) -> None:
        """In one step: the node itself stood still for it."""
        self.clock.now += seconds
        self.peers.look()
        await self.settle()

    async def live(self, seconds: float) -> None:
        """As time passes."""
        while seconds > 0.01:
            await self.pass_time(min(0.1, seconds))
            seconds -= 0.1


@pytest.fixture
async def site() -> Site:
    made = Site()
    await made.network.buses["n1"].subscribe(p.REPORTS, made.peers._heard)
    return made


async def test_who_reports_is_there_and_so_are_we(site: Site) -> None:
    await site.say("n2", location=7)
    assert set(site.peers.alive) == {"n1", "n2"}
    assert site.peers.alive["n2"].location == 7
    assert site.heard == [("n2", True)]


async def test_a_killed_process_is_dead_as_soon_as_it_is_asked(site: Site) -> None:
    await site.say("n2")
    await site.live(p.SUSPECT - 0.1)
    assert site.heard == [("n2", True)]
    await site.live(0.2)
    assert site.heard[-1] == ("n2", False)
    assert site.clock.now - 100 < 1.2, "a kill is noticed in about a second"


async def test_a_silent_node_that_answers_is_there(site: Site) -> None:
    await site.say("n2")
    answer = msgspec.msgpack.encode(NodeReport(node="n2", boot="b"))

    async def here(_subject: str, _payload: bytes) -> bytes:
        return answer

    await site.others["n2"].subscribe(p.probe_subject("n2"), here)
    for _ in range(8):
        await site.live(1.0)
    assert site.heard == [("n2", True)]


async def test_a_node_that_was_cut_off_is_dead_after_its_time_and_back_with_its_next_word(site: Site) -> None:
    await site.say("n2")

    async def never(_subject: str, _payload: bytes) -> bytes | None:
        return None

    await site.others["n2"].subscribe(p.probe_subject("n2"), never)
    await site.live(p.DEAD - 0.1)
    assert "n2" in site.peers.alive
    await site.live(0.2)
    assert "n2" not in site.peers.alive
    await site.say("n2")
    assert site.heard == [("n2", True), ("n2", False), ("n2", True)]


async def test_a_new_run_is_the_end_of_the_one_before(site: Site) -> None:
    await site.say("n2")
    await site.say("n2", boot="c")
    assert site.heard == [("n2", True), ("n2", False), ("n2", True)]
    assert site.peers.boot("n2") == "c"


async def test_a_good_bye_is_believed_of_the_run_that_says_it_only(site: Site) -> None:
    await site.say("n2", boot="c")
    await site.say("n2", boot="b", leaving=True)
    assert "n2" in site.peers.alive
    await site.say("n2", boot="c", leaving=True)
    assert "n2" not in site.peers.alive


async def test_a_wrong_clock_changes_nothing(site: Site) -> None:
    await site.say("n2", time=-30.0)
    await site.live(0.5)
    await site.say("n2", time=9e9)
    assert site.heard == [("n2", True)]


async def test_nobody_is_judged_while_we_are_cut_off_ourselves_for_a_moment(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await site.say("n2")
    monkeypatch.setattr(MemoryBus, "connected", False)
    for _ in range(5):
        await site.pass_time(p.CUT_OFF / 5 - 0.01)
    assert "n2" in site.peers.alive
    monkeypatch.setattr(MemoryBus, "connected", True)
    await site.pass_time(p.INTERVAL)
    assert "n2" in site.peers.alive, "it was not silent, we were deaf"
    monkeypatch.setattr(MemoryBus, "connected", False)
    await site.pass_time(p.CUT_OFF + 0.1)
    assert "n2" not in site.peers.alive


async def test_nobody_was_silent_while_we_stood_still(site: Site) -> None:
    await site.say("n2")
    await site.pass_time(0.5)
    await site.pass_time(30.0)
    assert "n2" in site.peers.alive


@pytest.mark.parametrize("payload", [b"", b"\xff", b"\x80", msgspec.msgpack.encode({"node": 3})])
async def test_nonsense_is_left_alone(site: Site, payload: bytes) -> None:
    bus = site.others.setdefault("n9", site.network.bus("n9"))
    await bus.publish(p.report_subject("n9"), payload)
    await site.settle()
    assert set(site.peers.alive) == {"n1"}


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 (what is waited for has no event)
            await asyncio.sleep(0.01)


async def test_over_a_real_server_both_find_each_other_and_notice_the_end(bus: Bus) -> None:
    one = Peers(bus, lambda: NodeReport(node="n1", boot="a"))
    two = Peers(bus, lambda: NodeReport(node="n2", boot="b"))
    await one.start()
    await two.start()
    await until(lambda: "n2" in one.alive and "n1" in two.alive)
    await two.stop()
    await until(lambda: "n2" not in one.alive)
    await one.stop()
