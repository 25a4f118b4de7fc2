"""Requests that wait for their turn, in simulated time: a rush is served whole, and in a flood nobody waits long."""

from __future__ import annotations

import asyncio
import dataclasses
import random

import pytest

from rostra.sip.engine import Engine
from rostra.sip.events import CallReceived
from rostra.sip.flow import Flow, Transport
from rostra.sip.message import Response, parse_message
from rostra.sip.transport import arrivals
from rostra.sip.transport.arrivals import Arrivals
from rostra.sip.transport.room import FEW, MANY, OURS, RUSH, STANDING, Room, Waiting
from tests.sip.test_abuse import UDP, message

SERVING = 0.001
REFUSING = 0.000_04
TURN = 0.005


@dataclasses.dataclass
class Told:
    """What became of requests."""

    waits: list[float] = dataclasses.field(default_factory=list)
    light: int = 0
    refused: int = 0
    longest_refused: float = 0.0


def simulate(rate: float, seconds: float, *, at_once: int = 0, light: float = 0.0) -> Told:
    """A node that serves one request in `SERVING` seconds and has a turn for new ones, then others."""
    room, told, now, number, come, come_light = Room(), Told(), 0.0, 0, 0.0, 0.0
    for _ in range(at_once):
        number += 1
        room.enter(number, Waiting(b"", UDP, 0.0), MANY)
    while now < seconds or room:
        while come < min(now, seconds) and rate:
            number, come = number + 1, come + 1 / rate
            room.enter(number, Waiting(b"", UDP, come), MANY)
        while come_light < min(now, seconds) and light:
            number, come_light = number + 1, come_light + 1 / light
            room.enter(number, Waiting(b"light", UDP, come_light), FEW)
        until = now + TURN
        while now < until and (waiting := room.next()) is not None:
            now += SERVING
            told.waits.append(now - waiting.since)
            told.light += waiting.data == b"light"
        for waiting in room.surplus(now):
            now += REFUSING
            told.refused += 1
            told.longest_refused = max(told.longest_refused, now - waiting.since)
        now += 0.0001
    return told


