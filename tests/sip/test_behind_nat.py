"""NAT on either side: what we write as our address, where we send to whoever writes a wrong one, whose connection
is used for whom."""

from __future__ import annotations

import asyncio
import dataclasses
import random
from typing import Any

import pytest

from rostra.domain.natting import NattedNode, Translation
from rostra.environment import Environment
from rostra.sip.engine import Engine
from rostra.sip.events import CallReceived, Transmission
from rostra.sip.flow import Flow, Transport
from rostra.sip.locating import Place, Unreachable
from rostra.sip.message import Request, Response, parse_message, parse_via
from rostra.sip.reuse import Aliases
from rostra.sip.settings import SipSettings
from tests.sip.conftest import Running
from tests.sip.network import ANSWER, OFFER
from tests.sip.pair import answered, call, ended, serving
from tests.sip.test_calls import request
from tests.sip.test_wire import SDP, Peer


class Faraway(Translation):
    """To whom everybody is outside."""

    def seen_from(self, address: str, peer: str) -> str:
        del peer
        return super().seen_from(address, "198.51.100.7")


FARAWAY = Faraway([NattedNode(frozenset({"127.0.0.1"}), "203.0.113.5", ())])


@pytest.mark.spec("PLAT-177", "PLAT-178", "NODE-023")
async def test_a_node_behind_a_static_nat_says_its_public_address(running: Running) -> None:
    """In Contact and in the description of media, to callers."""
    await running.service.apply(dataclasses.replace(running.service._settings, translation=FARAWAY))
    peer = Peer(running.port)
    peer.send(request("INVITE", body=SDP).replace(b"sip:bob@", b"sip:meet.demo@"))
    response = b""
    while b"200 OK" not in response:
        response = await _next(peer)
    assert b"Contact: <sip:bob@203.0.113.5:" in response or b"@203.0.113.5:" in response
    assert b"c=IN IP4 203.0.113.5" in response
    assert b"127.0.0.1" not in response.partition(b"\r\n\r\n")[2]


async def test_and_to_those_it_calls(running: Running, environment: Environment) -> None:
    async with serving(environment, SipSettings(translation=FARAWAY)) as ours:
        session = call(ours, f"sip:meet.demo@127.0.0.1:{running.port};transport=tcp")
        await answered(ours, session)
        [theirs] = running.switchboard.sessions
        assert theirs.remote is not None
        assert {stream.address for stream in theirs.remote.streams} == {"203.0.113.5"}
        assert theirs.request.remote_alias == "us@203.0.113.5"
        await ended(ours, session)


# ---- without sockets

OURS = ("198.51.100.1", 5060)


def engine() -> Engine:
    return Engine(random.Random(1), {Transport.UDP: 5060, Transport.TCP: 5060})


def sent(made: Engine) -> list[tuple[Flow, Request | Response]]:
    found = []
    while (item := made.data_to_send()) is not None:
        assert isinstance(item, Transmission)
        found.append((item.flow, parse_message(item.data)))
    return found


def invite(via: str, contact: str, transport: str = "UDP", more: str = "") -> bytes:
    return (
        request("INVITE", body=OFFER, extra=more)
        .replace(b"UDP 192.0.2.1:5060", f"{transport} {via}".encode())
        .replace(b"Contact: <sip:carol@192.0.2.1>", f"Contact: <sip:carol@{contact}>".encode())
    )


@pytest.mark.spec("PLAT-103", "REF-107")
@pytest.mark.parametrize(
    ("via", "contact", "source", "reply", "later"),
    [
        ("192.168.1.5:5060;rport", "192.168.1.5:5060", ("203.0.113.9", 41000), 41000, ("203.0.113.9", 41000)),
        ("192.168.1.5:5070", "192.168.1.5:5070", ("203.0.113.9", 41000), 5070, ("203.0.113.9", 41000)),
        ("203.0.113.9:5060", "192.168.1.5:5060", ("203.0.113.9", 5060), 5060, ("203.0.113.9", 5060)),
        ("203.0.113.9:5060", "203.0.113.9:5062", ("203.0.113.9", 5060), 5060, ("203.0.113.9", 5062)),
        ("10.0.0.9:5060", "10.0.0.7:5062", ("10.0.0.9", 5060), 5060, ("10.0.0.7", 5062)),
        ("203.0.113.9:5060", "phone.example.org:5062", ("203.0.113.9", 5060), 5060, ("203.0.113.9", 5060)),
    ],
)
def test_where_we_send_to_whoever_calls_us(
    via: str, contact: str, source: tuple[str, int], reply: int, later: tuple[str, int]
) -> None:
    """Responses by RFC 3581 and 18.2.2; requests of ours to the Contact where that can be believed."""
    made = engine()
    made.receive(invite(via, contact), Flow(Transport.UDP, source, OURS), 0.0)
    event = made.next_event()
    assert isinstance(event, CallReceived)
    assert [flow.remote for flow, _ in sent(made)] == [(source[0], reply)]
    made.answer(event.call, ANSWER, 0.0)
    [(_, response)] = sent(made)
    ack = request("ACK", to_tag=response.to.tag, branch="ack")
    made.receive(ack, Flow(Transport.UDP, source, OURS), 0.1)
    made.hang_up(event.call, 0.2)
    [(flow, bye)] = sent(made)
    assert isinstance(bye, Request)
    assert (bye.method, flow.remote) == ("BYE", later)


