"""Calls to registered devices: looked up first, on the node that holds them, all that have the alias at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from tests.calls.network import Network, Node
from tests.calls.people import Guest, until
from tests.calls.test_outgoing import ANN, Desk, Plan, desks

from rostra.calls.registrations import Registration, Registry
from rostra.calls.switchboard import NotDialled
from rostra.dialplan.outward import ONLY_REGISTERED
from rostra.dialplan.rules import Rule
from rostra.domain import dialling
from rostra.domain.dialling import Wanted
from rostra.domain.registration import Held
from rostra.domain.vocabulary import CallProtocol, ServiceType

SIP, WEB = CallProtocol.SIP, CallProtocol.WEBRTC


def held(node: str, id: str = "r", protocol: CallProtocol = SIP) -> Held:
    return Held(id=id, alias="ann@example.com", protocol=protocol, node=node)


def rule(**more: object) -> Rule:
    return Rule(**({"id": 1, "name": "r", "priority": 1, "match": ".*", "outgoing": True} | more))  # type: ignore[arg-type]


async def ringing(*names: str, plan: Plan) -> list[Desk]:
    found = await desks(*names, plan=plan)
    for desk in found:
        desk.node.exchange.outgoing.diallers[CallProtocol.API] = desk.adapter
    return found


@pytest.mark.spec("CONF-023", "CONF-024", "CONF-026", "PLAT-205")
@pytest.mark.parametrize(
    ("wanted", "rules"),
    [
        (ANN, ()),
        (Wanted(destination="ann@example.com", protocol=CallProtocol.H323), ()),
        (Wanted(destination="sip:ann@example.com", protocol=None), (rule(),)),
        (Wanted(destination="ann", protocol=None), (rule(match="(.*)", replace=r"\1@example.com"),)),
        (Wanted(destination="ann@example.com", protocol=None), (rule(target=ONLY_REGISTERED, outgoing_location=9),)),
    ],
)
async def test_a_registered_device_is_called_by_its_node(wanted: Wanted, rules: Sequence[Rule]) -> None:
    one, two = await ringing("n1", "n2", plan=Plan(given=rules, devices=[held("n2", "there")]))
    await one.node.exchange.dial("open", wanted)
    assert one.adapter.calls == []
    (call,) = two.adapter.calls
    assert (call.order.registration, call.order.hop, call.order.conference) == ("there", None, "meet.open")
    assert call.session.participant.protocol is SIP
    assert call.order.credentials("any") is None


@pytest.mark.spec("CONF-024", "API-138")
async def test_its_protocol_is_that_of_its_registration() -> None:
    (desk,) = await ringing("n1", plan=Plan(devices=[held("n1", protocol=WEB)]))
    await desk.node.exchange.dial("open", ANN)
    (ann,) = desk.roster
    assert (ann.protocol, ann.service_type) == (CallProtocol.API, ServiceType.CONNECTING)


@pytest.mark.spec("CONF-027", "CONF-028", "CONF-033")
async def test_a_rule_for_registered_devices_calls_nobody_else() -> None:
    (desk,) = await ringing("n1", plan=Plan(given=[rule(target=ONLY_REGISTERED)]))
    with pytest.raises(NotDialled) as refused:
        await desk.node.exchange.dial("open", Wanted(destination="ann@example.com", protocol=None))
    assert (refused.value.status, refused.value.reason) == (404, "Called party not available")
    assert (desk.adapter.calls, desk.node.exchange.conferences) == ([], [])


@pytest.mark.spec("CONF-026", "CONF-027")
async def test_without_a_rule_automatic_routing_finds_no_device_and_with_one_it_goes_on_outside() -> None:
    (desk,) = await ringing("n1", plan=Plan(devices=[held("n1")]))
    with pytest.raises(NotDialled):
        await desk.node.exchange.dial("open", Wanted(destination="ann@example.com", protocol=None))
    (other,) = await ringing("n1", plan=Plan(given=[rule()]))
    await other.node.exchange.dial("open", Wanted(destination="ann@example.com", protocol=None))
    assert other.adapter.calls[0].order.registration == ""


@pytest.mark.spec("CONF-025", "API-127")
async def test_the_first_that_answers_comes_in() -> None:
    devices = [held("n1", "a"), held("n2", "b"), held("n2", "c", WEB)]
    one, two = await ringing("n1", "n2", plan=Plan(devices=devices))
    guest = await Guest(one.node.exchange).join()
    called = await one.node.exchange.dial("open", ANN)
    assert len(set(called)) == 3
    await until(lambda: len(one.roster) == len(two.roster) == 4)
    await two.adapter.calls[0].answer()
    await until(lambda: len(one.roster) == len(two.roster) == 2)
    assert one.adapter.calls[0].reasons == ["Call answered elsewhere"]
    assert two.adapter.calls[1].reasons == ["Call answered elsewhere"]
    assert two.adapter.calls[0].reasons == []
    await guest.session.leave()


@pytest.mark.spec("CONF-025")
async def test_two_that_answer_at_once_are_one_in_the_end() -> None:
    devices = [held("n1", "a"), held("n2", "b")]
    one, two = await ringing("n1", "n2", plan=Plan(devices=devices))
    await one.node.exchange.dial("open", ANN)
    await until(lambda: len(one.roster) == len(two.roster) == 2)
    await asyncio.gather(one.adapter.calls[0].answer(), two.adapter.calls[0].answer())
    await until(lambda: len(one.roster) == len(two.roster) == 1)
    assert sorted([*one.adapter.calls[0].reasons, *two.adapter.calls[0].reasons]) == ["Call answered elsewhere"]


@pytest.mark.spec("CONF-025")
async def test_who_refuses_leaves_the_others_ringing_and_a_dead_node_is_passed_over() -> None:
    devices = [held("n1", "a"), held("n1", "b"), held("gone", "c")]
    (one,) = await ringing("n1", plan=Plan(devices=devices))
    assert len(await one.node.exchange.dial("open", ANN)) == 2
    await one.adapter.calls[0].session.leave("Call rejected")
    assert [call.reasons for call in one.adapter.calls[1:]] == [[]]
    await one.adapter.calls[1].answer()
    assert len(one.roster) == 1


@pytest.mark.spec("CONF-025", "CONF-097")
async def test_devices_of_somebody_called_automatically_are_not_superfluous() -> None:
    plan = Plan(
        called=(Wanted(destination="ann@example.com", automatic=1),), devices=[held("n1", "a"), held("n1", "b")]
    )
    (one,) = await ringing("n1", plan=plan)
    await Guest(one.node.exchange).join()
    await until(lambda: len(one.roster) == 3)
    await one.adapter.calls[1].answer()
    await until(lambda: len(one.roster) == 2)
    assert one.adapter.calls[0].reasons == ["Call answered elsewhere"]


@pytest.mark.spec("CONF-150")
async def test_devices_called_at_once_take_one_place() -> None:
    (one,) = await ringing("n1", plan=Plan(devices=[held("n1", "a"), held("n1", "b")]))
    assert len(await one.node.exchange.dial("small", ANN)) == 2


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_all_nodes_keep_the_same_one(order: Sequence[int]) -> None:
    there = [
        dialling.Here(uuid=f"u{n}", node=f"n{n}", since=5.0, where=where, fork="f")
        for n, where in enumerate((ServiceType.CONFERENCE, ServiceType.WAITING_ROOM, ServiceType.CONNECTING))
    ]
    roster = [there[n] for n in order]
    assert [dialling.outrun(roster, f"n{n}") for n in range(3)] == [[], ["u1"], ["u2"]]


# ---- asking the other nodes


class Nobody:
    def registration_ended(self, registration: Registration, reason: str) -> None:
        registration.binding = reason


async def registries(*names: str) -> tuple[Network, dict[str, Registry]]:
    """Nodes that know of each other, each with its registry."""
    network = Network()
    found: dict[str, Registry] = {}
    for name in names:
        node = await Node(network, name, lambda _: None).start()
        registry = Registry(name)
        await registry.start(node.bus, node.peers)  # type: ignore[arg-type]
        node.registrations = registry.__len__
        found[name] = registry
    return network, found


def add(registry: Registry, id: str, alias: str = "Ann@example.com") -> Registration:
    made = Registration(id=id, alias=alias, protocol=SIP, keeper=Nobody(), deadline=registry.clock() + 60)
    registry.add(made)
    return made


@pytest.mark.spec("CONF-023", "CONF-016", "PLAT-093")
async def test_devices_of_all_nodes_are_found_until_their_node_dies() -> None:
    network, nodes = await registries("n1", "n2", "n3")
    add(nodes["n2"], "b")
    add(nodes["n3"], "c")
    add(nodes["n1"], "a")
    found = await nodes["n1"].find(["x", "ANN@EXAMPLE.COM"])
    assert [(one.node, one.id) for one in found] == [("n1", "a"), ("n2", "b"), ("n3", "c")]
    network.kill("n2")
    assert [one.node for one in await nodes["n1"].find(["ann@example.com"])] == ["n1", "n3"]
    network.split(n1=1)
    assert [one.node for one in await nodes["n1"].find(["ann@example.com"])] == ["n1"]
    network.heal()
    assert [one.node for one in await nodes["n3"].find(["ann@example.com"])] == ["n3", "n1"]
    for registry in (nodes["n1"], nodes["n3"]):
        await registry.stop("end")
        assert len(registry) == 0


def test_a_device_that_cannot_make_up_its_mind_takes_no_more_room_than_others() -> None:
    now, told = [0.0], list[str]()

    class Keeper:
        """Remembers who has gone."""

        def registration_ended(self, registration: Registration, reason: str) -> None:
            told.append(f"{registration.id} {now[0]:.0f} {reason}")

    registry = Registry(clock=lambda: now[0])
    made = Registration(id="r", alias="a", protocol=SIP, keeper=Keeper(), deadline=3600.0)
    registry.add(made)
    for second in range(2000):
        now[0] = float(second)
        registry.refresh(made, now[0] + (60 if second % 2 else 3600))
        registry.expire()
    assert len(registry._due) < 5
    for second in range(2000, 2100):
        now[0] = float(second)
        registry.expire()
    assert told == ["r 2059 Registration expired"]


@pytest.mark.spec("DIAG-052")
async def test_many_are_told_in_pages() -> None:
    registry = Registry("n1")
    for number in range(2500):
        add(registry, f"{number:05}", f"a{number}@example.com")
    told: list[str] = []
    after, more = "", True
    while more:
        page = registry.page(after)
        told += [row.id for row in page.rows]
        after, more = told[-1], page.more
    assert told == [f"{number:05}" for number in range(2500)]
