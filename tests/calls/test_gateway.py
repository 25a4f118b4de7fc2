"""Gateway calls on one and several nodes, with adapters that only remember."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from tests.calls.fakes import Listener
from tests.calls.people import until
from tests.calls.test_outgoing import Desk, Far, Plan, desks

from rostra.calls import legs
from rostra.calls.session import CallSession
from rostra.calls.switchboard import CallRefused, CallRequest, FarEnd, NotDialled
from rostra.conference.roster import Participant
from rostra.dialplan.outward import ONLY_REGISTERED
from rostra.dialplan.rules import Rule
from rostra.domain import gateway
from rostra.domain.dialling import Wanted
from rostra.domain.history import CallPlaced, ConferenceStarted, ParticipantEnded, ParticipantJoined, RuleMatched
from rostra.domain.media import MediaKind
from rostra.domain.registration import Held
from rostra.domain.vocabulary import CallProtocol, Role, ServiceType

SIP, API = CallProtocol.SIP, CallProtocol.API


def rule(match: str = r"(.+)@example\.com", **more: Any) -> Rule:
    return Rule(**({"id": 1, "name": "Out", "priority": 1, "match": match} | more))


class Caller:
    """Somebody who calls what is no service."""

    def __init__(self, desk: Desk, protocol: CallProtocol = SIP) -> None:
        self.exchange = desk.node.exchange
        self.protocol = protocol
        self.listener = Listener()
        self.listener.goes = False
        self.heard: list[FarEnd] = []
        self.session: CallSession

    async def call(self, alias: str = "sip:ann@example.com", **more: Any) -> Caller:
        request = CallRequest(
            **({"alias": alias, "protocol": self.protocol, "display_name": "Ben", "remote_alias": "ben@here"} | more)
        )
        self.session = await self.exchange.join(request, self.listener)
        self.session.on_far_end = self.heard.append
        return self

    async def media(self, call: str = "caller") -> Caller:
        if self.protocol is API:
            await self.session.open_webrtc(call, "offer")
        else:
            await self.session.reserve_rtp(call, (MediaKind.AUDIO, MediaKind.VIDEO))
        await self.session.confirm(call)
        return self

    @property
    def me(self) -> Participant:
        return self.session.participant


async def called(desk: Desk, count: int = 1) -> Far:
    await until(lambda: len(desk.adapter.calls) == count and desk.adapter.calls[-1].session is not None)
    return desk.adapter.calls[-1]


async def talking(
    rules: Sequence[Rule] = (rule(),), protocol: CallProtocol = SIP, **more: Any
) -> tuple[Desk, Caller, Far]:
    (desk,) = await desks("n1", plan=Plan(given=rules))
    caller = await (await Caller(desk, protocol).call(**more)).media()
    far = await called(desk)
    await far.answer()
    await until(lambda: caller.heard == [FarEnd.ANSWERED])
    return desk, caller, far


@pytest.mark.spec(
    "SVC-073", "SVC-077", "SVC-078", "SVC-079", "DIAG-021", "CONF-023", "DIAG-063", "DIAG-158", "PLAT-121"
)
async def test_two_parties_without_a_service() -> None:
    (desk,) = await desks("n1", plan=Plan(given=[rule(replace=r"\1@far.test", tag="T")]))
    caller = await Caller(desk).call()
    (conference,) = desk.node.exchange.conferences
    assert (conference.service.description.service_type, conference.service.description.tag) == ("gateway", "T")
    assert conference.name.startswith("Out:")
    assert desk.adapter.calls == []  # not before its own media has its room
    assert caller.me.splash
    await caller.media()
    far = await called(desk)
    order = far.order
    assert (order.destination, order.source, order.source_name) == ("ann@far.test", "ben@here", "Ben")
    assert (caller.me.service_type, caller.me.role) == (ServiceType.GATEWAY, Role.HOST)
    assert far.session.participant.service_type is ServiceType.CONNECTING
    assert caller.heard == []
    await far.session.ringing()
    assert caller.heard == [FarEnd.RINGING]
    await far.answer("phone")
    assert caller.heard == [FarEnd.RINGING, FarEnd.ANSWERED]
    assert (far.session.participant.service_type, far.session.participant.is_ringing) == (ServiceType.GATEWAY, False)
    assert (caller.me.splash, caller.me.prompt) == ("", "")
    started = [event for event in desk.node.events if isinstance(event, ConferenceStarted)]
    assert [(event.service_type, event.tag) for event in started] == [("gateway", "T")]
    joined = [event.participant for event in desk.node.events if isinstance(event, ParticipantJoined)]
    assert {one.role for one in joined} == {"unknown"}
    (placed,) = [event for event in desk.node.events if isinstance(event, CallPlaced)]
    assert (placed.conference, placed.destination, placed.alias) == (conference.name, "ann@far.test", "ben@here")
    (matched,) = [event for event in desk.node.events if isinstance(event, RuleMatched)]
    assert (matched.name, matched.tag, matched.parsed) == ("Out", "T", "ann@example.com")


def routes(desk: Desk) -> dict[str, tuple[bool, bool]]:
    """Who speaks and who hears, by the call."""
    composed = desk.node.pool.workers[0].composed[-1].audio
    return {call: (route.speaks, route.hears) for call, route in composed.items()}


@pytest.mark.spec("SVC-077", "PLAT-075")
@pytest.mark.parametrize("protocol", [SIP, API])
async def test_early_media_is_heard_by_the_caller_alone(protocol: CallProtocol) -> None:
    """What the called network says before anybody has answered: its ringing tone, or an announcement."""
    (desk,) = await desks("n1", plan=Plan(given=[rule()]))
    caller = await (await Caller(desk, protocol).call()).media()
    far = await called(desk)
    await far.session.ringing()
    (worker,) = desk.node.pool.workers
    worker.started.clear()
    await far.session.open_webrtc("far", "offer")
    await far.session.ringing(early=True)
    await far.session.ringing()  # a 180 that comes after it says no more
    await until(lambda: caller.heard == [FarEnd.RINGING, FarEnd.EARLY])
    await until(lambda: routes(desk) == {"caller": (True, True), "far": (True, False)})
    await until(lambda: worker.started == {"caller"})  # and nothing of it goes out
    assert worker.early == {"caller"}, "who has proved nothing yet"
    there = far.session.participant
    assert (there.service_type, there.early, there.is_ringing) == (ServiceType.CONNECTING, True, False)
    assert caller.me.splash == ""  # there is a picture instead
    await far.session.confirm("far")
    await far.session.answered()
    await until(lambda: caller.heard[-1] is FarEnd.ANSWERED)
    await until(lambda: routes(desk) == {"caller": (True, True), "far": (True, True)})


@pytest.mark.spec("SVC-077", "SVC-111")
async def test_early_media_comes_from_another_node() -> None:
    one, two = await desks("n1", "n2", plan=Plan(given=[rule(outgoing_location=2)]), locations=[1, 2])
    caller = await (await Caller(one).call()).media()
    far = await called(two)
    await far.session.open_webrtc("far", "offer")
    await far.session.ringing(early=True)
    await until(lambda: caller.heard == [FarEnd.EARLY])
    (theirs,) = two.node.pool.workers
    await until(lambda: routes(two).get("far") == (True, False))
    await until(lambda: [stream.source for stream in theirs.sending.values()] == ["mix:n2"])


@pytest.mark.spec("CONF-107")
async def test_a_conference_does_not_hear_early_media() -> None:
    (desk,) = await desks("n1")
    host = await Caller(desk).call("open")
    await host.media()
    await desk.node.exchange.dial("open", Wanted(destination="sip:ann@example.com", role=Role.GUEST))
    far = await called(desk)
    await far.session.open_webrtc("far", "offer")
    await far.session.ringing(early=True)
    await until(lambda: far.session.participant.is_ringing)
    await until(lambda: routes(desk).get("far") == (False, False))


@pytest.mark.spec("SVC-074", "PLAT-199")
async def test_a_service_is_found_before_any_rule() -> None:
    (desk,) = await desks("n1", plan=Plan(given=[rule(".*")]))
    caller = await Caller(desk).call("open")
    assert caller.me.service_type is ServiceType.CONFERENCE


@pytest.mark.spec("SVC-077")
@pytest.mark.parametrize("protocol", [SIP, API])
async def test_each_end_ends_it(protocol: CallProtocol) -> None:
    desk, caller, far = await talking(protocol=protocol)
    await far.session.leave()
    await until(lambda: caller.listener.reasons == ["Call disconnected"])
    await until(lambda: desk.node.exchange.conferences == [])

    desk, caller, far = await talking(protocol=protocol)
    await caller.session.leave()
    await until(lambda: far.reasons == ["Call disconnected"])
    await until(lambda: desk.node.exchange.conferences == [])
    assert desk.node.ledger.used == 0
    assert desk.node.exchange.debug_state()["sessions"] == 0


@pytest.mark.spec("SVC-077")
async def test_who_gives_up_while_it_rings() -> None:
    (desk,) = await desks("n1", plan=Plan(given=[rule()]))
    caller = await (await Caller(desk).call()).media()
    far = await called(desk)
    await caller.session.leave()
    await until(lambda: far.reasons == ["Call disconnected"])


@pytest.mark.spec("SVC-077", "SVC-111")
@pytest.mark.parametrize("location", [None, 2])
async def test_who_gives_up_while_the_call_is_being_placed(
    location: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is called for a caller who is not there any more, whichever node calls."""
    given = rule(outgoing_location=location)
    one, two = await desks("n1", "n2", plan=Plan(given=[given]), locations=[1, 2])
    desk = two if location else one
    outgoing, asked, go = desk.node.exchange.outgoing, asyncio.Event(), asyncio.Event()
    place, outcomes = outgoing.place, list[str]()

    async def slow(*wanted: Any) -> tuple[str, ...]:
        asked.set()
        await go.wait()
        try:
            return await place(*wanted)
        except NotDialled as problem:
            outcomes.append(problem.reason)
            raise

    monkeypatch.setattr(outgoing, "place", slow)
    caller = await (await Caller(one).call()).media()
    await asked.wait()
    await caller.session.leave()
    go.set()
    await until(lambda: outcomes == ["Call cancelled"])
    assert not any(far.session for far in desk.adapter.calls)
    await until(lambda: [one.node.exchange.conferences, two.node.exchange.conferences] == [[], []])


