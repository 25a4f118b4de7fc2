"""Provisional responses that are acknowledged, early media, and offers before the answer (RFC 3262, 3311)."""

from __future__ import annotations

import pytest

from rostra.sip.events import CallAnswered, CallEnded, CallProgressed, OfferReceived
from rostra.sip.message import Response
from tests.sip.by_hand import alone, last_reply, replies, reply, request, sent_by
from tests.sip.network import ANSWER, OFFER, Network, describe, dial

SUPPORTED, REQUIRED = "Supported: 100rel\r\n", "Require: 100rel\r\n"
OTHER = ANSWER.replace(b"5000", b"6000")


def incoming(extra: str, body: bytes = OFFER) -> tuple[Network, str]:
    """A call of carol's that bob has not answered, and its name."""
    network = Network()
    network.inject(network.bob, request("INVITE", extra=extra, body=body))
    return network, network.bob.events[0].call  # type: ignore[union-attr]


def prack(network: Network, *, cseq: int = 2, body: bytes = b"", number: int = 0) -> None:
    """Acknowledge what bob said last."""
    said = [message for _, sender, message in network.wire if sender == "bob" and "18" in describe(message)][-1]
    rack = f"RAck: {number or said.headers.get('RSeq')} 1 INVITE\r\n"
    network.inject(network.bob, request("PRACK", cseq=cseq, to_tag=said.to.tag, extra=rack, body=body))


def test_nothing_is_sent_reliably_to_who_does_not_ask_for_it() -> None:
    network, call = incoming(SUPPORTED)
    network.bob.engine.ring(call, network.now)
    network.run(3.0)
    assert replies(network) == ["100 INVITE", "180 INVITE"]
    assert last_reply(network).headers.get("RSeq") is None


def test_ringing_is_sent_until_it_is_acknowledged() -> None:
    network, call = incoming(REQUIRED)
    network.bob.engine.ring(call, network.now)
    network.run(4.0)
    assert network.sent("bob", "180 INVITE") == [0.0, 0.5, 1.5, 3.5]
    assert last_reply(network).headers.tokens("Require") == {"100rel"}
    prack(network)
    network.run(40.0)
    assert last_reply(network).cseq[1] == "PRACK"
    assert len(network.sent("bob", "180 INVITE")) == 4
    network.bob.engine.answer(call, ANSWER, network.now)
    network.run(40.1)
    assert last_reply(network).body == ANSWER


def test_ringing_that_nobody_acknowledges_ends_the_call() -> None:
    network, call = incoming(REQUIRED)
    network.bob.engine.ring(call, network.now)
    network.run(40.0)
    assert "504 INVITE" in replies(network)
    assert network.bob.kinds() == ["CallReceived", "CallEnded"]


@pytest.mark.parametrize("number", [1_000_000, 7])
def test_a_prack_of_nothing_is_481(number: int) -> None:
    network, call = incoming(REQUIRED)
    network.bob.engine.ring(call, network.now)
    network.run(0.1)
    prack(network, number=number if str(number) != last_reply(network).headers.get("RSeq") else number + 1)
    assert replies(network)[-1] == "481 PRACK"


def test_a_caller_that_insists_and_wants_our_offer_is_not_told_that_it_rings() -> None:
    """The first reliable response would have to carry the offer (RFC 3262 5)."""
    network, call = incoming(REQUIRED, b"")
    network.bob.engine.ring(call, network.now)
    network.bob.engine.answer(call, OFFER, network.now)
    network.run(0.1)
    assert replies(network) == ["100 INVITE", "200 INVITE"]


def test_an_answer_waits_until_early_media_is_acknowledged() -> None:
    network, call = incoming(SUPPORTED)
    network.bob.engine.ring(call, network.now, ANSWER)
    network.bob.engine.answer(call, ANSWER, network.now)
    network.run(0.2)
    assert replies(network)[-1] == "183 INVITE"
    prack(network)
    network.run(0.3)
    final = last_reply(network)
    assert (describe(final), final.body) == ("200 INVITE", b"")


def test_early_media_to_a_caller_that_cannot_acknowledge_comes_with_the_answer_too() -> None:
    network, call = incoming("")
    network.bob.engine.ring(call, network.now, ANSWER)
    network.bob.engine.answer(call, ANSWER, network.now)
    network.run(0.2)
    assert [(describe(m), m.body) for _, _, m in network.wire[1:]] == [("183 INVITE", ANSWER), ("200 INVITE", ANSWER)]


@pytest.mark.parametrize("method", ["PRACK", "UPDATE"])
def test_offers_before_the_answer(method: str) -> None:
    network, call = incoming(SUPPORTED)
    network.bob.engine.ring(call, network.now, ANSWER)
    network.run(0.1)
    prack(network, body=OFFER if method == "PRACK" else b"")
    if method == "UPDATE":
        tag = last_reply(network).to.tag
        network.inject(network.bob, request("UPDATE", cseq=3, to_tag=tag, body=OFFER))
    assert network.bob.events[-1] == OfferReceived(call, OFFER)
    network.bob.engine.answer(call, OTHER, network.now)
    network.run(0.2)
    assert (describe(last_reply(network)), last_reply(network).body) == (f"200 {method}", OTHER)
    network.bob.engine.answer(call, OTHER, network.now)
    network.run(0.3)
    assert replies(network)[-1] == "200 INVITE"


