"""Gateway calls that policy wants, or does not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.calls.test_gateway import Caller, rule
from tests.calls.test_gateway import called as far
from tests.calls.test_outgoing import Desk, Plan, desks

from rostra.calls.policies import Found, Unasked
from rostra.calls.switchboard import CallRefused
from rostra.domain.history import RuleMatched
from rostra.domain.service import Service
from rostra.domain.vocabulary import CallProtocol
from rostra.policy.questions import CallFacts
from rostra.policy.services import GatewayCall

SIP = CallProtocol.SIP


class Deciding(Unasked):
    """A policy that gives this answer."""

    decides_services = True

    def __init__(self, answer: Found) -> None:
        self.answer = answer

    async def service(self, call: CallFacts, configured: Any, calling: Service | None = None) -> Found:
        return self.answer


WANTED = GatewayCall(
    name="By policy 1", tag="P", source="desk@here", source_name="Desk", destination="eve@far.test", protocol=SIP,
    target="external", call_type="audio", location=None, proxy=None, theme="Blue", rate_in=64_000, rate_out=128_000,
    crypto_mode="on", stun_server=None, turn_server=None, dtmf_sequence="1",
)  # fmt: skip


async def deciding(answer: Found, plan: Plan) -> Desk:
    (desk,) = await desks("n1", plan=plan)
    desk.node.exchange._reaching._policies = Deciding(answer)
    return desk


@pytest.mark.spec("SVC-075", "POL-032", "POL-051")
async def test_policy_places_a_call() -> None:
    desk = await deciding(Found(call=WANTED), Plan())
    caller = await (await Caller(desk).call("anything")).media()
    other = await far(desk)
    shown = (other.order.destination, other.order.source, other.order.source_name)
    assert shown == (
        "eve@far.test",
        "desk@here",
        "Desk",
    )
    (conference,) = desk.node.exchange.conferences
    made = conference.service.description
    assert (made.name, made.tag, made.call_type, made.crypto_mode) == ("By policy 1", "P", "audio", "on")
    assert made.themes == ("Blue",)
    assert (made.host_view, made.guest_view, made.quality, made.description) == ("one_main_zero_pips",) * 2 + ("hd", "")
    assert (caller.session.service.max_callrate_in, other.session.service.max_callrate_out) == (64_000, 128_000)


@pytest.mark.spec("SVC-075", "POL-051")
async def test_how_the_call_looks_is_as_policy_says() -> None:
    wanted = msgspec.structs.replace(
        WANTED, quality="sd", view="five_mains_seven_pips", description="For Eve", enable_overlay_text=True,
        enable_active_speaker_indication=True, crypto_mode=None, stun_server=5, turn_server=6, location=1,
    )  # fmt: skip
    desk = await deciding(Found(call=wanted), Plan())
    caller = await (await Caller(desk).call("anything")).media()
    service = caller.session.conference.service
    made, onward = service.description, service.onward
    assert (made.quality, made.host_view, made.guest_view) == ("sd",) + ("five_mains_seven_pips",) * 2
    assert made.description == "For Eve"
    assert made.enable_overlay_text
    assert made.enable_active_speaker_indication
    assert made.crypto_mode == "besteffort"  # as the platform has it
    assert onward is not None
    assert (onward.stun, onward.turn, onward.routes[0].location) == (5, 6, 1)
    assert (await far(desk)).order.destination == "eve@far.test"


@pytest.mark.spec("POL-032")
async def test_calls_that_policy_names_alike_do_not_meet() -> None:
    desk = await deciding(Found(call=WANTED), Plan())
    await (await Caller(desk).call("anything")).media()
    await (await far(desk)).answer()
    other = Caller(desk, CallProtocol.API)
    with pytest.raises(CallRefused):
        await other.call("anything else")
    (conference,) = desk.node.exchange.conferences
    assert len(conference.participants) == 2


@pytest.mark.spec("POL-032")
async def test_a_call_that_policy_names_as_a_room_does_not_lead_into_it() -> None:
    (desk,) = await desks("n1", plan=Plan())
    await Caller(desk).call("open")
    desk.node.exchange._reaching._policies = Deciding(Found(call=msgspec.structs.replace(WANTED, name="Open")))
    with pytest.raises(CallRefused):
        await Caller(desk, CallProtocol.API).call("anything")
    (conference,) = desk.node.exchange.conferences
    assert len(conference.participants) == 1


class Following(Unasked):
    """A policy with a script that sees what is configured, and says this of it."""

    decides_services = True

    def __init__(self, says: str) -> None:
        self.says = says
        self.seen: list[str] = []

    async def service(self, call: CallFacts, configured: Any, calling: Service | None = None) -> Found:
        own = configured()
        self.seen.append(own.description.service_type if own else "")
        answers = {"nothing": Found(service=own), "no": Found(refused=True), "call": Found(call=WANTED)}
        return answers[self.says]


@pytest.mark.spec("SVC-075", "POL-027", "POL-028", "PLAT-198", "SVC-073")
@pytest.mark.parametrize(
    ("says", "alias", "match", "seen", "called"),
    [
        ("nothing", "open", ".*", "conference", None),
        ("nothing", "sip:ann@example.com", ".*", "gateway", "sip:ann@example.com"),
        ("nothing", "sip:ann@example.com", "other", "", 404),
        ("no", "sip:ann@example.com", ".*", "gateway", 404),
        ("call", "sip:ann@example.com", ".*", "gateway", "eve@far.test"),
        ("call", "sip:ann@example.com", "other", "", "eve@far.test"),
        ("nothing", "sip:ann@example.com", "(.*)|()", "", 404),
        ("call", "sip:ann@example.com", "(.*)|()", "", "eve@far.test"),
    ],
)
async def test_rules_are_asked_before_the_script(
    says: str, alias: str, match: str, seen: str, called: str | int | None
) -> None:
    """Services, then rules, then the script on what they made of the call (11, 2.4)."""
    (desk,) = await desks("n1", plan=Plan(given=[rule(match, replace=r"\2" if "()" in match else "")]))
    policy = desk.node.exchange._reaching._policies = Following(says)
    caller = Caller(desk)
    if isinstance(called, int):
        with pytest.raises(CallRefused) as refused:
            await caller.call(alias)
        assert refused.value.refusal.sip_status == called
        assert not [event for event in desk.node.events if isinstance(event, RuleMatched)]
    else:
        await (await caller.call(alias)).media()
    assert policy.seen == [seen]
    if isinstance(called, str):
        assert (await far(desk)).order.destination == called


@pytest.mark.spec("POL-027", "POL-030")
async def test_rules_for_callers_are_not_for_who_is_called() -> None:
    (desk,) = await desks("n1", plan=Plan(given=[rule(".*")]))
    policy = desk.node.exchange._reaching._policies = Following("nothing")
    assert await desk.node.exchange.admits("sip:ann@example.com", None, None) is False
    assert policy.seen == [""]
