"""Transfers of gateway calls by a telephone: the SIP service with a real switchboard, and media that is none."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator

import pytest
from prometheus_client import CollectorRegistry

from rostra.environment import Environment
from rostra.sip.service import SipService
from tests.calls.people import until
from tests.calls.test_connecting import follow
from tests.calls.test_gateway import called, rule
from tests.calls.test_outgoing import Desk as Node
from tests.calls.test_outgoing import Far, Plan, desks
from tests.e2e.desk import Desk, Dialog
from tests.ports import free_port


@dataclasses.dataclass
class Office:
    """A desk telephone, and the node that it calls."""

    node: Node
    desk: Desk
    port: int

    async def call(self, alias: str, count: int) -> tuple[Dialog, Far]:
        """A gateway call that talks."""
        calling = asyncio.create_task(asyncio.to_thread(self.desk.call, alias))
        far = await called(self.node, count)
        await far.answer()
        return await calling, far

    def together(self) -> list[list[str]]:
        return [
            sorted(one.display_name or one.uri for one in each.participants)
            for each in self.node.node.exchange.conferences
        ]


@pytest.fixture
async def office(environment: Environment) -> AsyncIterator[Office]:
    (node,) = await desks("n1", plan=Plan(given=[rule(".*")]))
    own = dataclasses.replace(environment, sip_port=free_port(), sip_tls_port=free_port())
    service = SipService(node.node.exchange, own, registry=CollectorRegistry())
    await service.start()
    try:
        with Desk(own.sip_port) as desk:
            yield Office(node, desk, own.sip_port)
    finally:
        await node.node.exchange.close()
        await service.stop()


@pytest.mark.spec("SVC-077", "CONF-118")
async def test_two_calls_of_a_telephone_are_connected(office: Office) -> None:
    """It is told that it went well, then both its calls end; nobody is called anew."""
    first, bob = await office.call("bob", 1)
    second, eve = await office.call("eve", 2)
    await asyncio.to_thread(office.desk.connect, first, second)
    await asyncio.to_thread(office.desk.until, 2)
    assert [one.split(b"\r\n")[0] for one in office.desk.fragments] == [b"SIP/2.0 100 Trying", b"SIP/2.0 200 OK"]
    assert sorted(office.desk.ended) == sorted((first.name, second.name))
    await follow(bob)
    await until(lambda: office.together() == [["bob@127.0.0.1", "eve@127.0.0.1"]])
    assert (bob.reasons, eve.reasons, len(office.node.adapter.calls)) == ([], [], 2)
    await bob.session.leave()
    await until(lambda: eve.reasons == ["Call disconnected"])


@pytest.mark.spec("SVC-077", "REF-112")
async def test_another_telephone_takes_a_call_over(office: Office) -> None:
    first, bob = await office.call("bob", 1)
    with Desk(office.port) as other:
        taken = await asyncio.to_thread(lambda: other.call("bob", instead_of=first))
        await asyncio.to_thread(office.desk.until, 1)
        assert office.desk.ended == [first.name]
        assert (other.ended, bob.reasons, len(office.node.adapter.calls)) == ([], [], 1)
        await bob.session.leave()
        await asyncio.to_thread(other.until, 1)
        assert other.ended == [taken.name]
