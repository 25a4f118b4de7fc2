"""A service that devices register at."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Sequence

import pytest

from rostra.calls.registrations import Admitted, Registry
from rostra.calls.switchboard import CallOrder, CallRequest
from rostra.domain.history import Event
from rostra.domain.registration import Device, Entry, Refused, RegistrarSettings
from rostra.domain.service import ServiceDescription
from rostra.domain.vocabulary import CallProtocol
from rostra.environment import Environment
from rostra.sip.registering import Registering
from rostra.sip.service import SipService
from rostra.sip.settings import SipSettings
from tests.sip.conftest import Running
from tests.sip.fakes import FakeSession, FakeSwitchboard

DEVICES = {
    "dora": Device(alias="dora"),
    "eric": Device(alias="eric", username="eric", password="sesame"),
}


class Rules:
    """Implements `Admissions`."""

    has_directory = False

    def __init__(self) -> None:
        self.failures: list[tuple[str, str, Refused]] = []

    def settings(self) -> RegistrarSettings:
        return RegistrarSettings()

    async def device(
        self, aliases: Sequence[str], protocol: CallProtocol, *, address: str, vendor: str = ""
    ) -> Admitted:
        return Admitted(next((DEVICES[alias] for alias in aliases if alias in DEVICES), None))

    def own(self, aliases: Sequence[str]) -> Device | None:
        return next((DEVICES[alias] for alias in aliases if alias in DEVICES), None)

    async def directory(self, text: str, alias: str) -> list[Entry]:
        return []

    def failed(self, address: str, alias: str, why: Refused) -> None:
        self.failures.append((address, alias, why))


class Desk(Running):
    """A service that devices register at."""

    registry: Registry
    rules: Rules
    told: list[Event]
    registering: Registering

    async def call(self, id: str) -> FakeSession:
        """Ring a registered device."""
        leg = self.service.leg(CallOrder(destination="any", registration=id, source="meet.demo"))
        session = FakeSession(
            leg,
            CallRequest(alias="meet.demo", protocol=CallProtocol.SIP),
            ServiceDescription(id=1, name="Demo", service_type="conference"),
        )
        leg.begin(session)  # type: ignore[arg-type]
        return session


@pytest.fixture
async def desk(environment: Environment, switchboard: FakeSwitchboard, tls: ssl.SSLContext) -> AsyncIterator[Desk]:
    told: list[Event] = []
    rules, registry = Rules(), Registry("n1", record=told.append)
    registering = Registering(registry, rules, b"secret")
    service = SipService(switchboard, environment, settings=SipSettings(server=tls), registering=registering)
    await service.start()
    desk = Desk(service, switchboard, environment.sip_port, environment.sip_tls_port)
    desk.registry, desk.rules, desk.told, desk.registering = registry, rules, told, registering
    yield desk
    await service.stop()
