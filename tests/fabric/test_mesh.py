"""NATS servers of several machines as one fabric: who gets in, who is put out, what a dead link does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rostra.environment import Environment
from rostra.fabric import credentials, membership, server
from rostra.fabric.bus import Bus, Unreachable
from rostra.fabric.membership import Member, Membership
from tests.fabric.sites import echo, new_authority, nobody_at, reaches, running, site, until


class Mesh:
    """Three machines that know each other."""

    def __init__(self, sites: list[tuple[Environment, Member]]) -> None:
        self.environments = [environment for environment, _ in sites]
        self.members = [member for _, member in sites]
        self.processes: list[asyncio.subprocess.Process] = []
        self.buses: list[Bus] = []


@pytest.fixture
async def mesh(tmp_path: Path) -> AsyncIterator[Mesh]:
    platform = new_authority(tmp_path)
    found = Mesh([site(tmp_path, number, platform) for number in (1, 2, 3)])
    async with contextlib.AsyncExitStack() as stack:
        for environment, member in zip(found.environments, found.members, strict=True):
            assert server.update(environment, found.members)
            found.processes.append(await stack.enter_async_context(running(environment)))
            bus = await Bus.connect(server.url(environment), name=member.name)
            stack.push_async_callback(bus.close)
            await echo(bus, member.name)
            found.buses.append(bus)
        for bus in found.buses:
            for member in found.members:
                await until(lambda bus=bus, name=member.name: reaches(bus, name), 10)
        yield found


async def test_everybody_reaches_everybody(mesh: Mesh) -> None:
    heard: list[bytes] = []

    async def hear(_subject: str, payload: bytes) -> None:
        heard.append(payload)

    for bus in mesh.buses:
        await bus.subscribe("test.all", hear)

    async def everybody() -> bool:
        heard.clear()
        await mesh.buses[0].publish("test.all", b"x")
        return await reaches(mesh.buses[0], "n2") and await reaches(mesh.buses[0], "n3") and len(heard) == 3

    await until(everybody, 5)


@pytest.mark.spec("NODE-078")
async def test_a_deleted_member_is_out_at_once_and_the_others_notice_nothing(mesh: Mesh) -> None:
    first, second, _ = mesh.buses
    reconnects = [bus.debug_state()["reconnects"] for bus in mesh.buses]
    began = time.monotonic()
    for environment in mesh.environments[:2]:
        assert server.update(environment, mesh.members[:2])
    await until(lambda: nobody_at(first, "n3"), 2)
    await until(lambda: nobody_at(second, "n3"), 2)
    took = time.monotonic() - began
    print(f"out after {took * 1000:.0f} ms")
    assert took < 1
    assert await reaches(first, "n2")
    assert await reaches(second, "n1")
    assert not await reaches(mesh.buses[2], "n1"), "it is alone now, although it still lists the others"
    assert [bus.debug_state()["reconnects"] for bus in mesh.buses] == reconnects
    assert not server.update(mesh.environments[0], mesh.members[:2]), "nothing changed"

    for environment in mesh.environments[:2]:  # and back, as a node that was added again
        server.update(environment, mesh.members)
    await until(lambda: reaches(first, "n3"), 5)


async def test_a_dead_link_is_noticed_and_heals(mesh: Mesh) -> None:
    first = mesh.buses[0]
    mesh.processes[2].send_signal(signal.SIGSTOP)
    noticed = await until(lambda: nobody_at(first, "n3"), 6)
    mesh.processes[2].send_signal(signal.SIGCONT)
    healed = await until(lambda: reaches(first, "n3"), 6)
    print(f"noticed after {noticed:.2f} s, healed after {healed:.2f} s")
    assert noticed < 3.5
    assert healed < 4
    mesh.processes[2].kill()
    gone = await until(lambda: nobody_at(first, "n3"), 3)
    print(f"a killed server is noticed after {gone * 1000:.0f} ms")


async def test_a_restarted_server_finds_everybody_again(mesh: Mesh) -> None:
    mesh.processes[1].kill()
    await mesh.processes[1].wait()
    async with running(mesh.environments[1]):
        await until(lambda: reaches(mesh.buses[0], "n2"), 5)
        await until(lambda: reaches(mesh.buses[1], "n3"), 5)


async def test_strangers_stay_out(mesh: Mesh, tmp_path: Path) -> None:
    """One with a certificate of the platform that is on nobody's list, one of another platform, and a mere client."""
    unlisted, entry = site(tmp_path, 4, new_authority(tmp_path))
    foreign, foreign_entry = site(tmp_path, 5, new_authority(tmp_path / "foreign"))
    own = membership.load(mesh.environments[0].home)
    assert own is not None
    pretended = Membership(own.platform, "n5", "127.0.0.5").with_members([foreign_entry])
    membership.store(foreign.home, pretended)
    for environment, member in ((unlisted, entry), (foreign, foreign_entry)):
        server.update(environment, [*mesh.members, member])
        async with running(environment):
            bus = await Bus.connect(server.url(environment), name=member.name)
            log = environment.home / "nats" / "nats.log"
            await until(lambda log=log: _refused(log), 10)
            assert not await reaches(bus, "n1")
            await bus.close()
    # Listed, but its certificate is of another authority.
    for environment in mesh.environments:
        server.update(environment, [*mesh.members, foreign_entry])
    async with running(foreign):
        bus = await Bus.connect(server.url(foreign), name="n5")
        await until(lambda: _refused(mesh.environments[0].home / "nats" / "nats.log", "TLS route handshake error"), 10)
        assert not await reaches(bus, "n1")
        await bus.close()
    port = mesh.environments[0].nats_port
    with pytest.raises(Unreachable):
        await Bus.connect(f"nats://127.0.0.1:{port}", name="no token", timeout=1)
    other = server.url(mesh.environments[1]).replace(str(mesh.environments[1].nats_port), str(port))
    with pytest.raises(Unreachable):  # another machine's token is of no use here
        await Bus.connect(other, name="other token", timeout=1)


async def _refused(log: Path, word: str = "Router connection closed") -> bool:
    return await asyncio.to_thread(lambda: log.exists() and word in log.read_text())


def test_nobody_is_let_in_by_an_empty_list(tmp_path: Path) -> None:
    environment, _ = site(tmp_path, 1, new_authority(tmp_path))
    place = membership.load(environment.home)
    assert place is not None
    written = server.configuration(environment, credentials.of(environment.home), place.with_members([]))
    assert written["cluster"]["tls"]["pinned_certs"] == ["0" * 64]
    assert written["host"] == "127.0.0.1"
    assert "jetstream" not in written


def test_a_process_id_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    """The file of a server that was killed names a process that is now another one: this one."""
    environment, member = site(tmp_path, 1, new_authority(tmp_path))
    server.prepare(environment)
    (environment.home / "nats" / "pid").write_text(str(os.getpid()))
    before = signal.signal(signal.SIGHUP, lambda *_: pytest.fail("signalled"))
    try:
        assert server.update(environment, [member, Member("n2", "a" * 64, "127.0.0.2", 1)])
    finally:
        signal.signal(signal.SIGHUP, before)
    assert "127.0.0.2:1" in (environment.home / "nats" / "nats.conf").read_text()
