"""Calls between two engines in virtual time."""

from __future__ import annotations

import pytest

from rostra.sip.events import (
    CallAnswered,
    CallConfirmed,
    CallEnded,
    CallProgressed,
    InfoReceived,
    OfferAnswered,
    OfferRefused,
)
from rostra.sip.flow import Transport
from rostra.sip.info import KEYFRAME, wants_keyframe
from tests.sip import call_states
from tests.sip.by_hand import alone, by_hand, last_reply, replies, reply, request, sent_by
from tests.sip.network import ANSWER, OFFER, Network, answering, describe, dial, established, refusing


@pytest.mark.parametrize("transport", Transport)
def test_a_call_and_its_end(transport: Transport) -> None:
    network, call, other = established(transport)
    assert [describe(message) for _, _, message in network.wire] == ["INVITE", "100 INVITE", "200 INVITE", "ACK"]
    assert network.alice.events == [CallAnswered(call, ANSWER, "Rostra")]
    assert network.bob.kinds() == ["CallReceived", "CallConfirmed"]
    network.alice.engine.hang_up(call, network.now)
    network.run(100.0)
    assert network.bob.events[-1] == CallEnded(other, "the far end hung up")
    for side in (network.alice, network.bob):
        state = side.engine.debug_state()
        assert (state["calls"], state["transactions"], state["timers"]) == ({}, 0, 0)


def test_the_called_side_hangs_up() -> None:
    network, _, other = established()
    network.bob.engine.hang_up(other, network.now)
    network.run(100.0)
    assert network.alice.kinds()[-1] == "CallEnded"
    assert network.sent("alice", "200 BYE")


@pytest.mark.parametrize("seed", range(30))
def test_calls_come_about_and_end_although_a_third_of_all_packets_is_lost(seed: int) -> None:
    network = Network(loss=0.33, seed=seed)
    answering(network, network.bob)
    answering(network, network.alice)
    call = dial(network)
    network.run(40.0)
    if CallAnswered(call, ANSWER, "Rostra") in network.alice.events and "CallConfirmed" in network.bob.kinds():
        network.alice.engine.offer(call, OFFER, network.now)
        network.run(80.0)
    network.alice.engine.hang_up(call, network.now)
    network.run(400.0)
    for side in (network.alice, network.bob):
        assert side.kinds().count("CallEnded") == ("CallReceived" in side.kinds() or side is network.alice)
        state = side.engine.debug_state()
        assert (state["calls"], state["transactions"], state["timers"]) == ({}, 0, 0)


def test_most_calls_succeed_under_loss() -> None:
    succeeded = 0
    for seed in range(40):
        network = Network(loss=0.2, seed=seed)
        answering(network, network.bob)
        dial(network)
        network.run(31.0)
        succeeded += "CallConfirmed" in network.bob.kinds()
    assert succeeded >= 38


