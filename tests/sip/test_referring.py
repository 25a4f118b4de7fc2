"""Transfers: REFER in both roles, calls that replace others, and why calls end (RFC 3515, 3891, 4488, 3326)."""

from __future__ import annotations

import pytest

from rostra.sip import reasons
from rostra.sip.errors import RemoteError
from rostra.sip.events import CallEnded, CallReceived, ReferReceived, Referred
from rostra.sip.headers import Headers
from rostra.sip.replacing import Replaces, of_uri, parse_replaces
from rostra.sip.uri import parse_uri
from tests.sip.by_hand import by_hand, last_reply, replies, request, sent_by
from tests.sip.network import OFFER, Network, answering, describe, established

TO = "Refer-To: <sip:carl@192.0.2.9>\r\n"


def referred(network: Network, tag: str, extra: str = TO, cseq: int = 2) -> ReferReceived:
    """Carol wants bob to call somebody."""
    network.inject(network.bob, request("REFER", cseq=cseq, to_tag=tag, extra=extra))
    event = network.bob.last(ReferReceived)
    assert isinstance(event, ReferReceived)
    return event


def notifications(network: Network) -> list[tuple[str, str, bytes]]:
    found = sent_by(network, "bob", "NOTIFY")
    return [(one.headers.get("Event") or "", one.headers.get("Subscription-State") or "", one.body) for one in found]


def test_the_far_end_has_us_call_somebody_and_hears_of_it() -> None:
    network, tag = by_hand()
    event = referred(network, tag, TO + "Referred-By: <sip:carol@192.0.2.1>\r\n")
    assert (str(event.target), event.by, event.replaces) == ("sip:carl@192.0.2.9", "<sip:carol@192.0.2.1>", None)
    for status in (100, 200, 200):
        network.bob.engine.report(event.call, event.name, status, network.now)
        network.run(network.now + 0.1)
    assert replies(network).count("202 REFER") == 1
    assert notifications(network) == [
        ("refer", "active;expires=60", b"SIP/2.0 100 Trying\r\n"),
        ("refer", "terminated;reason=noresource", b"SIP/2.0 200 OK\r\n"),
    ]


def test_two_transfers_are_told_apart() -> None:
    network, tag = by_hand()
    for cseq in (2, 3):
        event = referred(network, tag, cseq=cseq)
        network.bob.engine.report(event.call, event.name, 404, network.now) if cseq == 2 else (
            network.bob.engine.report(event.call, event.name, 100, network.now)
        )
        network.run(network.now + 0.1)
    assert "404 REFER" in replies(network)
    assert [event for event, _, _ in notifications(network)] == ["refer;id=3"]


def test_who_does_not_want_to_hear_of_it_does_not() -> None:
    """RFC 4488."""
    network, tag = by_hand()
    event = referred(network, tag, TO + "Refer-Sub: false\r\n")
    for status in (100, 200):
        network.bob.engine.report(event.call, event.name, status, network.now)
        network.run(network.now + 0.1)
    accepted = next(m for _, _, m in network.wire if describe(m) == "202 REFER")
    assert accepted.headers.get("Refer-Sub") == "false"
    assert notifications(network) == []


@pytest.mark.parametrize(
    "extra",
    [
        "",
        TO + TO,
        "Refer-To: <tel:+49301>\r\n",
        "Refer-To: <sip:c@d;method=BYE>\r\n",
        "Refer-To: %\r\n",
        "Refer-To: <sip:c@d?Replaces=a%3Bto-tag%3Db>\r\n",
    ],
)
def test_what_cannot_be_called_is_refused(extra: str) -> None:
    network, tag = by_hand()
    network.inject(network.bob, request("REFER", cseq=2, to_tag=tag, extra=extra))
    assert replies(network)[-1] == "400 REFER"
    assert "ReferReceived" not in network.bob.kinds()


def test_transfers_without_a_call_are_not_for_us() -> None:
    network = Network()
    network.inject(network.bob, request("REFER", extra=TO))
    assert replies(network) == ["403 REFER"]


