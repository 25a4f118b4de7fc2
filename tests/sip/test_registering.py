"""Real telephones (baresip) register at the service, are called by the way they registered, and go."""

from __future__ import annotations

from pathlib import Path

import pytest

from rostra.calls.registrations import Registration
from rostra.calls.switchboard import NotDialled
from rostra.domain.history import RegistrationAdded, RegistrationDeleted
from rostra.domain.registration import Refused
from rostra.domain.vocabulary import CallProtocol
from rostra.sip.bindings import Binding
from rostra.sip.flow import Flow, Transport
from tests.e2e.baresip import Baresip, available
from tests.ports import free_port
from tests.sip.desk import Desk, desk
from tests.sip.test_calling import done, sipp, sipp_wanted

__all__ = ["desk"]

pytestmark = pytest.mark.skipif(not available(), reason="baresip is not installed")


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
