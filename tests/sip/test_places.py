"""Calls of ours find their way: by DNS, past places that are dead or full, over the connection that is there."""

from __future__ import annotations

import asyncio
import dataclasses
import socket

import pytest

from rostra.calls.switchboard import CallRefused, NotDialled, Refusal
from rostra.dialplan.outward import Hop
from rostra.environment import Environment, PortRange
from rostra.sip.settings import SipSettings
from tests.ports import free_port
from tests.sip.conftest import Running
from tests.sip.dns_server import NameServer
from tests.sip.pair import answered, call, ended, resolving, serving


@pytest.mark.spec("REF-104")
async def test_by_naptr_and_past_a_dead_place(running: Running, environment: Environment) -> None:
    """The first place refuses connections; the second, by the same record, takes the call."""
    zone = {
        ("example.org", "NAPTR"): ['1 1 "s" "SIP+D2T" "" _sip._tcp.example.org.'],
        ("_sip._tcp.example.org", "SRV"): [
            f"10 1 {free_port()} one.example.org.", f"20 1 {running.port} one.example.org.",
        ],
        ("one.example.org", "A"): ["127.0.0.1"],
    }  # fmt: skip
    async with NameServer(zone) as server, serving(environment, SipSettings(resolver=resolving(server))) as ours:
        running.switchboard.aliases.add("meet.demo@example.org")
        session = call(ours, "meet.demo@example.org")
        await answered(ours, session)
        [theirs] = running.switchboard.sessions
        assert theirs.request.alias == "meet.demo@example.org"
        await ended(ours, session)
        await running.until(lambda: theirs.left)


async def test_past_a_place_that_is_full_and_one_that_keeps_silent(
    running: Running, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rostra.sip.outgoing.PATIENCE", 0.3)
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("127.0.0.1", 0))
    async with serving(environment) as full:
        full.switchboard.fail_with = _out_of_resource()
        zone = {
            ("_sip._udp.example.org", "SRV"): [
                f"10 1 {silent.getsockname()[1]} one.example.org.", f"20 1 {full.port} one.example.org.",
                f"30 1 {running.port} one.example.org.",
            ],
            ("one.example.org", "A"): ["127.0.0.1"],
        }  # fmt: skip
        running.switchboard.aliases.add("meet.demo@example.org")
        async with NameServer(zone) as server, serving(environment, SipSettings(resolver=resolving(server))) as ours:
            session = call(ours, "sip:meet.demo@example.org;transport=udp")
            await answered(ours, session)
            await ended(ours, session)
    silent.close()


async def test_the_next_place_is_offered_all_that_the_first_was(running: Running, environment: Environment) -> None:
    """Also a line for floor control, and also where addresses are those of IPv6."""
    zone = {
        ("_sip._tcp.example.org", "SRV"): [
            f"1 1 {free_port()} one.example.org.",
            f"2 1 {running.port} two.example.org.",
        ],
        ("one.example.org", "A"): ["127.0.0.1"],
        ("two.example.org", "AAAA"): ["::1"],
    }
    running.switchboard.aliases.add("meet.demo@example.org")
    async with NameServer(zone) as server, serving(environment, SipSettings(resolver=resolving(server))) as ours:
        session = call(ours, "sip:meet.demo@example.org;transport=tcp")
        await answered(ours, session)
        [theirs] = running.switchboard.sessions
        assert theirs.request.remote_address == "::1"
        assert session.local is not None
        assert len(session.local.streams) == 4, "sound, picture, presentation, cameras"
        assert session.listener._media.floor._floor is not None  # type: ignore[attr-defined] - agreed with the second
        await ended(ours, session)


async def test_keys_are_not_offered_where_anybody_can_read_them(running: Running, environment: Environment) -> None:
    """The place by TLS is dead; by UDP the call goes without keys."""
    zone = {
        ("_sips._tcp.example.org", "SRV"): [f"1 1 {free_port()} one.example.org."],
        ("_sip._udp.example.org", "SRV"): [f"1 1 {running.port} one.example.org."],
        ("one.example.org", "A"): ["127.0.0.1"],
    }
    running.switchboard.aliases.add("meet.demo@example.org")
    async with NameServer(zone) as server:
        settings = dataclasses.replace(running.service._settings, resolver=resolving(server))
        async with serving(environment, settings) as ours:
            session = call(ours, "meet.demo@example.org")
            await answered(ours, session)
            [theirs] = running.switchboard.sessions
            assert theirs.remote is not None
            assert not any(stream.crypto for stream in theirs.remote.streams)
            await ended(ours, session)