def test_a_far_end_that_asks_without_end_is_busy_enough() -> None:
    network, tag = by_hand()
    for cseq in range(2, 9):
        network.inject(network.bob, request("REFER", cseq=cseq, to_tag=tag, extra=TO))
    assert network.bob.kinds().count("ReferReceived") == 4
    assert replies(network)[-1] == "486 REFER"


def test_an_attended_transfer_names_the_call_to_replace() -> None:
    network, tag = by_hand()
    extra = "Refer-To: <sip:carl@192.0.2.9?Replaces=12%40host%3Bto-tag%3Dthere%3Bfrom-tag%3Dhere>\r\n"
    assert referred(network, tag, extra).replaces == Replaces("12@host", "there", "here")


# ---- we have the far end call somebody ---------------------------------------------------------------------------


def test_we_send_the_far_end_elsewhere_and_read_what_comes_of_it() -> None:
    network, call, other = established()
    assert network.alice.engine.takes(call, "REFER")
    assert network.alice.engine.refer(call, "sip:dan@192.0.2.9", "<sip:meet@192.0.2.1>", network.now)
    network.run(2.0)
    event = network.bob.last(ReferReceived)
    assert isinstance(event, ReferReceived)
    assert (event.call, str(event.target), event.by) == (other, "sip:dan@192.0.2.9", "<sip:meet@192.0.2.1>")
    for status in (100, 180, 200):
        network.bob.engine.report(other, event.name, status, network.now)
        network.run(network.now + 1)
    assert [one for one in network.alice.events if isinstance(one, Referred)] == [
        Referred(call, 100), Referred(call, 180), Referred(call, 200, over=True)
    ]  # fmt: skip


def test_a_far_end_that_will_not_go_says_so() -> None:
    network, call, other = established()
    network.alice.engine.refer(call, "sip:dan@192.0.2.9", "<sip:a@b>", network.now)
    network.run(2.0)
    network.bob.engine.report(other, network.bob.last(ReferReceived).name, 603, network.now)  # type: ignore[union-attr]
    network.run(3.0)
    assert network.alice.events[-1] == Referred(call, 603, over=True)
    network.lose = lambda sender, message: True
    network.alice.engine.refer(call, "sip:dan@192.0.2.9", "<sip:a@b>", network.now)
    network.run(60.0)
    assert network.alice.events[-1] == Referred(call, 408, over=True)
    assert "CallEnded" not in network.alice.kinds()


def test_a_far_end_that_does_not_transfer_is_not_asked() -> None:
    network = Network()
    answering(network, network.bob)
    network.inject(network.bob, request("INVITE", body=OFFER, extra="Allow: INVITE, ACK, BYE\r\n"))
    network.inject(network.bob, request("ACK", to_tag=last_reply(network).to.tag, branch="ack"))
    call = network.bob.events[0].call  # type: ignore[union-attr]
    assert not network.bob.engine.takes(call, "REFER")
    assert not network.bob.engine.refer(call, "sip:dan@192.0.2.9", "<sip:a@b>", network.now)
    assert not network.bob.engine.refer("unknown", "sip:dan@192.0.2.9", "<sip:a@b>", network.now)


@pytest.mark.parametrize(
    ("event", "status"),
    [("refer", "481 NOTIFY"), ("refer;id=9", "481 NOTIFY"), ("dialog", "489 NOTIFY"), ("", "489 NOTIFY")],
)
def test_notifications_of_nothing(event: str, status: str) -> None:
    network, tag = by_hand()
    extra = f"Event: {event}\r\nSubscription-State: active\r\n"
    network.inject(network.bob, request("NOTIFY", cseq=2, to_tag=tag, extra=extra))
    assert replies(network)[-1] == status
    assert (last_reply(network).headers.get("Allow-Events") == "refer") == (status[:3] == "489")


# ---- calls in place of others ------------------------------------------------------------------------------------