@pytest.mark.spec("API-079", "SVC-077")
@pytest.mark.parametrize(
    ("protocol", "said", "told", "status"),
    [
        (SIP, "Called party busy", "Called party busy", 486),
        (SIP, "Called party not found", "Called party not found", 404),
        (SIP, "No answer", "No answer", 408),
        (SIP, "Destination cannot be reached", "Destination cannot be reached", 480),
        (SIP, "Call rejected", "Call rejected", 603),
        (SIP, "No common media", "No common media", 488),
        (API, "Call rejected", "Call rejected", 603),
        (API, "Called party busy", "Gateway dial out failed", 480),
        (API, "No answer", "Gateway dial out failed", 480),
    ],
)
async def test_why_nobody_is_there(protocol: CallProtocol, said: str, told: str, status: int) -> None:
    (desk,) = await desks("n1", plan=Plan(given=[rule()]))
    caller = await (await Caller(desk, protocol).call()).media()
    await (await called(desk)).session.leave(said)
    await until(lambda: caller.listener.reasons == [told])
    assert gateway.sip_status(told) == status
    ended = [event.disconnect_reason for event in desk.node.events if isinstance(event, ParticipantEnded)]
    assert ended == [said, told]


@pytest.mark.spec(
    "SVC-078", "SVC-090", "SVC-102", "CONF-027", "CONF-028", "CONF-029", "CONF-033", "PLAT-131", "SYS-107"
)
@pytest.mark.spec("CONF-108")
@pytest.mark.parametrize(
    ("plan", "more", "status"),
    [
        (Plan(), {}, 404),
        (Plan(given=[rule("other")]), {}, 404),
        (Plan(given=[rule(registered_only=True)]), {}, 404),
        (Plan(given=[rule(target=ONLY_REGISTERED)]), {}, 480),
        (Plan(given=[rule(replace=r"\2")]), {}, 404),
        (Plan(given=[rule()], permitted=False), {}, 403),
        (Plan(given=[rule()]), {"trail": (gateway.mark("platform", "ann@example.com"),)}, 482),
        (Plan(given=[rule()]), {"trail": tuple(map(str, range(20)))}, 482),
    ],
)
async def test_what_is_refused_at_once(plan: Plan, more: dict[str, Any], status: int) -> None:
    (desk,) = await desks("n1", plan=plan)
    with pytest.raises(CallRefused) as refused:
        await Caller(desk).call(**more)
    assert refused.value.refusal.sip_status == status
    assert (desk.node.exchange.conferences, desk.adapter.calls) == ([], [])


