"""Who is not heard, and what is refused unread while there is too much; whatever is in order goes on."""

from __future__ import annotations

import asyncio
import random
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.domain.abuse import Shield
from rostra.sip import gate, overload
from rostra.sip.engine import Engine
from rostra.sip.events import CallReceived, Disconnection
from rostra.sip.flow import Flow, Transport
from rostra.sip.gate import DROP, GO_ON, Gate
from rostra.sip.message import Response, parse_message
from rostra.sip.overload import LAG, LIGHT, LIGHT_IN_ALL, Overload
from tests.fuzzing import fuzzed
from tests.sip.conftest import Running

UDP = Flow(Transport.UDP, ("198.51.100.7", 5070), ("192.0.2.1", 5060))
TCP = Flow(Transport.TCP, ("198.51.100.7", 40000), ("192.0.2.1", 5060), connection=3)
ELSEWHERE = Flow(Transport.UDP, ("203.0.113.5", 5060), ("192.0.2.1", 5060))


def message(
    method: str = "INVITE", number: int = 1, to: str = "<sip:bob@192.0.2.1>", via: str = ";rport", more: str = ""
) -> bytes:
    return (
        f"{method} sip:bob@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.9:5099;branch=z9hG4bK{number}{via}\r\n{more}"
        f"From: <sip:carol@192.0.2.9>;tag=c{number}\r\nTo: {to}\r\nCall-ID: {number}\r\nCSeq: 1 {method}\r\n"
        "Contact: <sip:carol@192.0.2.9>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def shut(proven: bool = False) -> Shield:
    shield = Shield()
    for number in range(20):
        shield.wrong_alias(UDP.remote[0], f"{number}", 0, proven=proven)
    return shield


def crowded() -> Overload:
    found = Overload()
    for _ in range(100):
        found.measured(10 * LAG, 0, 0)
    return found


def look(asked: Gate, data: bytes, flow: Flow = UDP, *, device: bool = False, now: float = 1.0) -> object:
    return asked.look(data, flow, now, lambda _: device)


def test_where_all_is_calm_everything_is_read() -> None:
    asked = Gate(Overload(), Shield())
    assert look(asked, b"\x00 garbage") is GO_ON


@pytest.mark.parametrize("data", [message(), message("REGISTER"), message("OPTIONS"), message("BYE"), b"\x01\x02"])
def test_of_scanners_nothing_is_read(data: bytes) -> None:
    asked = Gate(Overload(), shut())
    assert look(asked, data) == DROP
    assert look(asked, data, ELSEWHERE) is GO_ON
    assert look(asked, data, TCP) is GO_ON, "datagrams may come from anybody"
    assert asked.dropped == 1


@pytest.mark.parametrize(
    ("data", "passes"),
    [
        (message("BYE", to="<sip:bob@192.0.2.1>;tag=x"), True),
        (message("INVITE", to='"A;tag=1" <sip:bob@192.0.2.1>'), False),
        (message("INVITE", to="<sip:bob@192.0.2.1;tag=1>"), False),
        (message("INFO", to="sip:bob@192.0.2.1 ; tag = x"), True),
        (message("BYE").replace(b"To:", b"t :").replace(b"1>\r\nCall", b"1>;TAG=x\r\nCall"), True),
        (message("CANCEL"), True),
        (message("ACK"), True),
        (b"SIP/2.0 200 OK\r\n", True),
        (message(), False),
    ],
)
def test_calls_of_a_source_that_is_shut_out_go_on(data: bytes, passes: bool) -> None:
    shield = shut()
    shield.known = lambda _: True
    assert shield.new(UDP.remote[0], 0.5, proven=False), "the narrow way is taken"
    asked = Gate(Overload(), shield)
    assert look(asked, data) == (GO_ON if passes else DROP)
    assert look(asked, data, device=True) is GO_ON, "registered devices are heard"


def test_who_may_connect() -> None:
    asked = Gate(Overload(), shut())
    assert asked.welcomes(UDP.remote[0], 1.0), "that was by datagrams"
    asked = Gate(Overload(), shut(proven=True))
    assert not asked.welcomes(UDP.remote[0], 1.0)
    assert asked.welcomes(ELSEWHERE.remote[0], 1.0)
    asked.hearing.known = lambda _: True
    assert asked.welcomes(UDP.remote[0], 1.0)


async def test_connections_of_scanners_are_closed_at_once(running: Running) -> None:
    shield = running.service._engine.gate.hearing
    for number in range(30):
        shield.wrong_alias("127.0.0.1", f"{number}", running.service._now, proven=True)
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    async with asyncio.timeout(5):
        await asyncio.gather(reader.read(), return_exceptions=True)
    writer.close()
    assert running.service.debug_state()["connections"] == 0


async def test_calls_to_nowhere_are_counted(running: Running) -> None:
    shield = running.service._engine.gate.hearing
    caller = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    caller.setblocking(False)
    caller.connect(("127.0.0.1", running.port))
    for number in range(25):
        own = b"Contact: <sip:me@127.0.0.1:%d>" % caller.getsockname()[1]
        to = message(number=number).replace(b"INVITE sip:bob@", b"INVITE sip:nobody%d@" % number)
        caller.send(to.replace(b"Contact: <sip:carol@192.0.2.9>", own))
        await running.until(lambda number=number: running.service.debug_state()["tasks"] == 0 or number > 20)
    await running.until(lambda: not shield.hears("127.0.0.1", running.service._now, proven=False))
    caller.close()


def test_systems_of_our_own_are_always_heard() -> None:
    asked = Gate(Overload(), shut())
    asked.trusted = lambda address: address == UDP.remote[0]
    assert look(asked, message()) is GO_ON
    for _ in range(1000):
        asked.unreadable(UDP, 0)
    assert look(asked, message()) is GO_ON


def test_a_refusal_is_a_response_to_the_request() -> None:
    asked = Gate(crowded(), Shield())
    given = message(via=";rport", more="Via: SIP/2.0/UDP 192.0.2.44;branch=z9hG4bKy\r\n")
    found = None
    for number in range(LIGHT + 200):
        found = look(asked, given.replace(b"Call-ID: 1", b"Call-ID: %d" % number)) or found
    assert isinstance(found, tuple)
    data, port = found
    response = parse_message(data)
    assert isinstance(response, Response)
    assert (response.status, response.headers.get("Retry-After")) == (503, str(overload.RETRY_AFTER))
    assert response.to.tag
    assert response.from_.tag == "c1"
    assert (response.via.parameter("rport"), response.via.parameter("received")) == ("5070", "198.51.100.7")
    assert len(response.headers.items("Via")) == 2
    assert port == 5070
    acknowledgement = message("ACK", to=response.headers.get("To") or "")
    assert look(asked, acknowledgement) == DROP


@pytest.mark.parametrize(
    ("via", "flow", "port"),
    [
        (b"SIP/2.0/UDP 10.0.0.9:5099;branch=z9hG4bK1", UDP, 5099),
        (b"SIP / 2.0 / UDP [2001:db8::1]:7000;branch=z9hG4bK1", UDP, 7000),
        (b"SIP/2.0/UDP [2001:db8::1]:7000;branch=z9hG4bK1", UDP, 7000),
        (b"SIP/2.0/UDP host;branch=z9hG4bK1", UDP, 5060),
        (b"SIP/2.0/UDP host:99999;branch=z9hG4bK1", UDP, 5070),
        (b"SIP/2.0/TCP 10.0.0.9:5099;branch=z9hG4bK1", TCP, 40000),
    ],
)
def test_where_a_refusal_goes(via: bytes, flow: Flow, port: int) -> None:
    data = message(via="").replace(b"SIP/2.0/UDP 10.0.0.9:5099;branch=z9hG4bK1", via)
    assert gate.refusal(data, flow)[1] == port


def test_a_repeated_request_has_the_answer_that_it_had() -> None:
    busy = Overload()
    for _ in range(100):
        busy.measured(0.8 * LAG, 0, 0)
    asked = Gate(busy, Shield())
    assert all(look(asked, message(number=number)) is GO_ON for number in range(100))
    for _ in range(100):
        busy.measured(10 * LAG, 0, 0)
    assert all(look(asked, message(number=number)) is GO_ON for number in range(100)), "these have begun"
    refused = [look(asked, message(number=number)) for number in range(100, 300)]
    assert sum(isinstance(one, tuple) for one in refused) > 180


def test_who_asks_little_is_served_while_another_floods() -> None:
    asked = Gate(crowded(), Shield())
    served = 0
    for second in range(10):
        for number in range(500):
            look(asked, message(number=second * 1000 + number), now=float(second))
        served += look(asked, message(number=second * 1000 + 998), ELSEWHERE, now=float(second)) is GO_ON
        served += look(asked, message(number=second * 1000 + 999), device=True, now=float(second)) is GO_ON
    assert served == 20, "from elsewhere, and of a registered device beside whoever floods"


def test_a_single_hiccup_refuses_nobody_and_all_is_well_again_in_seconds() -> None:
    found = Overload()
    found.measured(1000 * LAG, 0, 0)
    assert found.share == 1.0
    for _ in range(50):
        found.measured(0, 0, 0)
    found = crowded()
    assert found.share == overload.LEAST
    looks = 0
    while not found.calm:
        found.measured(0, 0, 0)
        looks += 1
    assert looks < 300, "tenths of a second"


@pytest.mark.parametrize("measured", [(10 * LAG, 0, 0), (0, 1.0, 0), (0, 0, 10 * overload.WAITING)])
def test_what_is_too_much(measured: tuple[float, float, int]) -> None:
    found = Overload()
    for _ in range(50):
        found.measured(*measured)
    assert found.share < 0.1


@fuzzed(5_000)
@given(st.binary(max_size=300), st.booleans())
def test_whatever_comes_is_looked_at(data: bytes, crowd: bool) -> None:
    shield = shut()
    shield.known = lambda _: True
    asked = Gate(crowded() if crowd else Overload(), shield)
    found = look(asked, data)
    assert found is GO_ON or isinstance(found, tuple)
    refused, port = gate.refusal(b"\r\nVia: " + data, UDP)
    assert refused.startswith(b"SIP/2.0 503 ")
    assert 0 < port < 65536


@pytest.mark.parametrize("data", [b"x", b"\r\n\r\n", b"\x00\x01", b"INVITE sip:a@b SIP/2.0\r\nTo: <sip:a@b>\r\n\r\n"])
def test_what_is_no_request_is_not_answered(data: bytes) -> None:
    """Else one octet of a forged source would send a hundred there."""
    asked = Gate(crowded(), Shield())
    found = [look(asked, data) for _ in range(LIGHT + 200)]
    assert set(found) <= {GO_ON, DROP}
    assert gate.refusal(data, UDP) == DROP


def test_who_was_refused_is_not_taken_by_a_repetition() -> None:
    found = crowded()
    refused = [number for number in range(1000) if not found.takes("192.0.2.1", number, 0.0)]
    while not found.calm:
        found.measured(0, 0, 0)
    assert not any(found.takes("192.0.2.1", number, 2.0) for number in refused)
    assert found.takes("192.0.2.1", 1000, 2.0)
    assert not found.has_refused(None, 2.0 + overload.REPEATED + 0.1)
    for number in range(2 * overload.MOST_REFUSED):
        found.refuse(number, 20.0)
    assert len(found._refused) == overload.MOST_REFUSED


def test_devices_of_ours_have_places_that_strangers_do_not_take() -> None:
    found = crowded()
    strangers = sum(found.takes(f"198.51.100.{number}", number, 0.0) for number in range(LIGHT_IN_ALL * 5))
    assert LIGHT_IN_ALL <= strangers < LIGHT_IN_ALL * 2
    flooding = sum(found.takes("192.0.2.8 5060", number, 0.5, ours=True) for number in range(6000, 6200))
    assert LIGHT <= flooding < 2 * LIGHT
    others = range(5000, 5000 + LIGHT_IN_ALL - LIGHT)
    assert all(found.takes(f"192.0.2.7 {port}", port, 0.5, ours=True) for port in others)


def test_new_requests_do_not_pass_for_repetitions() -> None:
    asked = Gate(crowded(), Shield())
    flood = [message(number=number).replace(b"Call-ID: %d" % number, b"Call-ID: 1") for number in range(1000)]
    assert sum(look(asked, one) is GO_ON for one in flood) < 100


def test_the_engine_refuses_unread_and_drops() -> None:
    engine = Engine(random.Random(1), {Transport.UDP: 5060, Transport.TCP: 5060})
    engine.gate = Gate(crowded(), Shield())
    for number in range(50):
        engine.receive(message(number=number), UDP, 1.0)
    answers = [engine.data_to_send() for _ in range(200)]
    texts = [item.data[:11] for item in answers if item is not None and not isinstance(item, Disconnection)]
    begun = sum(isinstance(engine.next_event(), CallReceived) for _ in range(100))
    assert texts.count(b"SIP/2.0 100") == begun
    assert texts.count(b"SIP/2.0 503") == 50 - begun >= 40
    engine.gate = Gate(Overload(), shut())
    engine.receive(message(number=99), UDP, 2.0)
    assert engine.data_to_send() is None


def test_who_sends_only_rubbish_is_not_heard() -> None:
    engine = Engine(random.Random(1), {Transport.UDP: 5060})
    for _ in range(250):
        engine.receive(b"INVITE nonsense SIP/2.0\r\nVia: x\r\n\r\n", UDP, 1.0)
    malformed = engine.counters.malformed
    assert malformed < 250
    engine.receive(message("OPTIONS"), ELSEWHERE, 1.0)
    assert engine.data_to_send() is not None