def test_invite_is_sent_again_at_doubling_intervals_until_timer_b() -> None:
    network = Network()
    network.lose = lambda sender, message: True
    dial(network)
    network.run(100.0)
    assert network.sent("alice", "INVITE") == [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert network.alice.events == [CallEnded(network.alice.events[0].call, "timeout", 408)]


def test_nothing_is_sent_again_over_streams() -> None:
    network = Network(Transport.TCP)
    network.lose = lambda sender, message: True
    dial(network)
    network.run(100.0)
    assert network.sent("alice", "INVITE") == [0.0]
    assert network.alice.kinds() == ["CallEnded"]


def test_200_is_sent_until_the_ack_and_without_one_the_call_ends() -> None:
    network = Network()
    answering(network, network.bob)
    network.lose = lambda sender, message: describe(message) == "ACK"
    dial(network)
    network.run(200.0)
    sent = network.sent("bob", "200 INVITE")
    assert [round(time - sent[0], 2) for time in sent] == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert len(network.sent("alice", "ACK")) == len(sent)
    assert network.bob.events[-1].reason == "no ACK"  # type: ignore[union-attr]
    assert network.sent("bob", "BYE")


def test_a_failure_is_sent_until_the_ack() -> None:
    network = Network()
    refusing(network, 404)
    lost = iter([True, True, True])
    network.lose = lambda sender, message: describe(message) == "ACK" and next(lost, False)
    call = dial(network)
    network.run(60.0)
    sent = network.sent("bob", "404 INVITE")
    assert [round(time - sent[0], 2) for time in sent] == [0, 0.5, 1.5, 3.5]
    assert network.alice.events == [CallEnded(call, "refused", 404)]


def test_cancel() -> None:
    network = Network()
    call = dial(network)
    network.run(0.5)
    network.bob.engine.ring(network.bob.events[0].call, network.now)
    network.run(1.0)
    network.alice.engine.hang_up(call, network.now)
    network.run(80.0)
    assert network.sent("bob", "200 CANCEL")
    assert network.sent("bob", "487 INVITE")
    assert network.alice.events == [CallProgressed(call, 180), CallEnded(call, "cancelled", 487)]
    assert network.bob.kinds() == ["CallReceived", "CallEnded"]


def test_cancel_that_crosses_the_200_becomes_bye() -> None:
    network = Network()
    call = dial(network)
    network.run(0.5)
    network.bob.engine.answer(network.bob.events[0].call, ANSWER, network.now)
    network.alice.engine.hang_up(call, network.now)
    network.run(80.0)
    assert network.sent("alice", "ACK")
    assert network.sent("alice", "BYE")
    assert network.bob.kinds() == ["CallReceived", "CallConfirmed", "CallEnded"]


def test_re_invite_both_ways() -> None:
    network, call, other = established()
    answering(network, network.alice)
    network.bob.engine.offer(other, OFFER, network.now)
    network.run(2.0)
    assert network.bob.events[-1] == OfferAnswered(other, ANSWER)
    network.alice.engine.offer(call, OFFER, network.now)
    network.run(3.0)
    assert network.alice.events[-1] == OfferAnswered(call, ANSWER)


def test_glare_is_resolved() -> None:
    network, call, other = established()
    answering(network, network.alice)
    network.alice.engine.offer(call, OFFER, network.now)
    network.bob.engine.offer(other, OFFER, network.now)
    network.run(20.0)
    assert network.sent("alice", "491 INVITE")
    assert network.sent("bob", "491 INVITE")
    assert OfferAnswered(call, ANSWER) in network.alice.events
    assert OfferAnswered(other, ANSWER) in network.bob.events


def test_an_offer_during_another_waits_its_turn() -> None:
    network, call, _ = established()
    network.alice.engine.offer(call, OFFER, network.now)
    network.alice.engine.offer(call, OFFER, network.now)
    network.run(5.0)
    assert network.alice.kinds().count("OfferAnswered") == 2


def test_a_refused_offer_leaves_the_call() -> None:
    network, call, _ = established()
    refusing(network, 488)
    network.alice.engine.offer(call, OFFER, network.now)
    network.run(5.0)
    assert network.alice.events[-1] == OfferRefused(call, 488)
    network.alice.engine.hang_up(call, network.now)
    network.run(6.0)
    assert network.sent("bob", "200 BYE")


@pytest.mark.parametrize("status", [408, 481])
def test_a_dialog_the_far_end_does_not_know_ends(status: int) -> None:
    network, call, _ = established()
    refusing(network, status)
    network.alice.engine.offer(call, OFFER, network.now)
    network.run(50.0)
    assert network.alice.kinds()[-1] == "CallEnded"


# ---- requests made by hand -------------------------------------------------------------------------------------


def test_late_offer() -> None:
    network = Network()
    answering(network, network.bob)
    network.inject(network.bob, request("INVITE"))
    response = last_reply(network)
    assert (response.status, response.body) == (200, ANSWER)
    network.inject(network.bob, request("ACK", to_tag=response.to.tag, body=OFFER, branch="other"))
    assert network.bob.events[-1] == CallConfirmed(network.bob.events[0].call, OFFER)


def test_late_offer_without_answer_ends_the_call() -> None:
    network = Network()
    answering(network, network.bob)
    network.inject(network.bob, request("INVITE"))
    network.inject(network.bob, request("ACK", to_tag=last_reply(network).to.tag, branch="other"))
    assert network.bob.kinds()[-1] == "CallEnded"
    assert network.sent("bob", "BYE")


def test_late_offer_within_a_call() -> None:
    network, tag = by_hand()
    network.inject(network.bob, request("INVITE", cseq=2, to_tag=tag))
    assert last_reply(network).body == ANSWER
    network.inject(network.bob, request("ACK", cseq=2, to_tag=tag, body=OFFER, branch="ack"))
    assert network.bob.events[-1] == OfferAnswered(network.bob.events[0].call, OFFER)


def test_a_retransmitted_invite_gets_the_same_answer_and_makes_no_second_call() -> None:
    network = Network()
    network.inject(network.bob, request("INVITE", body=OFFER))
    network.inject(network.bob, request("INVITE", body=OFFER))
    assert replies(network) == ["100 INVITE", "100 INVITE"]
    assert network.bob.kinds() == ["CallReceived"]


@pytest.mark.spec("REF-127")
def test_an_invite_that_comes_again_after_its_200_is_absorbed() -> None:
    """RFC 6026 7.1: its transaction lives on; the 200 is repeated by the call, and stops at the ACK."""
    network = Network()
    answering(network, network.bob)
    network.inject(network.bob, request("INVITE", body=OFFER))
    before = replies(network)
    network.inject(network.bob, request("INVITE", body=OFFER))
    assert replies(network) == before == ["100 INVITE", "200 INVITE"]
    tag = last_reply(network).to.tag
    network.inject(network.bob, request("ACK", to_tag=tag, branch="ack"))
    network.run(10.0)
    network.inject(network.bob, request("INVITE", body=OFFER))
    assert replies(network) == before
    assert network.bob.kinds() == ["CallReceived", "CallConfirmed"]


@pytest.mark.spec("REF-114")
def test_requests_other_than_invite_are_answered_at_once_or_never() -> None:
    """RFC 4320 4: no 408, nothing provisional before its time, and what is sent again gets the same answer."""
    for name, asked in call_states.REQUESTS.items():
        if asked[0] not in ("INVITE", "ACK"):
            found = [call_states.outcome(state, asked) for state in call_states.STATES.values()]
            assert not any("408" in one or f"100 {asked[0]}" in one for one in found), name
    network, tag = by_hand()
    for _ in range(2):
        network.inject(network.bob, request("INFO", cseq=2, to_tag=tag))
    assert replies(network)[-2:] == ["200 INFO", "200 INFO"]
    assert network.bob.kinds().count("InfoReceived") == 1


@pytest.mark.spec("REF-114")
def test_a_request_other_than_invite_is_repeated_for_half_a_minute() -> None:
    network, call, _ = established()
    network.lose = lambda sender, message: sender == "alice"
    network.alice.engine.inform(call, *KEYFRAME, network.now)
    network.run(100.0)
    sent = network.sent("alice", "INFO")
    assert [round(time - sent[0], 2) for time in sent] == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]


