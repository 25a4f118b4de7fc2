"""What somebody sends who means harm: nothing holds up the node, is left behind, or gets into messages of ours."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import structlog.testing

from rostra.sdp.reading import parse_parameters, read
from rostra.sip import digest
from rostra.sip.dialog import without_tag
from rostra.sip.errors import RemoteError
from rostra.sip.flow import Flow, Transport
from rostra.sip.info import digits
from rostra.sip.limits import MAX_TRANSACTIONS
from rostra.sip.overload import Overload
from rostra.sip.replacing import parse_replaces
from rostra.sip.timers import LEAST_ROOM, Timers
from rostra.sip.transport.driver import Driver
from rostra.sip.uri import parse_name_addr, parse_uri
from tests.sip.by_hand import alone, by_hand, last_reply, reply, request, sent_by
from tests.sip.network import ANSWER, OFFER, Network, answering, describe

LONG = 30_000
_NUMBERS = range(128)
_FEEDBACK = "".join(
    [
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n",
        f"m=video 4000 RTP/AVPF {' '.join(map(str, _NUMBERS))}\r\n",
        *(f"a=rtpmap:{number} VP8/90000\r\n" for number in _NUMBERS),
        *(f"a=rtcp-fb:* {number}\r\n" for number in range(1850)),
    ]
)


@pytest.mark.parametrize(
    "work",
    [
        pytest.param(lambda: parse_parameters("a" + " " * LONG + "b"), id="spaces within fmtp"),
        pytest.param(lambda: read(_FEEDBACK), id="feedback of every kind for every codec"),
        pytest.param(lambda: digest.parameters("Digest " + "a" * LONG), id="credentials without any end"),
        pytest.param(lambda: digits("application/dtmf-relay", b"\n" * LONG), id="an INFO of empty lines"),
    ],
)
def test_no_text_holds_up_the_node(work: Callable[[], object]) -> None:
    began = time.thread_time()
    work()
    assert time.thread_time() - began < 0.5


@pytest.mark.parametrize("bad", ["\r\nX: y", " ", '"', "<", "\0"])
def test_headers_of_an_address_end_no_line_of_ours(bad: str) -> None:
    with pytest.raises(RemoteError):
        parse_uri(f"sip:a@example.com?subject=x{bad}")


def test_tags_of_a_call_to_replace_end_no_line_of_ours() -> None:
    with pytest.raises(RemoteError):
        parse_replaces('a;to-tag="\r\nP-Asserted-Identity: <sip:b@example.com>\r\nX: ";from-tag=c')


ODD = 'From: <sip:carol@192.0.2.1>;odd="a;tag=b";tag=carol'


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("<sip:a@example.com>;tag=1", "<sip:a@example.com>"),
        ("sip:a@example.com;tag=1;x=y", "<sip:a@example.com>;x=y"),
        ('"a > b" <sip:a@example.com>;x;tag=1', '"a > b" <sip:a@example.com>;x'),
        (ODD.partition(" ")[2], '<sip:carol@192.0.2.1>;odd="a;tag=b"'),
        ('sip:a@example.com;odd="a;tag=b";tag=1', '<sip:a@example.com>;odd="a;tag=b"'),
    ],
)
def test_addresses_lose_their_tag_and_nothing_else(value: str, address: str) -> None:
    assert without_tag(value) == address
    parse_name_addr(address)


def _odd(data: bytes) -> bytes:
    return data.replace(b"From: <sip:carol@192.0.2.1>;tag=carol", ODD.encode())


def test_an_odd_address_of_the_caller_does_no_harm_later() -> None:
    network = Network()
    answering(network, network.bob)
    network.inject(network.bob, _odd(request("INVITE", body=OFFER)))
    tag = last_reply(network).to.tag
    network.inject(network.bob, _odd(request("ACK", to_tag=tag, branch="other")))
    network.inject(network.bob, _odd(request("INVITE", cseq=2, to_tag=tag, body=OFFER)))
    assert describe(last_reply(network)) == "200 INVITE"


@pytest.mark.parametrize(("problem", "status"), [(RemoteError("odd"), 400), (ValueError("ours"), 500)])
def test_a_request_that_fails_is_answered_and_forgotten(
    problem: Exception, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, tag = by_hand()

    def fail(*_: object) -> None:
        raise problem

    monkeypatch.setattr("rostra.sip.call.Call.receive", fail)
    try:
        network.inject(network.bob, request("INFO", cseq=2, to_tag=tag))
    except ValueError:
        network.run(network.now)
    assert describe(last_reply(network)) == f"{status} INFO"
    network.run(network.now + 33.0)
    assert network.bob.engine.load[0] == 0


def test_a_route_that_cannot_be_used_leaves_no_call_behind() -> None:
    network = alone()
    with pytest.raises(RemoteError):
        network.alice.engine.invite(
            "sip:bob@192.0.2.2", "sip:alice@192.0.2.1", network.alice.flow, OFFER, 0.0, routes=("edge",)
        )
    assert network.alice.engine.load == (0, 0)


def test_timers_that_were_cancelled_do_not_pile_up() -> None:
    timers = Timers()
    kept = [timers.set(1e9, lambda _: None) for _ in range(10)]
    for _ in range(100 * LEAST_ROOM):
        timers.set(1e9, lambda _: None).cancel()
    assert len(timers) == len(kept)
    assert len(timers._heap) <= LEAST_ROOM


def test_tags_of_an_invite_that_was_sent_anew_are_forgotten() -> None:
    network = alone()
    engine = network.alice.engine
    call = engine.invite(
        "sip:bob@192.0.2.2", "sip:alice@192.0.2.1", network.alice.flow, OFFER, 0.0, credentials=lambda _: ("a", "b")
    )
    network.run(0.0)
    (invite,) = sent_by(network, "alice", "INVITE")
    reply(network, network.alice, invite, 180, tag="one", extra="Contact: <sip:b@192.0.2.2>\r\n")
    challenge = 'WWW-Authenticate: Digest realm="r", nonce="n"\r\n'
    reply(network, network.alice, invite, 401, tag="one", extra=challenge)
    again = sent_by(network, "alice", "INVITE")[1]
    reply(network, network.alice, again, 200, tag="two", extra="Contact: <sip:b@192.0.2.2>\r\n", body=ANSWER)
    engine.hang_up(call, network.now)
    assert engine._dialogs == {}


def test_a_refresh_that_meets_an_offer_is_tried_again_as_a_refresh() -> None:
    network = Network()
    answering(network, network.bob)
    timer = "Session-Expires: 120;refresher=uas\r\nSupported: timer\r\nAllow: INVITE, ACK, BYE\r\n"
    network.inject(network.bob, request("INVITE", body=OFFER, extra=timer))
    network.inject(network.bob, request("ACK", to_tag=last_reply(network).to.tag, branch="ack"))
    network.lose = lambda sender, message: True
    network.run(60.1)
    reply(network, network.bob, sent_by(network, "bob", "INVITE")[0], 491)
    network.run(63.0)
    again = sent_by(network, "bob", "INVITE")[1]
    assert again.body == ANSWER
    reply(network, network.bob, again, 200, extra="Session-Expires: 120;refresher=uac\r\n", body=OFFER)
    assert network.bob.kinds() == ["CallReceived", "CallConfirmed"]


def test_connections_that_end_cost_little_while_there_is_much_by_datagrams() -> None:
    network = Network()
    engine = network.bob.engine
    for number in range(2000):
        network.inject(network.bob, request("OPTIONS", cseq=number + 1))
    began = time.thread_time()
    for number in range(1, 1000):
        flow = Flow(Transport.TCP, ("192.0.2.9", 1024 + number), ("192.0.2.2", 5060), number)
        engine.connected(flow)
        engine.disconnected(flow, network.now)
    assert time.thread_time() - began < 0.3


@pytest.mark.parametrize("status", [491, 500])
def test_a_refresh_that_comes_at_a_bad_time_is_tried_again(status: int) -> None:
    network = Network()
    answering(network, network.bob)
    timer = "Session-Expires: 120;refresher=uas\r\nSupported: timer\r\n"
    network.inject(network.bob, request("INVITE", body=OFFER, extra=timer))
    network.inject(network.bob, request("ACK", to_tag=last_reply(network).to.tag, branch="ack"))
    network.lose = lambda sender, message: True
    network.run(60.1)
    reply(network, network.bob, sent_by(network, "bob", "UPDATE")[0], status)
    network.run(71.0)
    again = sent_by(network, "bob", "UPDATE")[1]
    reply(network, network.bob, again, 200, extra="Session-Expires: 120;refresher=uac\r\n")
    network.run(121.0)
    assert network.bob.kinds() == ["CallReceived", "CallConfirmed"]


def test_whoever_hangs_up_is_heard_when_there_is_no_room_for_new_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    network, tag = by_hand()
    monkeypatch.setattr("rostra.sip.transactions.MAX_TRANSACTIONS", 1)
    monkeypatch.setattr("rostra.sip.transactions.KEPT_FREE", 1)
    network.inject(network.bob, request("OPTIONS"))
    assert describe(last_reply(network)) == "503 OPTIONS"
    network.inject(network.bob, request("BYE", cseq=2, to_tag=tag))
    assert describe(last_reply(network)) == "200 BYE"
    monkeypatch.setattr("rostra.sip.transactions.MAX_TRANSACTIONS", 0)
    network.inject(network.bob, request("BYE", cseq=3, to_tag="nobody"))
    assert describe(last_reply(network)) == "503 BYE"


def test_what_is_over_keeps_nobody_out_and_takes_no_more_room_than_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network()
    engine = network.bob.engine
    for name in ("MAX_TRANSACTIONS", "MAX_REMAINS"):
        monkeypatch.setattr(f"rostra.sip.transactions.{name}", 10)
    monkeypatch.setattr("rostra.sip.transactions.KEPT_FREE", 1)
    for number in range(200):
        network.inject(network.bob, request("BYE" if number % 2 else "OPTIONS", cseq=number + 1))
        assert describe(last_reply(network))[:3] != "503"
        assert engine.load[0] <= 10
        assert engine.crowd == 0.0
    again = last_reply(network).encode()
    network.inject(network.bob, request("BYE", cseq=200))
    assert last_reply(network).encode() == again, "the newest are answered as before"
    network.run(network.now + 40.0)
    assert (engine.load[0], len(engine.timers)) == (0, 0)


def test_a_room_that_fills_up_is_closed_to_those_who_ask_much() -> None:
    network = Network()
    for number in range(5):
        network.inject(network.bob, request("INVITE", cseq=number + 1))
    assert network.bob.engine.crowd == 5 / MAX_TRANSACTIONS
    found = Overload()
    for _ in range(200):
        found.measured(0, 0, 0, crowd=0.9)
    assert found.share < 0.1


async def test_an_error_of_ours_is_logged_without_what_is_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network()

    def fail(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr(network.bob.engine, "receive", fail)
    monkeypatch.setattr(network.bob.engine, "handle_timer", fail)
    driver = Driver(network.bob.engine, lambda _: None)
    keyed = request("INVITE", body=OFFER + b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0\r\n")
    with structlog.testing.capture_logs() as logs:
        driver._feed(keyed, network.bob.flow)
        driver._tick()
    assert [entry["event"] for entry in logs] == ["sip_internal_error"] * 2
    assert "c2VjcmV0" not in repr(logs)
    assert driver.internal_errors == 2
