"""Ports come and go with the settings while calls go on."""

from __future__ import annotations

import asyncio
import dataclasses
import socket

import pytest

from rostra.calls.switchboard import NotDialled
from rostra.environment import Environment
from rostra.sip import switching
from rostra.sip.settings import SipSettings
from tests.sip.conftest import Running
from tests.sip.pair import answered, call, ended, serving
from tests.sip.test_calls import request
from tests.sip.test_wire import SDP, Peer


def listens(kind: socket.SocketKind, port: int) -> bool:
    """Whether the port is taken on this machine."""
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return True
        return False


@pytest.mark.spec("SYS-098", "SYS-099", "SYS-100", "SYS-102", "PLAT-190")
async def test_ports_come_and_go(running: Running) -> None:
    service = running.service
    on = service._settings
    assert SipSettings().streams
    assert all(listens(*what) for what in _ports(running))
    await service.apply(dataclasses.replace(on, datagrams=False))
    await running.until(lambda: not listens(socket.SOCK_DGRAM, running.port))
    assert listens(socket.SOCK_STREAM, running.port)
    await service.apply(dataclasses.replace(on, streams=False, datagrams=False))
    await running.until(lambda: not any(listens(*what) for what in _ports(running)))
    with pytest.raises(NotDialled):
        call(running, "sip:a@192.0.2.1;transport=tcp")
    await service.apply(on)
    assert all(listens(*what) for what in _ports(running))


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_calls_outlive_the_switch_and_nothing_new_comes(
    running: Running, environment: Environment, monkeypatch: pytest.MonkeyPatch, transport: str
) -> None:
    monkeypatch.setattr(switching, "AGAIN", 0.1)
    monkeypatch.setattr("rostra.sip.transactions.LIMIT", 0.1)
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    async with serving(environment) as ours:
        session = call(ours, f"sip:meet.demo@127.0.0.1:{running.port};transport={transport}")
        await answered(ours, session)
        [theirs] = running.switchboard.sessions
        await running.until(lambda: theirs.did("confirm"))
        off = {"datagrams": False} if transport == "udp" else {"streams": False}
        await running.service.apply(dataclasses.replace(running.service._settings, **off))
        if transport == "udp":
            peer = Peer(running.port)
            peer.send(request("INVITE", body=SDP).replace(b"sip:bob@", b"sip:meet.demo@"))
            peer.send(request("OPTIONS"))
        else:
            again = call(ours, f"sip:meet.demo@127.0.0.1:{running.port};transport=tcp")
            await ours.until(lambda: again.left)
        theirs.listener.disconnected("over")
        await ours.until(lambda: session.left)
        assert len(running.switchboard.sessions) == 1
        if transport == "tcp":
            await running.until(lambda: not listens(kind, running.port))


async def test_udp_is_open_for_as_long_as_calls_of_ours_need_it(
    running: Running, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SYS-100 is about calls that come in."""
    monkeypatch.setattr(switching, "AGAIN", 0.05)
    async with serving(environment, SipSettings(datagrams=False)) as ours:
        assert not listens(socket.SOCK_DGRAM, ours.port)
        session = call(ours, f"sip:meet.demo@127.0.0.1:{running.port};transport=udp")
        await answered(ours, session)
        assert listens(socket.SOCK_DGRAM, ours.port)
        monkeypatch.setattr(ours.service._engine, "uses", lambda transport: bool(ours.service._agents))
        await ended(ours, session)
        await ours.until(lambda: not listens(socket.SOCK_DGRAM, ours.port))


async def test_a_port_that_was_taken_is_had_later(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switching, "AGAIN", 0.05)
    on = running.service._settings
    await running.service.apply(dataclasses.replace(on, datagrams=False))
    await running.until(lambda: not listens(socket.SOCK_DGRAM, running.port))
    other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    other.bind(("0.0.0.0", running.port))
    await running.service.apply(on)
    driver = running.service._driver
    assert driver is not None
    assert not driver._datagrams
    other.close()
    await running.until(lambda: bool(driver._datagrams))
    peer = Peer(running.port)
    peer.send(request("OPTIONS"))
    assert await peer.reply("1 OPTIONS") == "SIP/2.0 200 OK"


async def test_connections_without_use_are_closed_and_those_with_a_call_are_not(
    running: Running, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("connection", "driver"):
        monkeypatch.setattr(f"rostra.sip.transport.{module}.IDLE_CONNECTION", 0.2)
    monkeypatch.setattr("rostra.sip.transport.connection.UNUSED_CONNECTION", 0.1)
    async with serving(environment) as ours:
        session = call(ours, f"sip:meet.demo@127.0.0.1:{running.port};transport=tcp")
        await answered(ours, session)
        closed = []
        for first in (b"", request("OPTIONS")):
            reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
            writer.write(first)
            closed.append(asyncio.wait_for(reader.read(), 5))
        await asyncio.gather(*closed)
        assert running.service.debug_state()["connections"] == 1
        await ended(ours, session)


@pytest.mark.spec("SYS-143")
async def test_packets_are_marked(running: Running) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    writer.write(request("OPTIONS"))
    await asyncio.wait_for(reader.readline(), 5)
    await running.service.apply(dataclasses.replace(running.service._settings, dscp=24))
    driver = running.service._driver
    assert driver is not None
    marked = [endpoint.socket for endpoint in driver._datagrams.values()]
    marked += [c.transport.get_extra_info("socket") for c in driver._connections.values() if c.transport]
    marked += [each for servers in driver._servers.values() for server in servers for each in server.sockets]
    assert len(marked) >= 4
    for each in marked:
        v6 = each.family == socket.AF_INET6
        level, option = (socket.IPPROTO_IPV6, socket.IPV6_TCLASS) if v6 else (socket.IPPROTO_IP, socket.IP_TOS)
        assert each.getsockopt(level, option) >> 2 == 24
    writer.close()


def _ports(running: Running) -> list[tuple[socket.SocketKind, int]]:
    return [
        (socket.SOCK_DGRAM, running.port), (socket.SOCK_STREAM, running.port), (socket.SOCK_STREAM, running.tls_port),
    ]  # fmt: skip