@pytest.mark.parametrize("method", ["BYE", "INFO", "UPDATE", "INVITE"])
def test_requests_within_an_unknown_dialog_are_481(method: str) -> None:
    network = Network()
    network.inject(network.bob, request(method, to_tag="unknown"))
    assert replies(network) == [f"481 {method}"]


def test_requests_out_of_any_dialog_that_need_one_are_481() -> None:
    network = Network()
    network.inject(network.bob, request("BYE"))
    network.inject(network.bob, request("CANCEL"))
    assert replies(network) == ["481 BYE", "481 CANCEL"]


@pytest.mark.spec("PLAT-021", "PLAT-023", "POL-015")
def test_options_is_answered_with_what_we_can_do() -> None:
    network, tag = by_hand()
    told = len(network.bob.events)
    network.inject(network.bob, request("OPTIONS"))
    assert len(network.bob.events) == told, "the engine answers by itself: who decides about calls does not hear of it"
    response = last_reply(network)
    assert response.status == 200
    assert {"INVITE", "UPDATE", "INFO"} <= set((response.headers.get("Allow") or "").split(", "))
    assert "application/sdp" in (response.headers.get("Accept") or "")
    network.inject(network.bob, request("OPTIONS", cseq=5, to_tag=tag))
    assert last_reply(network).status == 200


