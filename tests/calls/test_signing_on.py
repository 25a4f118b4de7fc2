"""Who has to sign on, and who cannot, at the switchboard (API-036)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest
from tests.calls.fakes import FakePool, Listener
from tests.calls.network import Network, Node
from tests.calls.people import PINS, service, settle

from rostra.calls.exchange import Exchange
from rostra.calls.session import CallSession
from rostra.calls.switchboard import CallRefused, CallRequest, IdentityRequired, PinRequired
from rostra.domain.reception import ReceptionRules
from rostra.domain.signon import Identity, SignOnRules
from rostra.domain.vocabulary import CallProtocol, Role, ServiceType

IDP = ("idp-1",)
ADA = Identity(provider="idp-1", name="Ada")


def guarded(name: str, rules: SignOnRules, *, pins: bool = False, **more: object) -> object:
    made = service(name, PINS, **more) if pins else service(name, **more)
    return msgspec.structs.replace(made, sign_on=rules)


SERVICES = {
    "all": guarded("All", SignOnRules(hosts=IDP, guests=IDP)),
    "trusting": guarded("Trusting", SignOnRules(hosts=IDP, guests=IDP, others_if_trusted=True)),
    "hosts": guarded("Hosts", SignOnRules(hosts=IDP), pins=True),
    "4444": guarded("Numbered", SignOnRules(hosts=IDP, guests=IDP)),
    "ivr": service("Reception", service_type="two_stage_dialing", reception=ReceptionRules()),
}


@pytest.fixture
async def exchange() -> AsyncIterator[Exchange]:
    node = await Node(Network(), "n1", lambda alias: SERVICES.get(alias.lower()), pool=FakePool()).start()
    yield node.exchange
    await node.exchange.close()


async def join(
    exchange: Exchange, alias: str, protocol: CallProtocol = CallProtocol.API, **more: object
) -> CallSession:
    request = CallRequest(alias=alias, protocol=protocol, display_name="Ada", **more)  # type: ignore[arg-type]
    return await exchange.join(request, Listener())


@pytest.mark.spec("API-036")
async def test_clients_sign_on_after_the_pin(exchange: Exchange) -> None:
    with pytest.raises(IdentityRequired) as wanted:
        await join(exchange, "all")
    assert wanted.value.providers == IDP
    with pytest.raises(IdentityRequired):
        await join(exchange, "all", identity=Identity(provider="other"))
    session = await join(exchange, "all", identity=ADA)
    assert session.participant.idp == "idp-1"
    with pytest.raises(PinRequired):
        await join(exchange, "hosts", identity=ADA)
    with pytest.raises(IdentityRequired):
        await join(exchange, "hosts", pin="1234")
    assert (await join(exchange, "hosts", pin="")).participant.role is Role.GUEST
    assert (await join(exchange, "hosts", pin="1234", identity=ADA)).participant.role is Role.HOST
    assert (await join(exchange, "all", role=Role.GUEST)).participant.role is Role.GUEST, "the platform sends it"


async def test_systems_that_cannot_sign_on_stay_out_unless_they_are_trusted(exchange: Exchange) -> None:
    for alias, more in (("all", {}), ("all", {"registered": "desk"}), ("trusting", {})):
        with pytest.raises(CallRefused, match="SSO Authentication Failed"):
            await join(exchange, alias, CallProtocol.SIP, **more)
    trusted = await join(exchange, "trusting", CallProtocol.SIP, registered="desk")
    assert trusted.participant.joined


async def test_a_pin_on_a_keypad_is_no_way_around(exchange: Exchange) -> None:
    guest = await join(exchange, "hosts", CallProtocol.SIP)
    assert guest.participant.role is Role.GUEST
    guest.dtmf("c", "1234")
    await settle()
    assert guest.participant.role is Role.GUEST, "it stays what it is"


async def test_nor_is_a_reception(exchange: Exchange) -> None:
    caller = await join(exchange, "ivr", CallProtocol.SIP)
    assert caller.participant.service_type is ServiceType.IVR
    assert await exchange.transfers.connect(caller, "4444") is False
    assert caller.participant.service_type is ServiceType.IVR
    assert all(conference.name != "Numbered" for conference in exchange.conferences)