@pytest.mark.spec("CONF-029", "SVC-090", "PLAT-131")
async def test_registered_callers_may_do_more() -> None:
    _, caller, _ = await talking([rule(registered_only=True)], registered="ben@here")
    assert caller.me.service_type is ServiceType.GATEWAY


@pytest.mark.spec("CONF-028")
async def test_a_call_that_is_passed_on_says_so() -> None:
    _, _, far = await talking(trail=("abc",), hops=9)
    ((name, value),) = far.order.headers
    assert (name, value) == (gateway.TRAIL, f"abc,{gateway.mark('platform', 'ann@example.com')}")
    assert far.order.hops == 8
    assert gateway.loops(gateway.trail(value), gateway.mark("platform", "Ann@example.com"))
    assert not gateway.loops(gateway.trail(value), gateway.mark("other", "ann@example.com"))
    assert gateway.trail("a b, é, " + "x" * 40) == ()


@pytest.mark.spec("SVC-080", "API-119")
async def test_keys_are_for_the_other_end() -> None:
    desk, caller, far = await talking()
    (worker,) = desk.node.pool.workers
    caller.session.dtmf("caller", "1#")
    leg = f"c-{far.session.participant.uuid}"
    await until(lambda: worker.digits == [(leg, "1"), (leg, "#")])
    far.session.pressed("9")
    await until(lambda: worker.digits[-1] == ("caller", "9"))