@pytest.mark.parametrize(("method", "status"), [("PUBLISH", 405), ("MESSAGE", 405), ("DANCE", 501)])
def test_methods_we_do_not_serve(method: str, status: int) -> None:
    network = Network()
    network.inject(network.bob, request(method))
    assert last_reply(network).status == status
    assert (last_reply(network).headers.get("Allow") is not None) == (status == 405)


def test_the_same_request_by_two_paths_is_a_loop() -> None:
    network = Network()
    network.inject(network.bob, request("INVITE", body=OFFER))
    network.inject(network.bob, request("INVITE", body=OFFER, branch="another"))
    assert replies(network)[-1] == "482 INVITE"


def test_update_changes_the_session_and_without_body_only_refreshes() -> None:
    network, tag = by_hand()
    network.inject(network.bob, request("UPDATE", cseq=2, to_tag=tag))
    assert (last_reply(network).status, last_reply(network).body) == (200, b"")
    network.inject(network.bob, request("UPDATE", cseq=3, to_tag=tag, body=OFFER))
    assert last_reply(network).body == ANSWER


def test_requests_out_of_order_are_refused() -> None:
    network, tag = by_hand()
    network.inject(network.bob, request("INFO", cseq=9, to_tag=tag))
    network.inject(network.bob, request("INFO", cseq=8, to_tag=tag))
    assert replies(network)[-2:] == ["200 INFO", "500 INFO"]


@pytest.mark.spec("REF-122", "REF-106")
def test_a_key_frame_is_asked_for_by_info_and_who_does_not_answer_that_stays() -> None:
    network, call, other = established()
    network.alice.engine.inform(call, *KEYFRAME, network.now)
    network.run(5.0)
    told = network.bob.last(InfoReceived)
    assert isinstance(told, InfoReceived)
    assert (told.call, wants_keyframe(told.content_type, told.body)) == (other, True)
    assert network.sent("bob", "200 INFO")
    network.lose = lambda sender, message: "INFO" in describe(message)
    network.alice.engine.inform(call, *KEYFRAME, network.now)
    network.run(120.0)
    assert "CallEnded" not in network.alice.kinds()
    network.alice.engine.hang_up(call, network.now)
    network.run(200.0)
    network.alice.engine.inform(call, *KEYFRAME, network.now)
    assert len(network.sent("alice", "INFO")) > 2
    network.run(300.0)
    assert network.alice.engine.debug_state()["transactions"] == 0


def test_who_is_sent_elsewhere_is_told_where() -> None:
    network = Network()
    network.inject(network.bob, request("INVITE", body=OFFER))
    (call,) = network.bob.engine._calls
    network.bob.engine.refuse(call, 302, network.now, elsewhere="sip:bob@example.com")
    network.run(0.1)
    assert (last_reply(network).status, last_reply(network).headers.get("Contact")) == (302, "<sip:bob@example.com>")


def test_a_second_re_invite_before_the_first_is_answered_is_refused() -> None:
    network, tag = by_hand()
    network.bob.on_event = None
    network.inject(network.bob, request("INVITE", cseq=2, to_tag=tag, body=OFFER))
    network.inject(network.bob, request("INVITE", cseq=3, to_tag=tag, body=OFFER))
    assert last_reply(network).status == 500
    assert last_reply(network).headers.get("Retry-After") is not None


def test_bye_during_a_re_invite_ends_both() -> None:
    network, tag = by_hand()
    network.bob.on_event = None
    network.inject(network.bob, request("INVITE", cseq=2, to_tag=tag, body=OFFER))
    network.inject(network.bob, request("BYE", cseq=3, to_tag=tag))
    assert {"200 BYE", "487 INVITE"} <= set(replies(network))
    assert network.bob.kinds()[-1] == "CallEnded"


