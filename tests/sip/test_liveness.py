"""Proxies are asked whether they are there; places that failed are tried last."""

from __future__ import annotations

import dataclasses

import pytest

from rostra.dialplan.outward import Hop
from rostra.environment import Environment
from rostra.sip import liveness, outgoing
from rostra.sip.flow import Flow, Transport
from rostra.sip.liveness import AVOIDED, Liveness, Unwell, well_first
from rostra.sip.locating import Place, Wanted
from rostra.sip.settings import SipSettings
from tests.ports import free_port
from tests.sip.conftest import Running
from tests.sip.dns_server import NameServer
from tests.sip.pair import answered, call, ended, resolving, serving

PLACES = [Place(Transport.UDP, f"192.0.2.{n}", 5060, "proxy.test") for n in range(3)]


async def test_places_that_failed_come_last_for_a_while() -> None:
    now = 0.0
    unwell = Unwell(lambda: now)

    async def ways():  # type: ignore[no-untyped-def]
        for place in PLACES:
            yield place

    async def order() -> list[int]:
        return [PLACES.index(place) async for place in well_first(ways(), unwell)]

    unwell.failed(PLACES[0])
    unwell.failed(PLACES[1])
    assert await order() == [2, 0, 1]
    unwell.well(PLACES[1])
    assert await order() == [1, 2, 0]
    now = AVOIDED + 1
    assert await order() == [0, 1, 2]


@pytest.mark.parametrize("transport", ["UDP", "TCP", "TLS"])
async def test_a_proxy_comes_and_goes(
    environment: Environment, running: Running, monkeypatch: pytest.MonkeyPatch, transport: str
) -> None:
    monkeypatch.setattr(liveness, "INTERVAL", 0.05)
    monkeypatch.setattr(liveness, "WAIT", 0.3)
    port = running.tls_port if transport == "TLS" else running.port
    proxy = Wanted("127.0.0.1", port, Transport(transport))
    context = running.service._settings.client
    context.verify_mode = context.verify_mode.CERT_NONE
    async with serving(environment, SipSettings(proxies=(proxy,), client=context)) as ours:
        name = f"127.0.0.1:{port}"
        await ours.until(lambda: ours.service.debug_state()["proxies"] == {name: True})
        assert "OPTIONS" in running.service.debug_state()["requests"]  # type: ignore[operator]
        await running.service.apply(dataclasses.replace(running.service._settings, streams=False, datagrams=False))
        await ours.until(lambda: ours.service.debug_state()["proxies"] == {name: False})
        await ours.service.apply(SipSettings())
        assert ours.service.debug_state()["proxies"] == {}


async def test_calls_pass_by_what_is_known_to_be_dead(
    running: Running, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for the first place, which keeps silent: the question before the call has shown it."""
    monkeypatch.setattr(liveness, "WAIT", 0.2)
    monkeypatch.setattr(outgoing, "PATIENCE", 60.0)
    zone = {
        ("_sip._udp.proxy.test", "SRV"): [f"1 1 {free_port()} a.test.", f"2 1 {running.port} a.test."],
        ("a.test", "A"): ["127.0.0.1"],
    }
    async with NameServer(zone) as server:
        settings = SipSettings(proxies=(Wanted("proxy.test", None, Transport.UDP),), resolver=resolving(server))
        async with serving(environment, settings) as ours:
            await ours.until(lambda: ours.service.debug_state()["proxies"] == {"proxy.test": True})
            session = call(ours, "meet.demo@127.0.0.1", hop=Hop(address="proxy.test", transport="udp"))
            await answered(ours, session)
            await ended(ours, session)


@pytest.mark.spec("SYS-146")
@pytest.mark.parametrize("configured", [None, *Transport])
@pytest.mark.parametrize("came", list(Transport))
def test_a_datagram_counts_for_a_proxy_only_where_it_is_used_by_udp(
    configured: Transport | None, came: Transport
) -> None:
    """Anybody can write its address on one."""
    liveness = Liveness(None, Unwell(lambda: 0.0))  # type: ignore[arg-type]
    proxy = Wanted("proxy.test", None, configured)
    liveness._proxies = (proxy,)
    liveness._found = {proxy: frozenset({"192.0.2.5"})}
    ours, there, elsewhere = ("192.0.2.1", 5060), ("192.0.2.5", 5060), ("192.0.2.6", 5060)
    assert liveness.vouches(Flow(came, there, ours)) is (came.reliable or configured is Transport.UDP)
    assert not liveness.vouches(Flow(came, elsewhere, ours))