def replacing(network: Network, tag: str, *, extra: str = "", call_id: str = "by-hand") -> None:
    """Carl calls bob in place of carol."""
    header = f"Replaces: {call_id};to-tag={tag};from-tag=carol{extra}\r\n"
    second = request("INVITE", extra=header, body=OFFER, branch="second")
    network.inject(
        network.bob, second.replace(b"Call-ID: by-hand", b"Call-ID: carls").replace(b";tag=carol\r", b";tag=carl\r")
    )


def test_a_call_takes_the_place_of_another() -> None:
    network, tag = by_hand()
    replacing(network, tag)
    first, second = [event for event in network.bob.events if isinstance(event, CallReceived)]
    assert second.replaces == first.call


@pytest.mark.parametrize(
    ("tag", "extra", "call_id", "status"),
    [
        ("", ";early-only", "by-hand", "486 INVITE"),
        ("unknown", "", "by-hand", "481 INVITE"),
        ("", "", "another", "481 INVITE"),
        ("", "\r\nReplaces: a;to-tag=b;from-tag=c", "by-hand", "400 INVITE"),
        ("", "\r\nJoin: a;to-tag=b;from-tag=c", "by-hand", "400 INVITE"),
    ],
)
def test_calls_that_cannot_take_a_place(tag: str, extra: str, call_id: str, status: str) -> None:
    network, own = by_hand()
    replacing(network, tag or own, extra=extra, call_id=call_id)
    assert replies(network)[-1] == status


def test_a_call_that_still_rings_cannot_be_replaced() -> None:
    network = Network()
    network.inject(network.bob, request("INVITE", body=OFFER))
    network.bob.engine.ring(network.bob.events[0].call, network.now)  # type: ignore[union-attr]
    network.run(0.1)
    replacing(network, last_reply(network).to.tag)
    assert replies(network)[-1] == "481 INVITE"


@pytest.mark.parametrize(
    "text", ["", "a", "a;to-tag=b", "a;from-tag=b", ";to-tag=a;from-tag=b", "a,b;to-tag=c;from-tag=d", "a" * 600]
)
def test_unusable_replaces(text: str) -> None:
    with pytest.raises(RemoteError):
        parse_replaces(text)


def test_replaces_as_it_is_written() -> None:
    found = parse_replaces(" 1@h ; from-tag=f;to-tag=t;early-only;other=1")
    assert (found.key, str(found)) == (("1@h", "t", "f"), "1@h;to-tag=t;from-tag=f;early-only")
    assert of_uri(parse_uri("sip:a@b?Subject=x&replaces=1%40h%3Bto-tag%3Dt%3Bfrom-tag%3Df")) == Replaces(
        "1@h", "t", "f"
    )
    assert of_uri(parse_uri("sip:a@b?Subject=x")) is None


# ---- reasons -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (['Q.850;cause=16;text="Terminated"'], "Q.850 16 Terminated"),
        (['SIP ;cause=200 ;text="a \\"b\\", c"', "Q.850;cause=26"], 'SIP 200 a "b", c; Q.850 26'),
        (["preemption"], "preemption"),
        (['SIP;text="open'], ""),
        ([], ""),
    ],
)
def test_reasons_read(values: list[str], said: str) -> None:
    assert reasons.said(Headers([("Reason", value) for value in values])) == said


@pytest.mark.parametrize("text", ["", "Conference terminated by a Host", 'a "quoted" \\ one', "ä\r\nX: y", "x" * 500])
def test_reasons_written_can_be_read(text: str) -> None:
    plain = "".join(c for c in text if " " <= c <= "~")
    for value in (reasons.ending(text), reasons.cancelling(text)):
        assert plain[:60] in reasons.said(Headers([("Reason", value)]))
    assert reasons.cancelling("Call answered elsewhere") == reasons.ELSEWHERE


def test_the_far_end_is_told_why_and_says_why() -> None:
    network, call, other = established()
    network.alice.engine.hang_up(call, network.now, "Disconnected by an administrator")
    network.run(3.0)
    ended = network.bob.events[-1]
    assert isinstance(ended, CallEnded)
    assert (ended.call, ended.said) == (other, "Q.850 16 Disconnected by an administrator")