@pytest.mark.parametrize(
    ("extra", "granted"),
    [
        ("Session-Expires: 999999999\r\nSupported: timer\r\n", "7200;refresher=uac"),
        ("Session-Expires: 999999999;refresher=uas\r\nSupported: timer\r\nMin-SE: 9000\r\n", "9000;refresher=uas"),
        ("Session-Expires: 999999999\r\nSupported: timer\r\nMin-SE: 900000000\r\n", None),
        ("Supported: timer\r\nMin-SE: 900000000\r\n", None),
        ("Session-Expires: 30\r\nMin-SE: 20\r\n", None),  # of a proxy; who does not know timers understands no 422
    ],
)
def test_what_is_granted_notices_who_is_gone(extra: str, granted: str | None) -> None:
    """RFC 4028 9: what is asked for may be made shorter, though not than its Min-SE."""
    network = Network()
    answering(network, network.bob)
    network.inject(network.bob, request("INVITE", body=OFFER, extra=extra))
    response = last_reply(network)
    assert (response.status, response.headers.get("Session-Expires")) == (200, granted)


def test_a_session_interval_too_short_is_422() -> None:
    network = Network()
    network.inject(network.bob, request("INVITE", body=OFFER, extra="Session-Expires: 30\r\nSupported: timer\r\n"))
    assert last_reply(network).status == 422
    assert last_reply(network).headers.get("Min-SE") == "90"


def test_a_call_that_is_not_refreshed_ends() -> None:
    network = Network()
    answering(network, network.bob)
    timer = "Session-Expires: 120\r\nSupported: timer\r\n"
    network.inject(network.bob, request("INVITE", body=OFFER, extra=timer))
    response = last_reply(network)
    assert response.headers.get("Session-Expires") == "120;refresher=uac"
    assert response.headers.tokens("Require") == {"timer"}
    network.inject(network.bob, request("ACK", to_tag=response.to.tag, branch="ack"))
    network.run(60.0)
    network.inject(
        network.bob,
        request("UPDATE", cseq=2, to_tag=response.to.tag, extra=timer),
    )
    network.run(140.0)
    assert network.bob.kinds()[-1] == "CallConfirmed"
    network.run(150.0)
    assert network.bob.kinds()[-1] == "CallEnded"


@pytest.mark.parametrize(("allow", "method"), [("", "UPDATE"), ("Allow: INVITE, ACK, BYE\r\n", "INVITE")])
def test_we_refresh_when_asked_to_and_end_the_call_when_nothing_comes_back(allow: str, method: str) -> None:
    network = Network()
    answering(network, network.bob)
    network.lose = lambda sender, message: True
    timer = f"Session-Expires: 120;refresher=uas\r\nSupported: timer\r\n{allow}"
    network.inject(network.bob, request("INVITE", body=OFFER, extra=timer))
    assert last_reply(network).headers.get("Session-Expires") == "120;refresher=uas"
    network.inject(network.bob, request("ACK", to_tag=last_reply(network).to.tag, branch="ack"))
    network.run(61.0)
    assert network.sent("bob", method)[0] == pytest.approx(60.0)
    network.run(120.0)
    assert network.bob.kinds() == ["CallReceived", "CallConfirmed", "CallEnded"]


def test_a_refresh_by_re_invite_is_not_the_applications_business() -> None:
    network = Network()
    answering(network, network.bob)
    timer = "Session-Expires: 120;refresher=uas\r\nSupported: timer\r\nAllow: INVITE, ACK, BYE\r\n"
    network.inject(network.bob, request("INVITE", body=OFFER, extra=timer))
    network.inject(network.bob, request("ACK", to_tag=last_reply(network).to.tag, branch="ack"))
    network.lose = lambda sender, message: True
    network.run(60.1)
    invite = network.wire[-1][2]
    assert describe(invite) == "INVITE"
    assert invite.body == ANSWER
    head = invite.encode().split(b"\r\n\r\n")[0].decode().split("\r\n")
    copied = [line for line in head if line.split(":")[0] in ("Via", "From", "To", "Call-ID", "CSeq")]
    lines = ["SIP/2.0 200 OK", *copied, "Session-Expires: 120;refresher=uac", f"Content-Length: {len(OFFER)}"]
    network.inject(network.bob, ("\r\n".join(lines) + "\r\n\r\n").encode() + OFFER)
    assert network.sent("bob", "ACK")
    assert "OfferAnswered" not in network.bob.kinds()
    network.run(119.0)
    assert network.bob.kinds()[-1] == "CallConfirmed"


