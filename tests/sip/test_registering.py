"""Real telephones (baresip) register at the service, are called by the way they registered, and go."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from rostra.calls.registrations import Admitted, Registration, Registry
from rostra.calls.switchboard import CallOrder, CallRequest, NotDialled
from rostra.domain.history import Event, RegistrationAdded, RegistrationDeleted
from rostra.domain.registration import Device, Entry, Refused, RegistrarSettings
from rostra.domain.service import ServiceDescription
from rostra.domain.vocabulary import CallProtocol
from rostra.environment import Environment
from rostra.sip.bindings import Binding
from rostra.sip.flow import Flow, Transport
from rostra.sip.registering import Registering
from rostra.sip.service import SipService
from rostra.sip.settings import SipSettings
from tests.conftest import free_port
from tests.e2e.baresip import Baresip, available
from tests.sip.conftest import Running
from tests.sip.fakes import FakeSession, FakeSwitchboard
from tests.sip.test_calling import done, sipp, sipp_wanted

pytestmark = pytest.mark.skipif(not available(), reason="baresip is not installed")

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


@pytest.mark.spec("CONF-011", "CONF-014", "CONF-017", "CONF-024", "PLAT-205")
@pytest.mark.parametrize(("name", "password"), [("dora", ""), ("eric", "sesame")])
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_a_telephone_registers_is_called_and_goes(
    desk: Desk, tmp_path: Path, transport: str, name: str, password: str
) -> None:
    at = desk.tls_port if transport == "tls" else desk.port
    phone = Baresip(
        tmp_path, name=name, password=password, registrar=f"127.0.0.1:{at}", transport=transport, answers=True,
        port=free_port(),
    )  # fmt: skip
    async with phone:
        await desk.until(lambda: len(desk.registry) == 1)
        (one,) = desk.registry.all()
        assert (one.alias, one.username, one.remote_address) == (name, name if password else "", "127.0.0.1")
        assert one.vendor.startswith("baresip")
        assert not one.natted
        session = await desk.call(one.id)
        await desk.until(lambda: session.did("answered"))
        session.listener.disconnected("over")
        await phone.wait_for("CALL_CLOSED")
        await phone.dial(f"sip:meet.demo@127.0.0.1:{at}")
        await desk.until(lambda: len(desk.switchboard.sessions) == 1)
        assert desk.switchboard.sessions[0].request.registered == name
    await desk.until(lambda: len(desk.registry) == 0)
    assert [type(event) for event in desk.told] == [RegistrationAdded, RegistrationDeleted]
    with pytest.raises(NotDialled):
        await desk.call(one.id)
    assert desk.rules.failures == []


@pytest.mark.spec("CONF-013", "CONF-014", "CONF-034")
@pytest.mark.parametrize(
    ("name", "password", "why"), [("eric", "wrong", Refused.CREDENTIALS), ("stranger", "any", Refused.UNKNOWN)]
)
async def test_who_may_not_is_refused(desk: Desk, tmp_path: Path, name: str, password: str, why: Refused) -> None:
    async with Baresip(tmp_path, name=name, password=password, registrar=f"127.0.0.1:{desk.port}") as phone:
        await desk.until(lambda: "403 Forbidden" in phone.log)
    assert len(desk.registry) == 0
    assert {(alias, reason) for _, alias, reason in desk.rules.failures} == {(f"{name}@127.0.0.1", why)}


@sipp_wanted
@pytest.mark.spec("CONF-028")
async def test_a_device_does_not_send_us_elsewhere(desk: Desk) -> None:
    """It stands for itself: no call to somebody else is placed by its word."""
    port, elsewhere = free_port(), free_port()
    moved = await sipp("called_moved", port, elsewhere=elsewhere)
    flow = Flow(Transport.UDP, ("127.0.0.1", port), ("127.0.0.1", desk.port))
    desk.registry.add(
        Registration(
            id="r", alias="dora", protocol=CallProtocol.SIP, keeper=desk.registering.registrar, deadline=9e9,
            binding=Binding(uri=f"sip:dora@127.0.0.1:{port}", flow=flow, call_id="c", sequence=1),
        )
    )  # fmt: skip
    session = await desk.call("r")
    await desk.until(lambda: session.left)
    assert session.reason == "Call rejected"
    await done(moved)
