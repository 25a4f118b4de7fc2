"""Transfers between gateway calls: attended, blind, by either end, and calls taken over from another telephone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from tests.calls.people import until
from tests.calls.test_gateway import Caller, called, rule
from tests.calls.test_outgoing import Desk, Far, Plan, desks

from rostra.calls import legs
from rostra.calls.connecting import LOOKING
from rostra.calls.switchboard import CallRefused, FarEnd
from rostra.conference.roster import Participant
from rostra.dialplan.rules import Rule
from rostra.domain.media import MediaKind
from rostra.domain.vocabulary import CallProtocol, Role, ServiceType

SIP, API = CallProtocol.SIP, CallProtocol.API
OUT = rule(".*")


async def call(desk: Desk, alias: str, count: int, protocol: CallProtocol = SIP, at: Desk | None = None) -> Any:
    """A gateway call that talks: its two ends."""
    caller = await (await Caller(desk, protocol).call(alias)).media(f"to-{alias}")
    far = await called(at or desk, count)
    await far.answer()
    await until(lambda: caller.heard == [FarEnd.ANSWERED])
    return caller, far


def together(desk: Desk) -> list[set[str]]:
    return [{one.display_name for one in each.participants} for each in desk.node.exchange.conferences]


async def follow(far: Far | Caller) -> None:
    """Its media is set up anew where it is now."""
    if isinstance(far, Caller):
        await far.session.reserve_rtp(next(iter(far.session._calls)), (MediaKind.AUDIO,))
        return
    await far.session.open_webrtc(next(iter(far.session._calls)), "offer")


def end(far: Far) -> Participant:
    return far.session.participant


@pytest.mark.spec("SVC-077", "CONF-118")
async def test_an_attended_transfer_of_two_called_parties() -> None:
    """One caller, two calls: what it has called is connected, on hold or not, and both its calls end."""
    (desk,) = await desks("n1", plan=Plan(given=[OUT]))
    first, bob = await call(desk, "bob", 1)
    second, eve = await call(desk, "eve", 2)
    await first.session.conference.hold(first.me.uuid, True)  # as a telephone does before it calls again
    assert await desk.node.exchange.connect(first.me.uuid, second.me.uuid)
    assert first.listener.reasons == []  # it is told of the transfer first
    await follow(bob)
    assert bob.session.conference is eve.session.conference
    await until(lambda: first.listener.reasons == ["Call disconnected"])
    await second.session.leave("Call transferred")
    await until(lambda: together(desk) == [{"bob", "eve"}])
    assert not end(bob).is_on_hold
    assert (bob.reasons, eve.reasons) == ([], [])
    assert len(desk.adapter.calls) == 2  # nobody was called for it
    await eve.session.leave()
    await until(lambda: bob.reasons == ["Call disconnected"])
    await until(lambda: (desk.node.exchange.conferences, desk.node.ledger.used) == ([], 0))


@pytest.mark.spec("SVC-077")
async def test_who_was_called_connects_who_called_it() -> None:
    """The other way round: the transferor is the called end of both calls."""
    (desk,) = await desks("n1", plan=Plan(given=[OUT]))
    ann, one = await call(desk, "desk", 1)
    joe, two = await call(desk, "desk ", 2)
    assert await desk.node.exchange.connect(end(one).uuid, end(two).uuid)
    assert ann.session.conference is joe.session.conference
    await follow(ann)
    await two.session.leave("Call transferred")
    await until(lambda: one.reasons == ["Call disconnected"])
    assert (ann.listener.reasons, joe.listener.reasons) == ([], [])
    await joe.session.leave()
    await until(lambda: ann.listener.reasons == ["Call disconnected"])


@pytest.mark.spec("SVC-077")
@pytest.mark.parametrize("turned", [False, True])
async def test_a_web_client_stays_where_it_is(turned: bool) -> None:
    """It cannot be moved into a gateway call, so the other one is; two of them are not connected."""
    (desk,) = await desks("n1", plan=Plan(given=[OUT]))
    web, one = await call(desk, "desk", 1, API)
    mine, eve = await call(desk, "eve", 2)
    calls = (end(one).uuid, mine.me.uuid)
    assert await desk.node.exchange.connect(*(reversed(calls) if turned else calls))
    assert eve.session.conference is web.session.conference
    await one.session.leave("Call transferred")
    await until(lambda: mine.listener.reasons == ["Call disconnected"])
    assert (web.listener.reasons, eve.reasons) == ([], [])

    other, third = await call(desk, "desk", 3, API)
    again, fourth = await call(desk, "desk", 4, API)
    assert not await desk.node.exchange.connect(end(third).uuid, end(fourth).uuid)
    assert (other.listener.reasons, again.listener.reasons) == ([], [])


@pytest.mark.spec("SVC-077", "CONF-118")
@pytest.mark.parametrize("turned", [False, True])
async def test_an_attended_transfer_into_a_conference(turned: bool) -> None:
    """As what the caller is there."""
    (desk,) = await desks("n1", plan=Plan(given=[OUT]))
    mine, bob = await call(desk, "bob", 1)
    there = await Caller(desk).call("open", role=Role.HOST)
    calls = (mine.me.uuid, there.me.uuid)
    assert await desk.node.exchange.connect(*(reversed(calls) if turned else calls))
    assert bob.session.conference is there.session.conference
    assert (end(bob).service_type, end(bob).role) == (ServiceType.CONFERENCE, Role.HOST)
    await until(lambda: mine.listener.reasons == ["Call disconnected"])


async def test_others_who_come_meanwhile_are_not_who_is_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    (desk,) = await desks("n1", plan=Plan(given=[OUT]))
    mine, bob = await call(desk, "bob", 1)
    there = await Caller(desk).call("open", role=Role.HOST)
    moves, transfer = asyncio.Event(), desk.node.exchange.transfers.transfer_to

    async def slowly(*given: Any) -> bool:
        await moves.wait()
        return await transfer(*given)

    monkeypatch.setattr(desk.node.exchange.transfers, "transfer_to", slowly)
    connecting = asyncio.ensure_future(desk.node.exchange.connect(mine.me.uuid, there.me.uuid))
    await asyncio.sleep(0)
    await Caller(desk).call("open")
    _, waiting = await asyncio.wait([connecting], timeout=3 * LOOKING)
    assert waiting
    moves.set()
    assert await connecting
    assert bob.session.conference is there.session.conference


@pytest.mark.spec("SVC-077", "SVC-111")
async def test_an_attended_transfer_of_who_is_called_by_another_node() -> None:
    """The transferor's node only signals the transferor: its other ends are on others."""
    plan = Plan(given=[rule("bob", outgoing_location=2), rule("eve", id=2, outgoing_location=3)])
    one, two, three = await desks("n1", "n2", "n3", plan=plan, locations=[1, 2, 3])
    first, bob = await call(one, "bob", 1, at=two)
    second, eve = await call(one, "eve", 1, at=three)
    assert await one.node.exchange.connect(first.me.uuid, second.me.uuid)
    await follow(bob)
    await second.session.leave("Call transferred")
    await until(lambda: first.listener.reasons == ["Call disconnected"])
    await until(lambda: together(three) == [{"bob", "eve"}])
    await until(lambda: together(one) == [])
    assert (bob.reasons, eve.reasons) == ([], [])
    await bob.session.leave()
    await until(lambda: eve.reasons == ["Call disconnected"])