def test_routes_and_contact_are_followed() -> None:
    network = Network()
    answering(network, network.bob)
    extra = "Record-Route: <sip:192.0.2.9;lr>, <sip:192.0.2.8;lr>\r\n"
    network.inject(network.bob, request("INVITE", body=OFFER, extra=extra))
    network.inject(network.bob, request("ACK", to_tag=last_reply(network).to.tag, branch="ack"))
    network.bob.engine.hang_up(network.bob.events[0].call, network.now)
    item = network.bob.engine.data_to_send()
    assert item is not None
    assert item.flow.remote == ("192.0.2.9", 5060)
    assert b"BYE sip:carol@192.0.2.1 SIP/2.0" in item.data  # type: ignore[union-attr]
    assert b"Route: <sip:192.0.2.9;lr>\r\nRoute: <sip:192.0.2.8;lr>" in item.data  # type: ignore[union-attr]


def test_a_caller_behind_nat_is_reached_where_its_packets_come_from() -> None:
    network = Network()
    answering(network, network.bob)
    private = request("INVITE").replace(b"192.0.2.1", b"10.0.0.5").replace(b";branch", b";rport;branch")
    network.inject(network.bob, private)
    via = last_reply(network).via
    assert (via.parameter("received"), via.parameter("rport")) == ("192.0.2.1", "5060")
    network.inject(network.bob, request("ACK", to_tag=last_reply(network).to.tag, branch="ack", body=OFFER))
    network.bob.engine.hang_up(network.bob.events[0].call, network.now)
    item = network.bob.engine.data_to_send()
    assert item is not None
    assert item.flow.remote == ("192.0.2.1", 5060)


# ---- timers of our own calls (RFC 4028) --------------------------------------------------------------------------


def test_our_calls_ask_for_a_timer_and_for_a_longer_one_where_the_far_end_wants_that() -> None:
    network = alone()
    call = dial(network)
    network.run(0.0)
    (invite,) = sent_by(network, "alice", "INVITE")
    assert (invite.headers.get("Session-Expires"), invite.headers.get("Min-SE")) == ("1800", None)
    reply(network, network.alice, invite, 422, tag="b", extra="Min-SE: 3600\r\n")
    again = sent_by(network, "alice", "INVITE")[1]
    assert (again.headers.get("Session-Expires"), again.headers.get("Min-SE")) == ("3600", "3600")
    assert (again.cseq, again.body, again.to.tag) == ((2, "INVITE"), OFFER, "")
    reply(network, network.alice, again, 200, tag="b", extra="Session-Expires: 3600;refresher=uac\r\n", body=ANSWER)
    network.run(1801.0)
    (update,) = sent_by(network, "alice", "UPDATE")
    assert update.headers.get("Session-Expires") == "3600;refresher=uac"
    assert network.alice.events == [CallAnswered(call, ANSWER)]


def test_an_interval_without_end_is_not_believed_of_a_called_party_either() -> None:
    network = alone()
    dial(network)
    network.run(0.1)
    (invite,) = sent_by(network, "alice", "INVITE")
    timer = "Session-Expires: 999999999;refresher=uas\r\n"
    reply(network, network.alice, invite, 200, tag="b", extra=timer, body=ANSWER)
    network.run(60.0)
    assert (network.alice.engine.next_timer() or 1e9) <= 86_400 + 60


@pytest.mark.parametrize("least", ["", "Min-SE: 1800\r\n", "Min-SE: x\r\n", "Min-SE: 999999\r\n"])
def test_an_interval_that_helps_nobody_is_not_asked_for(least: str) -> None:
    network = alone()
    dial(network)
    network.run(0.0)
    reply(network, network.alice, sent_by(network, "alice", "INVITE")[0], 422, tag="b", extra=least)
    assert len(sent_by(network, "alice", "INVITE")) == 1
    assert network.alice.kinds() == ["CallEnded"]