async def test_a_place_that_refuses_decides(running: Running, environment: Environment) -> None:
    """404 is an answer: nobody else is asked."""
    zone = {
        ("_sip._tcp.example.org", "SRV"): [f"{n} 1 {running.port} one.example.org." for n in (1, 2)],
        ("one.example.org", "A"): ["127.0.0.1"],
    }
    async with NameServer(zone) as server, serving(environment, SipSettings(resolver=resolving(server))) as ours:
        session = call(ours, "sip:nobody@example.org;transport=tcp")
        await ours.until(lambda: session.left)
        assert session.reason == "Called party not found"
        requests = running.service.debug_state()["requests"]
        assert requests["INVITE"] == 1  # type: ignore[index]


async def test_a_host_that_is_nowhere(running: Running) -> None:
    async with NameServer({}) as server:
        await running.service.apply(SipSettings(resolver=resolving(server)))
        session = call(running, "meet@nowhere.example")
        await running.until(lambda: session.left)
        assert session.reason == "Destination cannot be reached"


async def test_what_is_too_long_for_a_datagram_goes_by_tcp_where_that_is_taken(
    running: Running, environment: Environment
) -> None:
    """RFC 3261 18.1.1; where nobody takes TCP it goes by UDP all the same."""
    async with serving(environment) as ours, serving(environment, SipSettings(streams=False)) as only_udp:
        for called, wanted in ((running, True), (only_udp, False)):
            session = call(ours, f"meet.demo@127.0.0.1:{called.port}")
            await answered(ours, session)
            assert (called.service.debug_state()["connections"] == 1) is wanted
            await ended(ours, session)


async def test_a_call_is_passed_on_a_limited_number_of_times(running: Running, environment: Environment) -> None:
    """Max-Forwards, from a call that comes to one that continues it (RFC 3261 8.1.1.6, 16.3)."""
    async with serving(environment) as ours:
        session = call(ours, f"sip:meet.demo@127.0.0.1:{running.port};transport=tcp", hops=9)
        await answered(ours, session)
        assert running.switchboard.sessions[0].request.hops == 9
        await ended(ours, session)
        with pytest.raises(NotDialled) as refused:
            call(ours, "sip:meet.demo@127.0.0.1", hops=0)
        assert refused.value.status == 483


@pytest.mark.spec("SYS-115")
async def test_our_connections_come_from_the_range_and_are_used_both_ways(
    running: Running, environment: Environment
) -> None:
    """What the called party sends within the call comes over the connection that brought it."""
    low = free_port()
    async with serving(environment, SipSettings(source_ports=PortRange(low, low + 20))) as ours:
        session = call(ours, "meet.demo", hop=Hop(address="127.0.0.1", port=running.port, transport="tcp"))
        await answered(ours, session)
        [theirs] = running.switchboard.sessions
        assert low <= theirs.request.remote_port <= low + 20
        await running.until(lambda: theirs.did("confirm"))
        theirs.listener.disconnected("over")
        await ours.until(lambda: session.left)
        assert ours.service.debug_state()["connections"] == 1


@pytest.mark.parametrize("by_name", [False, True])
async def test_a_response_finds_its_way_back_after_its_connection_is_gone(running: Running, by_name: bool) -> None:
    """RFC 3261 18.2.2: to the address it came from, at the port of the Via; else RFC 3263 5: whoever that names."""
    running.switchboard.slow = asyncio.Event()
    came: asyncio.Queue[bytes] = asyncio.Queue()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.put_nowait(await reader.readuntil(b"\r\n"))
        writer.close()

    listening = await asyncio.start_server(take, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    zone = {("_sip._tcp.client.test", "SRV"): [f"1 1 {port} one.test."], ("one.test", "A"): ["127.0.0.1"]}
    async with NameServer(zone) as server:
        await running.service.apply(dataclasses.replace(running.service._settings, resolver=resolving(server)))
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        sent_by = "client.test" if by_name else f"127.0.0.1:{port}"
        writer.write(_invite(sent_by))
        assert b"100 Trying" in await asyncio.wait_for(reader.readline(), 5)
        writer.close()
        await running.until(lambda: running.service.debug_state()["connections"] == 0)
        running.switchboard.slow.set()
        assert b" 404 " in await asyncio.wait_for(came.get(), 5)
    listening.close()


def _invite(sent_by: str) -> bytes:
    return (
        f"INVITE sip:nobody@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP {sent_by};branch=z9hG4bKx\r\n"
        "From: <sip:c@192.0.2.1>;tag=c\r\nTo: <sip:nobody@127.0.0.1>\r\nCall-ID: lost\r\nCSeq: 1 INVITE\r\n"
        "Contact: <sip:c@127.0.0.1;transport=tcp>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def _out_of_resource() -> Exception:
    return CallRefused(Refusal.OUT_OF_RESOURCE)