async def test_calls_that_are_over_are_not_connected() -> None:
    (desk,) = await desks("n1", plan=Plan(given=[OUT]))
    first, _ = await call(desk, "bob", 1)
    second = await (await Caller(desk).call("eve")).media("second")
    await called(desk, 2)
    assert not await desk.node.exchange.connect(first.me.uuid, "nobody")
    assert not await desk.node.exchange.connect(first.me.uuid, first.me.uuid)
    assert not await desk.node.exchange.connect(second.me.uuid, second.me.uuid)
    assert first.listener.reasons == []


@pytest.mark.spec("SVC-077", "REF-112")
@pytest.mark.parametrize("side", ["caller", "called"])
async def test_another_telephone_takes_the_place_of_a_party(side: str) -> None:
    """INVITE with Replaces: nobody is called anew, and the newcomer is answered at once."""
    (desk,) = await desks("n1", plan=Plan(given=[OUT]))
    caller, bob = await call(desk, "bob", 1)
    before: Any = caller.session if side == "caller" else bob.session
    newcomer = Caller(desk)
    await newcomer.call("bob", display_name="New", replaces=before.participant.uuid)
    assert newcomer.heard == [] or newcomer.heard == [FarEnd.ANSWERED]
    await newcomer.media("new")
    await before.leave("Call transferred")
    await until(lambda: newcomer.heard == [FarEnd.ANSWERED])
    await until(lambda: together(desk) == [{"New", "bob" if side == "caller" else "Ben"}])
    assert len(desk.adapter.calls) == 1
    await newcomer.session.leave()
    await until(lambda: desk.node.exchange.conferences == [])