def test_a_caller_that_knows_timers_and_does_not_ask_is_refreshed_by_us() -> None:
    network = Network()
    answering(network, network.bob)
    network.inject(network.bob, request("INVITE", body=OFFER, extra="Supported: timer\r\nMin-SE: 2000\r\n"))
    assert last_reply(network).headers.get("Session-Expires") == "2000;refresher=uas"
    network.inject(network.bob, request("ACK", to_tag=last_reply(network).to.tag, branch="ack"))
    network.run(1001.0)
    assert network.sent("bob", "UPDATE")


def test_a_refresh_that_is_not_understood_is_made_otherwise() -> None:
    network = Network()
    answering(network, network.bob)
    network.lose = lambda sender, message: sender == "bob"
    timer = "Session-Expires: 120;refresher=uas\r\nSupported: timer\r\n"
    network.inject(network.bob, request("INVITE", body=OFFER, extra=timer))
    network.inject(network.bob, request("ACK", to_tag=last_reply(network).to.tag, branch="ack"))
    network.run(60.1)
    reply(network, network.bob, sent_by(network, "bob", "UPDATE")[0], 501)
    (invite,) = sent_by(network, "bob", "INVITE")
    assert invite.body == ANSWER
    reply(network, network.bob, invite, 422, extra="Min-SE: 300\r\n")
    again = sent_by(network, "bob", "INVITE")[1]
    assert again.headers.get("Session-Expires") == "300;refresher=uac"
    reply(network, network.bob, again, 200, extra="Session-Expires: 300;refresher=uac\r\n", body=OFFER)
    network.run(209.0)
    assert len(sent_by(network, "bob", "INVITE")) == 2
    assert "CallEnded" not in network.bob.kinds()


def test_a_far_end_that_has_forgotten_the_call_ends_it_by_what_it_says_to_info() -> None:
    network, tag = by_hand()
    call = network.bob.events[0].call
    network.lose = lambda sender, message: sender == "bob"
    network.bob.engine.inform(call, *KEYFRAME, network.now)
    network.run(0.1)
    reply(network, network.bob, sent_by(network, "bob", "INFO")[0], 481)
    assert network.bob.kinds()[-1] == "CallEnded"
    assert tag


@pytest.mark.spec("REF-106")
@pytest.mark.parametrize(
    ("content", "body", "status"),
    [
        ("application/dtmf-relay", "Signal=5", 200),
        ("", "", 200),
        ("application/xyz", "x", 415),
        ("text/plain", "x", 415),
    ],
)
def test_info_is_taken_for_what_we_know(content: str, body: str, status: int) -> None:
    network, tag = by_hand()
    extra = f"Content-Type: {content}\r\n" if content else ""
    made = request("INFO", cseq=2, to_tag=tag, extra=extra).replace(
        b"Content-Length: 0", f"Content-Length: {len(body)}".encode()
    )
    network.inject(network.bob, made + body.encode())
    assert last_reply(network).status == status
    assert ("application/dtmf" in (last_reply(network).headers.get("Accept") or "")) == (status == 415)


@pytest.mark.spec("REF-110")
def test_a_conference_says_that_it_is_one() -> None:
    network = Network()
    network.inject(network.bob, request("INVITE", body=OFFER))
    call = network.bob.events[0].call
    for _ in range(2):
        network.bob.engine.focus(call)
    network.bob.engine.answer(call, ANSWER, network.now)
    network.run(0.1)
    assert last_reply(network).headers.get("Contact") == "<sip:bob@192.0.2.2:5060>;isfocus"
    network.inject(network.bob, request("ACK", to_tag=last_reply(network).to.tag, branch="ack"))
    network.bob.engine.hang_up(call, network.now)
    network.run(0.2)
    assert sent_by(network, "bob", "BYE")[0].via.host == "192.0.2.2"


def test_options_say_what_media_we_can_do_to_who_wants_to_know() -> None:
    network = Network()
    network.bob.engine.capabilities = lambda flow: OFFER
    network.inject(network.bob, request("OPTIONS"))
    assert last_reply(network).body == b""
    network.inject(network.bob, request("OPTIONS", cseq=2, extra="Accept: application/sdp\r\n"))
    assert (last_reply(network).body, last_reply(network).content_type) == (OFFER, "application/sdp")
