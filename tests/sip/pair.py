"""Two of our own services that call each other over loopback."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from rostra.calls.switchboard import CallOrder, CallRequest
from rostra.dialplan.outward import Hop
from rostra.domain.service import ServiceDescription
from rostra.domain.vocabulary import CallProtocol
from rostra.environment import Environment
from rostra.sip.resolving import DnsResolver
from rostra.sip.service import SipService
from rostra.sip.settings import SipSettings
from tests.ports import free_port
from tests.sip.conftest import Running
from tests.sip.dns_server import NameServer
from tests.sip.fakes import FakeSession, FakeSwitchboard


@contextlib.asynccontextmanager
async def serving(environment: Environment, settings: SipSettings | None = None) -> AsyncIterator[Running]:
    """A service of its own, on free ports."""
    own = dataclasses.replace(environment, sip_port=free_port(), sip_tls_port=free_port())
    switchboard = FakeSwitchboard()
    service = SipService(switchboard, own, settings=settings, registry=CollectorRegistry())
    await service.start()
    try:
        yield Running(service, switchboard, own.sip_port, own.sip_tls_port)
    finally:
        await service.stop()


def resolving(server: NameServer) -> DnsResolver:
    return DnsResolver(["127.0.0.1"], port=server.port, hosts=Path("/nonexistent"))


def call(running: Running, destination: str, *, hop: Hop | None = None, **more: Any) -> FakeSession:
    """A call of ours that has begun."""
    order = CallOrder(destination=destination, hop=hop, source="us", **more)
    leg = running.service.leg(order)
    request = CallRequest(alias="us", protocol=CallProtocol.SIP)
    session = FakeSession(leg, request, ServiceDescription(id=1, name="Demo", service_type="conference"))
    leg.begin(session)  # type: ignore[arg-type]
    return session


async def answered(running: Running, session: FakeSession) -> None:
    await running.until(lambda: session.did("answered") or session.left)
    assert session.did("answered"), session.reason


async def ended(running: Running, session: FakeSession) -> None:
    """The platform ends it, and it is over."""
    session.listener.disconnected("over")
    await running.until(lambda: session.left)