def test_a_called_party_behind_nat_is_reached_where_its_answer_came_from() -> None:
    made = engine()
    there = Flow(Transport.UDP, ("203.0.113.9", 5066), OURS)
    name = made.invite("sip:bob@203.0.113.9:5066", "sip:us@198.51.100.1", there, OFFER, 0.0)
    [(_, asked)] = sent(made)
    made.receive(_accepted(asked, "192.168.1.5:5060"), there, 0.1)
    made.hang_up(name, 0.2)
    assert {flow.remote for flow, _ in sent(made)} == {("203.0.113.9", 5066)}


def test_a_connection_of_ours_serves_its_call_until_it_is_gone() -> None:
    """Then another one goes to the Contact."""
    made = engine()
    there = Flow(Transport.TCP, ("203.0.113.9", 5060), OURS, name="example.org")
    opened = Flow(Transport.TCP, ("203.0.113.9", 5060), ("198.51.100.1", 33333), 7)
    name = made.invite("sip:bob@203.0.113.9", "sip:us@198.51.100.1", there, OFFER, 0.0)
    [(_, asked)] = sent(made)
    made.connected(opened)
    made.receive(_accepted(asked, "203.0.113.9:5099"), opened, 0.1)
    assert [flow for flow, _ in sent(made)] == [opened]
    assert made.in_use(opened)
    made.offer(name, OFFER, 0.2)
    [(flow, _)] = sent(made)
    assert (flow, flow.name) == (opened, "example.org")
    made.disconnected(opened, 0.3)
    [(flow, bye)] = sent(made)
    assert isinstance(bye, Request)
    assert (bye.method, flow.remote, flow.connection, flow.name) == ("BYE", ("203.0.113.9", 5099), 0, "example.org")


def test_an_alias_is_believed_only_of_the_address_it_comes_from() -> None:
    """RFC 5923."""
    known = Aliases()
    known.permits = lambda *_: True
    opened = Flow(Transport.TLS, ("203.0.113.9", 41000), OURS, 7)
    wanted = Flow(Transport.TLS, ("203.0.113.9", 5061), OURS, name="example.org")
    for via in ("TLS 203.0.113.8:5061;alias", "TLS example.org;alias", "TLS 203.0.113.9:5061"):
        known.learn(parse_via(f"SIP/2.0/{via};branch=z9hG4bKx"), opened)
        assert known.over(wanted) == wanted
    known.learn(parse_via("SIP/2.0/TLS 203.0.113.9;alias;branch=z9hG4bKx"), opened)
    assert (known.over(wanted), known.over(wanted).name) == (opened, "example.org")
    assert known.over(dataclasses.replace(wanted, transport=Transport.TCP)).connection == 0
    by_tcp = Flow(Transport.TCP, ("203.0.113.9", 41001), OURS, 8)
    known.learn(parse_via("SIP/2.0/TCP 203.0.113.9;alias;branch=z9hG4bKx"), by_tcp)
    assert known.over(Flow(Transport.TCP, ("203.0.113.9", 5060), OURS)).connection == 0, "who offers it is unproved"
    known.permits = lambda *_: False
    assert known.over(wanted) == wanted
    known.permits = lambda *_: True
    known.forget(opened)
    assert known.over(wanted) == wanted


async def test_a_name_that_is_none_costs_no_time(running: Running) -> None:
    """One that IDNA refuses, to be asked for over TLS."""
    place = Place(Transport.TLS, "127.0.0.1", running.tls_port, "x" * 64 + ".example")
    async with asyncio.timeout(5):
        assert await running.service.ask(place) == 0


@pytest.mark.parametrize(
    ("source", "found", "reached"), [("203.0.113.9", "127.0.0.1", 0), ("127.0.0.9", "192.0.2.7", 1)]
)
async def test_a_response_is_not_carried_inside_for_somebody_outside(
    running: Running, monkeypatch: pytest.MonkeyPatch, source: str, found: str, reached: int
) -> None:
    """Where the connection is gone, and DNS says of its host what its owner likes."""
    driver = running.service._driver
    assert driver is not None
    tried: list[str] = []

    async def reach(flow: Flow) -> Any:
        tried.append(flow.remote[0])
        raise ConnectionRefusedError

    async def ways(_: Any) -> Any:
        yield Place(Transport.TCP, found, 25, "inside.example")

    monkeypatch.setattr(driver, "_reach", reach)
    monkeypatch.setattr(driver, "ways", ways)
    flow = Flow(Transport.TCP, (source, 4000), ("127.0.0.1", 5060), sent_by=("inside.example", 25))
    with pytest.raises(Unreachable):
        await driver._reach_any(flow)
    assert tried == [source, *[found] * reached]


def _accepted(asked: Any, contact: str) -> bytes:
    head = "".join(
        f"{name}: {value}\r\n" for name, value in asked.headers if name in ("Via", "From", "Call-ID", "CSeq")
    )
    return (
        f"SIP/2.0 200 OK\r\n{head}To: {asked.headers.get('To')};tag=bob\r\nContact: <sip:bob@{contact}>\r\n"
        f"Content-Type: application/sdp\r\nContent-Length: {len(ANSWER)}\r\n\r\n"
    ).encode() + ANSWER


async def _next(peer: Peer) -> bytes:
    return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(peer.socket, 65536), 10)
