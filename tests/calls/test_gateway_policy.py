"""Gateway calls that policy wants, or does not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.calls.test_gateway import Caller, called, rule
from tests.calls.test_outgoing import Desk, Plan, desks

from rostra.calls.policies import Found, Unasked
from rostra.calls.switchboard import CallRefused
from rostra.domain.service import Service
from rostra.domain.vocabulary import CallProtocol, ServiceType
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
    far = await called(desk)
    assert (far.order.destination, far.order.source, far.order.source_name) == ("eve@far.test", "desk@here", "Desk")
    (conference,) = desk.node.exchange.conferences
    made = conference.service.description
    assert (made.name, made.tag, made.call_type, made.crypto_mode) == ("By policy 1", "P", "audio", "on")
    assert made.themes == ("Blue",)
    assert (caller.session.service.max_callrate_in, far.session.service.max_callrate_out) == (64_000, 128_000)


@pytest.mark.spec("POL-032")
async def test_calls_that_policy_names_alike_do_not_meet() -> None:
    desk = await deciding(Found(call=WANTED), Plan())
    await (await Caller(desk).call("anything")).media()
    await (await called(desk)).answer()
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


@pytest.mark.spec("SVC-075", "POL-028")
@pytest.mark.parametrize(("answer", "placed"), [(Found(), True), (Found(refused=True), False)])
async def test_rules_follow_a_policy_that_says_nothing(answer: Found, placed: bool) -> None:
    desk = await deciding(answer, Plan(given=[rule()]))
    if not placed:
        with pytest.raises(CallRefused):
            await Caller(desk).call()
        return
    caller = await (await Caller(desk).call()).media()
    assert (await called(desk)).order.destination == "sip:ann@example.com"
    assert caller.me.service_type is ServiceType.GATEWAY