def test_a_flood_of_five_times_what_can_be_done_leaves_nearly_all_of_it() -> None:
    told = simulate(5 / SERVING, 5.0)
    assert len(told.waits) > 0.8 * 5.0 / SERVING
    late = sorted(told.waits)[-len(told.waits) // 20]
    assert late < 0.9, "but for the rush that it begins as"
    assert sorted(told.waits[-1000:])[-50] < 0.1, "who is served then has not waited"
    assert told.refused > 15_000
    assert told.longest_refused < 1.0


@pytest.mark.parametrize(("rate", "at_once"), [(0.0, 450), (0.5 / SERVING, 300), (0.95 / SERVING, 0)])
def test_a_rush_is_served_whole(rate: float, at_once: int) -> None:
    told = simulate(rate, 3.0, at_once=at_once)
    assert told.refused == 0
    assert max(told.waits) < 1.0


def test_who_asks_little_is_served_while_others_flood() -> None:
    told = simulate(5 / SERVING, 3.0, light=100)
    assert told.light in (299, 300, 301)


def test_the_room_is_bounded_also_for_those_who_ask_little() -> None:
    room = Room()
    for number in range(3 * RUSH):
        room.enter(number, Waiting(b"", UDP, 0.0), FEW)
    assert sum(1 for _ in room.surplus(0.0)) == 2 * RUSH
    assert room.next() is not None


def test_the_oldest_are_refused_first() -> None:
    room = Room()
    room.enter(-1, Waiting(b"light", UDP, 0.0), FEW)
    for number in range(RUSH + 10):
        room.enter(number, Waiting(b"%d" % number, UDP, 0.0), MANY)
    assert [waiting.data for waiting in room.surplus(0.0)] == [b"%d" % number for number in range(11)]
    assert list(room.surplus(1.0)) == []
    assert sum(1 for _ in room.surplus(2.0)) == RUSH - STANDING, "it was no rush"
    for _ in range(STANDING):
        assert room.next()
    assert list(room.surplus(2.0)) == []
    assert not room.standing


def test_strangers_however_many_take_no_place_of_those_whom_the_node_knows() -> None:
    room, now = Room(), 0.0
    for number in range(-10, 0):
        room.enter(number, Waiting(b"ours", UDP, 0.0), OURS)
    for number in range(10 * RUSH):
        room.enter(number, Waiting(b"", UDP, now), MANY if number % 50 else FEW)
        if number % 100 == 0:
            now += 0.02
            assert not any(refused.data for refused in room.surplus(now))
    assert room.standing
    list(room.surplus(now))
    assert len(room) == STANDING
    assert [waiting.data for _ in range(11) if (waiting := room.next())] == [b"ours"] * 10 + [b""]


class Node:
    """An engine behind arrivals, with what it sends at once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.engine = Engine(random.Random(1), {Transport.UDP: 5060})
        self.sent: list[Response] = []
        self.calls = 0
        self.arrivals = Arrivals(self.engine, self._feed, self._send, self._pump)
        monkeypatch.setattr(arrivals, "TURN", 0.0)
        self.began = asyncio.get_running_loop().time()

    def _feed(self, data: bytes, flow: Flow) -> None:
        self.engine.receive(data, flow, 1.0)

    def _send(self, data: bytes, remote: tuple[str, int]) -> None:
        del remote
        answer = parse_message(data)
        assert isinstance(answer, Response)
        self.sent.append(answer)

    def _pump(self) -> None:
        while (event := self.engine.next_event()) is not None:
            self.calls += isinstance(event, CallReceived)
        while (item := self.engine.data_to_send()) is not None:
            self._send(item.data, ("", 0))  # type: ignore[union-attr]

    def take(self, *datagrams: bytes) -> None:
        for data in datagrams:
            self.arrivals.take(data, UDP, self.began)
        self.arrivals.turn_over()

    async def idle(self) -> None:
        async with asyncio.timeout(10):
            while self.arrivals._room:  # noqa: ASYNC110 - turns of the loop are what is waited for
                await asyncio.sleep(0)


async def test_what_repeats_waits_once_and_what_ends_a_request_does_not_overtake_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    node = Node(monkeypatch)
    cancel = message("CANCEL", number=3).replace(b"CSeq: 1 INVITE", b"CSeq: 1 CANCEL")
    node.take(*[message(number=number) for number in range(10)] * 3, cancel)
    await node.idle()
    assert node.calls == 10
    assert {answer.status for answer in node.sent} == {100}
    node.take(cancel)
    await node.idle()
    assert [answer.status for answer in node.sent[-2:]] == [200, 487]


async def test_calls_that_run_are_served_before_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    node = Node(monkeypatch)
    node.take(message(number=999))
    await node.idle()
    ((_, tag, _),) = node.engine._dialogs
    bye = message("BYE", number=999, to=f"<sip:bob@192.0.2.1>;tag={tag}").replace(b"CSeq: 1 ", b"CSeq: 2 ")
    node.take(*[message(number=number) for number in range(50)], bye)
    assert [answer.headers.get("CSeq") for answer in node.sent[1:]] == ["2 BYE", "1 INVITE"]
    assert {answer.call_id for answer in node.sent} == {"999"}, "nobody else was answered yet"
    await node.idle()
    assert node.calls == 51


async def test_what_only_claims_to_belong_to_calls_waits_like_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a flood of it would be served before everybody."""
    node = Node(monkeypatch)
    made_up = "<sip:bob@192.0.2.1>;tag=x"
    forged = [message(method, number=number, to=made_up) for number in range(RUSH) for method in ("BYE", "INVITE")]
    answers = [b"SIP/2.0 200 OK" + message(number=number)[33:] for number in range(500)]
    acknowledging = [message("ACK", number=number, to=made_up) for number in range(500)]
    node.take(*forged, *answers, *acknowledging)
    assert node.sent == []
    node.arrivals._serve()
    refused = [answer for answer in node.sent if answer.status == 503]
    assert len(refused) > RUSH - 100
    assert {answer.to.tag for answer in refused} == {"x"}
    assert {answer.headers.get("CSeq") for answer in node.sent} <= {"1 BYE", "1 INVITE"}, "nothing else is answered"
    node.arrivals.close()


async def test_those_for_whom_there_is_no_room_are_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    node = Node(monkeypatch)
    node.take(*[message(number=number) for number in range(RUSH + 100)])
    node.arrivals._serve()
    refused = [answer for answer in node.sent if answer.status == 503]
    assert len(refused) == node.engine.gate.overload.refused == 99
    assert all(answer.headers.get("Retry-After") for answer in refused)
    before = len(node.sent)
    node.arrivals.take(message("ACK", to=refused[0].headers.get("To") or ""), UDP, node.began)
    assert len(node.sent) == before
    await node.idle()
    begun = node.calls
    node.take(message(number=int(refused[0].call_id)))
    await node.idle()
    assert node.calls == begun, "a repetition on its way begins nothing"
    assert node.sent[-1].encode() == refused[0].encode()
    node.take(message(number=int(refused[0].call_id)).replace(b"branch=z9hG4bK", b"branch=z9hG4bKnew"))
    await node.idle()
    assert node.calls == begun + 1, "another attempt does"