def test_an_update_while_the_first_offer_waits_comes_again_later() -> None:
    """RFC 3311 5.2."""
    network, call = incoming("")
    network.bob.engine.ring(call, network.now)
    network.run(0.1)
    tag = last_reply(network).to.tag
    network.inject(network.bob, request("UPDATE", cseq=2, to_tag=tag, body=OFFER))
    assert (last_reply(network).status, "Retry-After" in dict(last_reply(network).headers)) == (500, True)
    network.inject(network.bob, request("UPDATE", cseq=3, to_tag=tag))
    assert last_reply(network).status == 200


def test_a_cancelled_call_with_an_offer_under_way_ends_both() -> None:
    network, call = incoming(SUPPORTED)
    network.bob.engine.ring(call, network.now, ANSWER)
    network.run(0.1)
    prack(network, body=OFFER)
    network.inject(network.bob, request("CANCEL", branch="INVITE", extra='Reason: SIP;cause=200;text="elsewhere"\r\n'))
    assert {"200 CANCEL", "487 PRACK", "487 INVITE"} <= set(replies(network))
    ended = network.bob.events[-1]
    assert isinstance(ended, CallEnded)
    assert ended.said == "SIP 200 elsewhere"
    assert call == ended.call


# ---- we call ----------------------------------------------------------------------------------------------------


def test_what_rings_reliably_is_acknowledged_once() -> None:
    network = alone()
    call = dial(network)
    network.run(0.0)
    (invite,) = sent_by(network, "alice", "INVITE")
    assert "100rel" in invite.headers.tokens("Supported")
    reliable = "Require: 100rel\r\nRSeq: 7\r\nContact: <sip:b@192.0.2.7:5070>\r\nRecord-Route: <sip:192.0.2.9;lr>\r\n"
    for _ in range(2):
        reply(network, network.alice, invite, 183, tag="b", extra=reliable, body=ANSWER)
    (asked,) = sent_by(network, "alice", "PRACK")
    assert asked.headers.get("RAck") == "7 1 INVITE"
    assert (asked.uri, asked.headers.all("Route")) == ("sip:b@192.0.2.7:5070", ["<sip:192.0.2.9;lr>"])
    reply(network, network.alice, invite, 180, tag="b", extra=reliable.replace("RSeq: 7", "RSeq: 9"))
    assert len(sent_by(network, "alice", "PRACK")) == 1, "out of order"
    reply(network, network.alice, invite, 180, tag="b", extra=reliable.replace("RSeq: 7", "RSeq: 8"))
    assert [one.cseq for one in sent_by(network, "alice", "PRACK")] == [(2, "PRACK"), (3, "PRACK")]
    reply(network, network.alice, invite, 200, tag="b", extra="Contact: <sip:b@192.0.2.7:5070>\r\n")
    assert network.alice.events == [
        CallProgressed(call, 183, ANSWER), CallProgressed(call, 180), CallAnswered(call, ANSWER)
    ]  # fmt: skip
    network.alice.engine.hang_up(call, network.now)
    network.run(0.1)
    assert sent_by(network, "alice", "BYE")[0].cseq == (4, "BYE"), "numbers go on where the early dialog was"


@pytest.mark.parametrize("extra", ["Require: 100rel\r\n", "Require: 100rel\r\nRSeq: x\r\n", "RSeq: 4\r\n"])
def test_what_cannot_be_acknowledged_is_not(extra: str) -> None:
    network = alone()
    call = dial(network)
    network.run(0.0)
    reply(network, network.alice, sent_by(network, "alice", "INVITE")[0], 180, tag="b", extra=extra)
    assert not sent_by(network, "alice", "PRACK")
    assert network.alice.events == [CallProgressed(call, 180)]


@pytest.mark.parametrize(("reliable", "status"), [(True, 200), (False, 491)])
def test_the_called_party_changes_its_offer_while_it_rings(reliable: bool, status: int) -> None:
    network = alone()
    dial(network)
    network.run(0.0)
    (invite,) = sent_by(network, "alice", "INVITE")
    extra = "Require: 100rel\r\nRSeq: 1\r\n" if reliable else ""
    reply(network, network.alice, invite, 183, tag="b", extra=extra, body=ANSWER)
    update = (
        "UPDATE sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKu\r\nMax-Forwards: 70\r\n"
        f"From: <sip:bob@192.0.2.2>;tag=b\r\nTo: <sip:alice@192.0.2.1>;tag={invite.from_.tag}\r\n"
        f"Call-ID: {invite.call_id}\r\nCSeq: 1 UPDATE\r\nContact: <sip:b@192.0.2.2>\r\n"
        f"Content-Type: application/sdp\r\nContent-Length: {len(OFFER)}\r\n\r\n"
    ).encode() + OFFER
    network.inject(network.alice, update)
    if reliable:
        offered = network.alice.last(OfferReceived)
        assert isinstance(offered, OfferReceived)
        network.alice.engine.answer(offered.call, OTHER, network.now)
        network.run(0.1)
    answers = [m for _, who, m in network.wire if who == "alice" and isinstance(m, Response)]
    assert [one.status for one in answers] == [status]