# ---- to what only a rule takes


@pytest.mark.spec("CONF-118", "SVC-077", "SVC-078")
@pytest.mark.parametrize("side", ["caller", "called"])
async def test_a_party_is_sent_to_an_alias_that_only_a_rule_takes(side: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(legs, "MOVING", 0.5)
    (desk,) = await desks("n1", plan=Plan(given=[OUT]))
    caller, bob = await call(desk, "bob", 1)
    goes: Any = bob if side == "called" else caller
    stays = caller.listener if side == "called" else bob
    await caller.session.conference.transfer(goes.session.participant.uuid, "carl@example.com", None)
    await until(lambda: stays.reasons == ["Call disconnected"])
    await follow(goes)
    carl = await called(desk, 2)
    assert carl.order.destination == "carl@example.com"
    await carl.answer()
    await until(lambda: together(desk) == [{"carl@example.com", goes.session.participant.display_name}])
    await carl.session.leave()
    reasons = bob.reasons if side == "called" else caller.listener.reasons
    await until(lambda: reasons == ["Call disconnected"])
    await until(lambda: (desk.node.exchange.conferences, desk.node.ledger.used) == ([], 0))


# ---- toll fraud

MEMBERS: Sequence[Rule] = (rule("0900.*", registered_only=True), rule("bob", id=2, priority=2))
BEFORE_OTHERS = (*MEMBERS, rule(".*", id=3, priority=3))
ELSEWHERE = (rule("0900.*", registered_only=True, location=7), MEMBERS[1])


@pytest.mark.spec("SVC-090", "CONF-029", "SVC-083")
@pytest.mark.parametrize(
    ("registered", "trusted", "goes"),
    [("", True, False), ("ben@here", False, False), ("ben@here", True, True), ("", False, False)],
)
async def test_who_is_sent_by_a_rule_for_registered_callers(registered: str, trusted: bool, goes: bool) -> None:
    """Both have to be: the one who is sent, and the one who sends it."""
    (desk,) = await desks("n1", plan=Plan(given=MEMBERS))
    caller = await (await Caller(desk).call("bob", registered=registered)).media()
    await (await called(desk)).answer()
    await until(lambda: caller.heard == [FarEnd.ANSWERED])
    await caller.session.conference.transfer(caller.me.uuid, "0900123", None, trusted=trusted)
    if goes:
        await until(lambda: "0900123" in caller.me.local_alias)
        await follow(caller)
        assert (await called(desk, 2)).order.destination == "0900123"
    else:
        await until(lambda: caller.listener.reasons == ["transfer failed"])
        assert len(desk.adapter.calls) == 1


@pytest.mark.spec("SVC-090", "CONF-029", "SVC-083")
@pytest.mark.parametrize(
    ("registered", "trusted", "alias", "rules", "goes"),
    [
        ("ben@here", False, "sip:0900123@example.com", MEMBERS, False),
        ("ben@here", True, "sip:0900123@example.com", MEMBERS, True),
        ("ben@here", False, "sip:carl@example.com", MEMBERS, True),
        ("ben@here", False, "sip:0900123@example.com", BEFORE_OTHERS, False),
        ("ben@here", False, "sip:0900123@example.com", ELSEWHERE, False),
        ("", False, "sip:0900123@example.com", MEMBERS, True),
    ],
)
async def test_a_registered_device_is_not_told_to_call_at_the_cost_of_its_platform(
    registered: str, trusted: bool, alias: str, rules: Sequence[Rule], goes: bool
) -> None:
    """By REFER it would call as itself, whoever wanted that."""
    (desk,) = await desks("n1", plan=Plan(given=[*rules]))
    caller = await (await Caller(desk).call("bob", registered=registered)).media()
    caller.listener.goes = True
    await caller.session.conference.transfer(caller.me.uuid, alias, None, trusted=trusted)
    assert (caller.listener.referred != []) is goes


@pytest.mark.spec("CONF-118", "SVC-090")
@pytest.mark.parametrize(
    ("alias", "who", "by", "leads"),
    [
        ("bob", False, False, True),
        ("0900123", True, True, True),
        ("0900123", True, None, True),
        ("0900123", True, False, False),
        ("0900123", False, True, False),
        ("nobody", True, True, False),
    ],
)
async def test_where_somebody_can_be_sent(alias: str, who: bool, by: bool | None, leads: bool) -> None:
    (desk,) = await desks("n1", plan=Plan(given=MEMBERS))
    caller = await Caller(desk).call("bob", registered="ben" if who else "")
    sender = None if by is None else (await Caller(desk).call("bob", registered="eve" if by else "")).me
    assert desk.node.exchange.leads_on(alias, caller.me, sender) is leads


WAYS: dict[str, tuple[CallProtocol, dict[str, Any]]] = {
    "dialled": (SIP, {"alias": "sip:7890@10.0.0.1"}),
    "dialled behind a reception": (SIP, {"alias": "ivr**7890"}),
    "by the web app": (API, {"alias": "7890"}),
    "by the web app through a reception": (API, {"alias": "ivr", "extension": "7890"}),
    "as who takes another's place": (SIP, {"alias": "7890", "role": Role.HOST, "readmitted": True, "replaces": "x"}),
    "by a caller's own name": (SIP, {"alias": "7890", "remote_alias": "ann@example.com", "asserted_identity": "ann"}),
}


@pytest.mark.spec("SVC-090", "CONF-029", "SVC-083", "REF-138")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("registered", [True, False])
async def test_rules_for_registered_callers_are_for_nobody_else(way: str, registered: bool) -> None:
    (desk,) = await desks("n1", plan=Plan(given=[rule(r"7\d+", registered_only=True)]))
    protocol, request = WAYS[way]
    caller = Caller(desk, protocol)
    if registered:
        await (await caller.call(**request, registered="ann@example.com")).media()
        assert (await called(desk)).order.destination.removeprefix("sip:")[:4] == "7890"
        return
    with pytest.raises(CallRefused):
        await caller.call(**request)
    assert (desk.adapter.calls, desk.node.exchange.conferences) == ([], [])


@pytest.mark.spec("SVC-090", "SVC-055", "SVC-083", "REF-138")
@pytest.mark.parametrize("registered", ["", "ann@example.com"])
async def test_digits_at_a_reception_reach_no_more_than_who_keys_them(registered: str) -> None:
    (desk,) = await desks("n1", plan=Plan(given=[rule(r"7\d+", registered_only=True)]))
    caller = await (await Caller(desk).call("ivr", registered=registered)).media()
    (worker,) = desk.node.pool.workers
    worker.played.clear()
    caller.session.dtmf("to", "7890#")
    if registered:
        await until(lambda: caller.me.service_type is ServiceType.GATEWAY)
        return
    await until(lambda: worker.played != [])  # it is asked again
    assert (caller.me.service_type, desk.adapter.calls) == (ServiceType.IVR, [])