@pytest.mark.spec("SVC-081", "SVC-098", "PLAT-059")
async def test_bandwidth_of_the_rule() -> None:
    _, caller, far = await talking([rule(rate_in=512, rate_out=768)])
    assert caller.session.service.max_callrate_in == 512_000
    assert far.session.service.max_callrate_out == 768_000
    assert far.session.service.max_callrate_in == 4_000_000


@pytest.mark.spec("SVC-099", "CONF-156")
@pytest.mark.parametrize(
    ("call_type", "video", "offered"),
    [("audio", True, "audio"), ("video", False, "video"), ("auto", True, "video"), ("auto", False, "audio")],
)
async def test_what_the_called_party_may_have(call_type: str, video: bool, offered: str) -> None:
    (desk,) = await desks("n1", plan=Plan(given=[rule(call_type=call_type)]))
    caller = await Caller(desk, API).call()
    await caller.session.open_webrtc("caller", "offer", media_type="video" if video else "audio")
    if not video:  # as a worker answers that offer
        caller.session._calls["caller"].video = False
    far = await called(desk)
    assert far.session.service.call_type == offered


@pytest.mark.spec("SVC-100", "PLAT-207", "REF-001")
async def test_the_theme_of_the_rule() -> None:
    (desk,) = await desks("n1", plan=Plan(given=[rule(theme=7)]))
    await Caller(desk).call()
    (conference,) = desk.node.exchange.conferences
    assert conference.service.description.themes == ("7",)


async def test_media_settings_of_the_rule() -> None:
    (desk,) = await desks("n1", plan=Plan(given=[rule(quality="sd", crypto_mode="on", disabled_codecs=("opus",))]))
    await Caller(desk).call()
    made = desk.node.exchange.conferences[0].service.description
    assert (made.quality, made.crypto_mode, made.disabled_codecs) == ("sd", "on", ("opus",))


@pytest.mark.spec("SVC-111", "PLAT-033", "PLAT-074", "SVC-079")
async def test_placed_from_another_location() -> None:
    one, two = await desks("n1", "n2", plan=Plan(given=[rule(outgoing_location=2)]), locations=[1, 2])
    caller = await (await Caller(one).call()).media()
    far = await called(two)
    assert one.adapter.calls == []
    await far.session.ringing()
    await until(lambda: caller.heard == [FarEnd.RINGING])
    await far.answer()
    await until(lambda: caller.heard == [FarEnd.RINGING, FarEnd.ANSWERED])
    await caller.session.leave()
    await until(lambda: far.reasons == ["Call disconnected"])
    await until(lambda: [one.node.exchange.conferences, two.node.exchange.conferences] == [[], []])


@pytest.mark.spec("SVC-111")
async def test_what_another_node_was_told() -> None:
    one, two = await desks("n1", "n2", plan=Plan(given=[rule(outgoing_location=2)]), locations=[1, 2])
    caller = await (await Caller(one).call()).media()
    await (await called(two)).session.leave("Called party busy")
    await until(lambda: caller.listener.reasons == ["Called party busy"])


@pytest.mark.spec("SVC-111")
async def test_a_node_that_dies_takes_its_end_with_it() -> None:
    one, two = await desks("n1", "n2", plan=Plan(given=[rule(outgoing_location=2)]), locations=[1, 2])
    caller = await (await Caller(one).call()).media()
    far = await called(two)
    await far.answer()
    await until(lambda: caller.heard == [FarEnd.ANSWERED])
    one.node.bus.network.kill("n2")
    await until(lambda: caller.listener.reasons != [])


