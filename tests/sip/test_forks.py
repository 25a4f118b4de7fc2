"""A proxy calls several places for one INVITE of ours: one of them is it (RFC 3261 13.2.2.4)."""

from __future__ import annotations

import pytest

from rostra.sip.events import CallAnswered, CallEnded
from rostra.sip.message import Request
from tests.sip.by_hand import alone, reply, sent_by
from tests.sip.network import ANSWER, Network, dial


def forked(network: Network) -> tuple[str, Request]:
    """Two places ring."""
    call = dial(network)
    network.run(0.0)
    (invite,) = sent_by(network, "alice", "INVITE")
    for tag in ("one", "two"):
        reply(network, network.alice, invite, 180, tag=tag, extra=contact(tag))
    return call, invite


def contact(tag: str) -> str:
    return f"Contact: <sip:{tag}@192.0.2.2>\r\n"


def test_the_first_to_answer_has_the_call_and_the_others_are_thanked() -> None:
    network = alone()
    call, invite = forked(network)
    for tag in ("two", "one", "three"):
        reply(network, network.alice, invite, 200, tag=tag, extra=contact(tag), body=ANSWER)
    assert [event for event in network.alice.events if isinstance(event, CallAnswered)] == [CallAnswered(call, ANSWER)]
    assert [(ack.uri, ack.to.tag) for ack in sent_by(network, "alice", "ACK")] == [
        (f"sip:{tag}@192.0.2.2", tag) for tag in ("two", "one", "three")
    ]
    gone = sent_by(network, "alice", "BYE")
    assert [bye.to.tag for bye in gone] == ["one", "three"]
    assert gone[0].headers.get("Reason") == 'SIP;cause=200;text="Call completed elsewhere"'
    network.alice.engine.hang_up(call, network.now)
    network.run(0.1)
    assert sent_by(network, "alice", "BYE")[-1].to.tag == "two"
    network.run(100.0)
    state = network.alice.engine.debug_state()
    assert (state["calls"], state["transactions"], state["timers"]) == ({}, 0, 0)


@pytest.mark.spec("REF-127")
def test_an_answer_that_comes_again_is_acknowledged_again_and_no_more() -> None:
    network = alone()
    _, invite = forked(network)
    for tag in ("one", "two", "two"):
        reply(network, network.alice, invite, 200, tag=tag, extra=contact(tag), body=ANSWER)
    acks = [m for _, who, m in network.wire if who == "alice" and isinstance(m, Request) and m.method == "ACK"]
    assert [ack.to.tag for ack in acks] == ["one", "two", "two"]
    assert len(sent_by(network, "alice", "BYE")) == 1


@pytest.mark.parametrize("late", [1.0, 33.0], ids=["while it is cancelled", "after it was given up"])
def test_an_answer_to_a_call_that_is_over_is_ended(late: float) -> None:
    network = alone()
    call, invite = forked(network)
    network.alice.engine.hang_up(call, network.now, "No answer")
    network.run(late)
    assert sent_by(network, "alice", "CANCEL")[0].headers.get("Reason") == 'SIP;cause=487;text="No answer"'
    for tag in ("one", "two"):
        reply(network, network.alice, invite, 200, tag=tag, extra=contact(tag), body=ANSWER)
    assert {ack.to.tag for ack in sent_by(network, "alice", "ACK")} == {"one", "two"}
    assert {bye.to.tag for bye in sent_by(network, "alice", "BYE")} == {"one", "two"}
    assert not any(isinstance(event, CallAnswered) for event in network.alice.events)
    assert isinstance(network.alice.events[-1], CallEnded)


def test_more_places_than_can_be_told_apart_are_left_alone() -> None:
    network = alone()
    call = dial(network)
    network.run(0.0)
    (invite,) = sent_by(network, "alice", "INVITE")
    for number in range(40):
        reply(network, network.alice, invite, 180, tag=f"t{number}", extra="Require: 100rel\r\nRSeq: 1\r\n")
    assert len(sent_by(network, "alice", "PRACK")) == 16
    reply(network, network.alice, invite, 200, tag="t39", extra=contact("t39"), body=ANSWER)
    assert network.alice.events[-1] == CallAnswered(call, ANSWER)


def test_requests_of_a_place_that_lost_belong_to_no_call() -> None:
    network = alone()
    _, invite = forked(network)
    reply(network, network.alice, invite, 200, tag="one", extra=contact("one"), body=ANSWER)
    for tag, status in (("two", "481 INFO"), ("one", "200 INFO")):
        network.inject(
            network.alice,
            (
                f"INFO sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK{tag}\r\n"
                f"From: <sip:bob@192.0.2.2>;tag={tag}\r\nTo: <sip:alice@192.0.2.1>;tag={invite.from_.tag}\r\n"
                f"Call-ID: {invite.call_id}\r\nCSeq: 1 INFO\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
            ).encode(),
        )
        assert network.sent("alice", status)


def test_a_place_that_rings_cannot_hang_up() -> None:
    network = alone()
    call, invite = forked(network)
    network.inject(
        network.alice,
        (
            "BYE sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKbye\r\nMax-Forwards: 70\r\n"
            f"From: <sip:bob@192.0.2.2>;tag=one\r\nTo: <sip:alice@192.0.2.1>;tag={invite.from_.tag}\r\n"
            f"Call-ID: {invite.call_id}\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n"
        ).encode(),
    )
    assert network.sent("alice", "481 BYE")
    reply(network, network.alice, invite, 200, tag="one", extra=contact("one"), body=ANSWER)
    assert network.alice.events[-1] == CallAnswered(call, ANSWER)