@pytest.mark.spec("SVC-111")
async def test_a_node_that_dies_before_anybody_has_seen_whom_it_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has answered that it calls: the caller does not wait for ever, and is told by the right status."""
    monkeypatch.setattr("rostra.calls.gateway.APPEARS", 0.05)
    one, two = await desks("n1", "n2", plan=Plan(given=[rule(outgoing_location=2)]), locations=[1, 2])

    async def vanish(*_: Any) -> tuple[str, ...]:
        asyncio.get_running_loop().call_soon(one.node.bus.network.kill, "n2")
        return ("somebody",)

    monkeypatch.setattr(two.node.exchange.outgoing, "place", vanish)
    caller = await (await Caller(one).call()).media()
    await until(lambda: caller.listener.reasons == ["Destination cannot be reached"])
    assert gateway.sip_status(caller.listener.reasons[0]) == 480
    await until(lambda: (one.node.exchange.conferences, one.node.ledger.used) == ([], 0))


@pytest.mark.spec("PLAT-085", "PLAT-073", "PLAT-074", "POL-119")
async def test_backplanes_between_the_nodes_of_its_ends_are_booked() -> None:
    """Two legs on two nodes: the media and a backplane of each."""
    one, two = await distributed()
    caller = await (await Caller(one).call()).media()
    assert one.node.ledger.used == 12  # as long as it is on one node, its legs are all it costs
    far = await called(two)
    await far.answer()
    await until(lambda: caller.heard == [FarEnd.ANSWERED])
    assert [desk.node.ledger.used for desk in (one, two)] == [24, 24]
    await caller.session.leave()
    await until(lambda: [desk.node.ledger.used for desk in (one, two)] == [0, 0])


@pytest.mark.spec("PLAT-085", "POL-119")
@pytest.mark.parametrize("capacity", [(23, 1200), (1200, 23)])
async def test_without_room_for_a_backplane_at_either_end_neither_leg_is_set_up(capacity: tuple[int, int]) -> None:
    one, two = await distributed()
    one.node.ledger.capacity, two.node.ledger.capacity = capacity
    two.adapter.leg = Refusing  # type: ignore[method-assign, assignment]
    caller = await (await Caller(one).call()).media()
    await until(lambda: caller.listener.reasons == ["Out of resource"])
    await until(lambda: [desk.node.ledger.used for desk in (one, two)] == [0, 0])


@pytest.mark.spec("PLAT-085")
async def test_calls_move_away_from_a_node_that_is_full() -> None:
    """It is not asked for a backplane to where they go."""
    one, two = await distributed(rule(), locations=[1, 1])
    caller = await (await Caller(one).call()).media()
    far = await called(one)
    await far.answer()
    full, other = (one.node, two.node) if one.node.ledger.used else (two.node, one.node)
    full.ledger.capacity = full.ledger.used
    assert await full.exchange.move_calls_away() == 2
    await until(lambda: bool(caller.listener.lost and far.lost))
    await caller.media()
    await far.answer()
    assert other.ledger.used == 36
    assert (caller.listener.reasons, far.reasons) == ([], [])


async def distributed(route: Rule | None = None, locations: Sequence[int] = (1, 2)) -> list[Desk]:
    """Two nodes of a platform that reserves backplanes, each in a location of its own unless said otherwise."""
    plan = Plan(given=[route or rule(outgoing_location=2)])
    found = await desks("n1", "n2", plan=plan, locations=[*locations])
    for desk in found:
        desk.node.exchange._anchors._atlas.reserved = 12  # type: ignore[attr-defined]
    return found


async def test_nobody_in_the_location() -> None:
    (desk,) = await desks("n1", plan=Plan(given=[rule(outgoing_location=9)]))
    caller = await (await Caller(desk).call()).media()
    await until(lambda: caller.listener.reasons == ["No Conferencing Node of the location is available"])


@pytest.mark.spec("SVC-101", "SVC-105", "CONF-023", "CONF-024", "CONF-025", "CONF-027")
async def test_registered_devices_come_first() -> None:
    devices = [Held(id=name, alias="ann@example.com", protocol=SIP, node=name) for name in ("n1", "n2")]
    one, two = await desks("n1", "n2", plan=Plan(given=[rule(protocol=CallProtocol.H323)], devices=devices))
    caller = await (await Caller(one).call()).media()
    first, second = await called(one), await called(two)
    assert (first.order.registration, second.order.registration) == ("n1", "n2")
    await first.session.leave("Called party busy")
    await asyncio.sleep(0)
    assert caller.listener.reasons == []
    await second.answer()
    await until(lambda: caller.heard == [FarEnd.ANSWERED])
    await second.session.leave()
    await until(lambda: caller.listener.reasons == ["Call disconnected"])


@pytest.mark.spec("CONF-025")
async def test_the_first_device_that_answers() -> None:
    devices = [Held(id=name, alias="ann@example.com", protocol=SIP, node="n1") for name in ("a", "b")]
    (desk,) = await desks("n1", plan=Plan(given=[rule()], devices=devices))
    caller = await (await Caller(desk).call()).media()
    await called(desk, 2)
    first, second = desk.adapter.calls
    await second.answer()
    await until(lambda: first.reasons == ["Call answered elsewhere"])
    assert caller.heard == [FarEnd.ANSWERED]
    assert caller.listener.reasons == []


@pytest.mark.spec("POL-119", "PLAT-076", "PLAT-084")
async def test_both_legs_fit_or_neither_is_set_up() -> None:
    desk, _, far = await talking()
    assert desk.node.ledger.used == 24
    await far.session.leave()
    (desk,) = await desks("n1", plan=Plan(given=[rule()]))
    desk.node.ledger.capacity = 23
    desk.adapter.leg = Refusing  # type: ignore[method-assign, assignment]
    caller = await (await Caller(desk).call()).media()
    await until(lambda: caller.listener.reasons == ["Out of resource"])
    await until(lambda: desk.node.ledger.used == 0)


class Refusing(Far):
    """Its media finds no room, as the SIP adapter does before it sends anything."""

    def begin(self, session: Any) -> None:
        super().begin(session)
        self.task = asyncio.get_running_loop().create_task(self._try())

    async def _try(self) -> None:
        try:
            await self.session.reserve_rtp("far", (MediaKind.AUDIO, MediaKind.VIDEO))
        except CallRefused as refused:
            await self.session.leave(refused.text)


@pytest.mark.spec("PLAT-087")
async def test_a_browser_keeps_room_to_present() -> None:
    desk, caller, far = await talking(protocol=API)
    assert desk.node.ledger.used == 36
    await caller.session.take_floor()
    assert desk.node.ledger.used == 36
    await far.session.leave()
    await until(lambda: desk.node.ledger.used == 0)


@pytest.mark.spec("SVC-077")
async def test_hold_and_presentation_are_those_of_a_conference() -> None:
    _, caller, far = await talking()
    await far.session.take_floor()
    await until(lambda: caller.listener.presenters == [far.session.participant.uuid])
    await caller.session.conference.hold(caller.me.uuid, True)
    assert caller.me.is_on_hold


@pytest.mark.spec("CONF-118")
async def test_who_was_called_can_be_sent_to_a_conference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(legs, "MOVING", 0.1)  # its media does not follow
    desk, caller, far = await talking()
    await caller.session.conference.transfer(far.session.participant.uuid, "open", None)
    await until(lambda: caller.listener.reasons == ["Call disconnected"])
    await until(lambda: len(desk.node.exchange.conferences) == 1)
    (conference,) = desk.node.exchange.conferences
    assert (conference.name, far.session.participant.service_type) == ("Open", ServiceType.CONFERENCE)


@pytest.mark.spec("SVC-055", "REF-138")
async def test_from_a_reception_by_rules() -> None:
    """What is keyed there reaches whatever rules reach."""
    (desk,) = await desks("n1", plan=Plan(given=[rule("1234567")]))
    with pytest.raises(CallRefused):
        await Caller(desk).call("ivr**7777777")
    (desk,) = await desks("n1", plan=Plan(given=[rule(r"7\d+")]))
    caller = await Caller(desk).call("ivr")
    assert caller.me.service_type is ServiceType.IVR
    await caller.session.reserve_rtp("caller", (MediaKind.AUDIO,))
    await caller.session.confirm("caller")
    caller.session.dtmf("caller", "7890#")
    await until(lambda: caller.me.service_type is ServiceType.GATEWAY)
    await caller.session.reserve_rtp("caller", (MediaKind.AUDIO,))  # its media follows
    assert (await called(desk)).order.destination == "7890"


@pytest.mark.spec("CONF-104")
async def test_a_conference_does_not_call_by_incoming_rules() -> None:
    (desk,) = await desks("n1", plan=Plan(given=[rule(".*")]))
    with pytest.raises(NotDialled):
        await desk.node.exchange.dial("open", Wanted(destination="ann@example.com", protocol=None))
