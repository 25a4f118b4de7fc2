"""Calls from conferences on one and several nodes, with an adapter that only remembers; and transfers."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from tests.calls.fakes import Listener
from tests.calls.network import MapAtlas, Network, Node
from tests.calls.people import SERVICES, Guest, until
from tests.calls.virtual import run as run_virtually

from rostra.calls.switchboard import CallOrder, NotDialled
from rostra.conference.roster import Participant
from rostra.dialplan.outward import Hop
from rostra.dialplan.rules import Rule
from rostra.domain.dialling import Wanted
from rostra.domain.ending import KeepAlive
from rostra.domain.history import ParticipantEnded
from rostra.domain.registration import Held
from rostra.domain.rooms import Room
from rostra.domain.service import Service, ServiceDescription
from rostra.domain.vocabulary import CallProtocol, Role, ServiceType


@dataclasses.dataclass
class Plan:
    """What is configured."""

    permitted: bool = True
    off: Sequence[CallProtocol] = ()
    called: Sequence[Wanted] = ()
    given: Sequence[Rule] = ()
    devices: Sequence[Held] = ()

    def allowed(self) -> bool:
        return self.permitted

    def permits(self, protocol: CallProtocol) -> bool:
        return protocol not in self.off

    def aliases(self, service: int) -> Sequence[str]:
        return ("meet.open", "meet.open@example.com")

    def automatic(self, service: int) -> Sequence[Wanted]:
        return self.called

    def rules(self) -> Sequence[Rule]:
        return self.given

    async def registered(self, aliases: Sequence[str]) -> Sequence[Held]:
        return [held for held in self.devices if held.alias in aliases]

    def hop(self, protocol: CallProtocol, key: int | None) -> Hop | None:
        return None

    def hop_of(self, protocol: CallProtocol, location: int) -> Hop | None:
        return Hop(address=f"proxy{location}") if location else None

    mark = "platform"

    def dress(self, theme: int | str | None) -> ServiceDescription:
        themes = (str(theme),) if theme else ()
        return ServiceDescription(id=0, name="", service_type="gateway", themes=themes, max_callrate_in=4_000_000)

    def credentials(self, realm: str) -> tuple[str, str] | None:
        return "trunk", "secret"


class Far(Listener):
    """One called party."""

    def __init__(self, order: CallOrder) -> None:
        super().__init__()
        self.order = order
        self.goes = False
        self.session: Any = None

    def begin(self, session: Any) -> None:
        self.session = session

    async def answer(self, vendor: str = "") -> None:
        await self.session.open_webrtc("c-" + self.session.participant.uuid, "offer")
        await self.session.confirm("c-" + self.session.participant.uuid)
        await self.session.answered(vendor)


class Adapter:
    """Places calls nowhere."""

    def __init__(self) -> None:
        self.calls: list[Far] = []

    def leg(self, order: CallOrder) -> Far:
        self.calls.append(Far(order))
        return self.calls[-1]


@dataclasses.dataclass
class Desk:
    """One node with its adapter."""

    node: Node
    adapter: Adapter

    @property
    def roster(self) -> list[Participant]:
        return [one for conference in self.node.exchange.conferences for one in conference.participants]


async def desks(*names: str, plan: Plan | None = None, locations: Sequence[int] = ()) -> list[Desk]:
    network = Network()
    found: list[Desk] = []
    for index, name in enumerate(names):
        location = locations[index] if locations else 1
        node = Node(
            network, name, lambda alias: SERVICES.get(alias), location=location, atlas=MapAtlas(), plan=plan or Plan()
        )
        adapter = Adapter()
        node.exchange.outgoing.diallers[CallProtocol.SIP] = adapter
        found.append(Desk(await node.start(), adapter))
    return found


ANN = Wanted(destination="sip:ann@example.com", display_name="Ann", role=Role.GUEST, headers=(("X-Desk", "7"),))


@pytest.mark.spec("CONF-103", "CONF-107", "CONF-111", "API-059")
async def test_the_answer_begins_the_conference() -> None:
    (desk,) = await desks("n1")
    (uuid,) = await desk.node.exchange.dial("open", ANN)
    (ann,) = desk.roster
    assert (ann.uuid, ann.service_type, ann.display_name, ann.uri) == (
        uuid,
        ServiceType.CONNECTING,
        "Ann",
        "ann@example.com",
    )
    assert (ann.local_alias, ann.keep_alive, ann.call_direction) == ("meet.open", KeepAlive.YES, "out")
    assert desk.adapter.calls[0].order.hop == Hop(address="proxy1")
    assert desk.adapter.calls[0].order.headers == (("X-Desk", "7"),)
    await desk.adapter.calls[0].answer("phone")
    (ann,) = desk.roster
    assert (ann.service_type, ann.has_media, ann.vendor, ann.role) == (
        ServiceType.CONFERENCE,
        True,
        "phone",
        Role.GUEST,
    )
    assert desk.node.exchange.conferences[0].flags.started


@pytest.mark.spec("CONF-113")
async def test_a_refusal_leaves_nothing() -> None:
    (desk,) = await desks("n1")
    await desk.node.exchange.dial("open", ANN)
    await desk.adapter.calls[0].session.leave("Called party busy")
    assert desk.node.exchange.conferences == []
    (past,) = [event for event in desk.node.events if isinstance(event, ParticipantEnded)]
    assert past.disconnect_reason == "Called party busy"


@pytest.mark.spec("CONF-107")
async def test_who_rings_can_be_let_go() -> None:
    (desk,) = await desks("n1")
    (uuid,) = await desk.node.exchange.dial("open", ANN)
    await desk.node.exchange.conferences[0].remove(uuid, "Disconnected by another participant")
    assert desk.adapter.calls[0].reasons == ["Disconnected by another participant"]
    assert desk.roster == []


@pytest.mark.spec("CONF-099", "CONF-107", "CONF-131")
@pytest.mark.parametrize(
    ("role", "locked", "where"),
    [
        (Role.HOST, False, ServiceType.CONFERENCE),
        (Role.HOST, True, ServiceType.CONFERENCE),
        (Role.GUEST, False, ServiceType.WAITING_ROOM),
        (Role.GUEST, True, ServiceType.WAITING_ROOM),
    ],
)
async def test_as_what_somebody_comes_in(role: Role, locked: bool, where: ServiceType) -> None:
    """No PIN is asked for; a Guest still waits for a Host, and for the lock."""
    (desk,) = await desks("n1")
    guest = await Guest(desk.node.exchange).join("hosted", "")
    if locked:
        await guest.session.conference.lock(True)
    (uuid,) = await desk.node.exchange.dial("hosted", Wanted(destination="a@x", role=role))
    await desk.adapter.calls[0].answer()
    known = guest.session.conference.participant(uuid)
    assert known is not None
    assert known.service_type is where
    assert (guest.where is ServiceType.CONFERENCE) is (role is Role.HOST and not locked)


@pytest.mark.spec("CONF-108", "API-127", "API-128", "CONF-104")
@pytest.mark.parametrize(
    ("plan", "alias", "wanted", "status"),
    [
        (Plan(permitted=False), "open", ANN, 403),
        (Plan(), "nowhere", ANN, 404),
        (Plan(), "test", ANN, 403),
        (Plan(off=[CallProtocol.SIP]), "open", ANN, 403),
        (Plan(), "open", Wanted(destination="a@x", protocol=None), 404),
        (Plan(), "open", Wanted(destination="a@x", protocol=CallProtocol.H323), 403),
        (Plan(), "open", Wanted(destination="a@x", source_alias="other"), 400),
        (Plan(), "open", Wanted(destination="a@x", dtmf_sequence="?"), 400),
        (Plan(), "open", Wanted(destination="a@x", location=9), 503),
    ],
)
async def test_what_cannot_be_called(plan: Plan, alias: str, wanted: Wanted, status: int) -> None:
    (desk,) = await desks("n1", plan=plan)
    with pytest.raises(NotDialled) as refused:
        await desk.node.exchange.dial(alias, wanted)
    assert refused.value.status == status
    assert (desk.node.exchange.conferences, desk.adapter.calls) == ([], [])


@pytest.mark.spec("CONF-101", "CONF-112")
async def test_a_node_of_the_location_calls() -> None:
    one, two = await desks("n1", "n2", locations=(1, 2))
    guest = await Guest(one.node.exchange).join()
    (uuid,) = await one.node.exchange.dial("open", Wanted(destination="a@x", location=2))
    assert (one.adapter.calls, [call.order.hop for call in two.adapter.calls]) == ([], [Hop(address="proxy2")])
    await until(lambda: guest.session.conference.participant(uuid) is not None)
    await two.adapter.calls[0].answer()
    await until(lambda: guest.session.conference.participant(uuid).service_type is ServiceType.CONFERENCE)  # type: ignore[union-attr]
    await guest.session.conference.remove(uuid, "gone")
    await until(lambda: two.adapter.calls[0].reasons == ["gone"])


@pytest.mark.spec("CONF-153", "SVC-098", "SVC-099")
async def test_what_a_call_may_carry() -> None:
    rule = Rule(id=1, name="r", priority=1, match=".*", outgoing=True, rate_out=512, call_type="video-only")
    (desk,) = await desks("n1", plan=Plan(given=[rule]))
    await desk.node.exchange.dial("open", Wanted(destination="a@x", protocol=None))
    await desk.node.exchange.dial("open", Wanted(destination="b@x", call_type="audio"))
    limits = [(call.session.service.call_type, call.session.service.max_callrate_out) for call in desk.adapter.calls]
    assert limits == [("video-only", 512_000), ("audio", None)]


@pytest.mark.spec("CONF-150")
async def test_a_full_conference_calls_nobody() -> None:
    (desk,) = await desks("n1")
    await Guest(desk.node.exchange).join("small")
    with pytest.raises(NotDialled) as refused:
        await desk.node.exchange.dial("small", ANN)
    assert refused.value.reason == "Participant limit reached"
    assert len(desk.roster) == 1


BOTH = Plan(called=(Wanted(destination="a@x", automatic=1), Wanted(destination="b@x", automatic=2, role=Role.HOST)))


@pytest.mark.spec("CONF-097", "CONF-098", "CONF-100")
async def test_a_conference_calls_its_own_once() -> None:
    one, two = await desks("n1", "n2", plan=BOTH)
    first = await Guest(one.node.exchange).join()
    second = await Guest(two.node.exchange).join()
    await until(lambda: len(one.roster) == len(two.roster) == 4)
    assert [len(desk.adapter.calls) for desk in (one, two)] == [2, 0]
    for call in one.adapter.calls:
        await call.session.leave("No answer")
    await Guest(two.node.exchange).join()
    await asyncio.sleep(0.02)
    assert [len(desk.adapter.calls) for desk in (one, two)] == [2, 0]  # nobody is called again
    assert first.session.conference.id == second.session.conference.id


@pytest.mark.spec("CONF-097")
@pytest.mark.parametrize(
    ("alias", "pin", "called"), [("open", None, 2), ("hosted", "", 2), ("hosted", "1234", 2), ("pinned", "5678", 2)]
)
async def test_who_starts_it(alias: str, pin: str | None, called: int) -> None:
    (desk,) = await desks("n1", plan=BOTH)
    await Guest(desk.node.exchange).join(alias, pin)
    await until(lambda: len(desk.adapter.calls) == called)


@pytest.mark.spec("CONF-097")
async def test_who_is_asked_for_a_pin_starts_nothing() -> None:
    (desk,) = await desks("n1", plan=BOTH)
    caller = await Guest(desk.node.exchange).join("pinned", protocol=CallProtocol.SIP)
    await asyncio.sleep(0.01)
    assert desk.adapter.calls == []
    caller.session.dtmf("", "5678")
    await until(lambda: len(desk.adapter.calls) == 2)


async def test_a_breakout_room_calls_nobody() -> None:
    (desk,) = await desks("n1", plan=BOTH)
    room = Room(uuid="room", name="Room", main_alias="open")
    part = msgspec.structs.replace(SERVICES["open"].description, name="Open room", breakout=room)
    SERVICES["room"] = Service(description=part)
    try:
        await Guest(desk.node.exchange).join("room")
        await asyncio.sleep(0.01)
        assert desk.adapter.calls == []
    finally:
        del SERVICES["room"]


@pytest.mark.spec("CONF-097", "CONF-098")
async def test_two_sides_of_a_partition_end_with_one_call_each() -> None:
    one, two = await desks("n1", "n2", plan=BOTH)
    network = one.node.bus.network
    network.split(n1=1, n2=2)
    await Guest(one.node.exchange).join()
    await Guest(two.node.exchange).join()
    await until(lambda: len(one.adapter.calls) == len(two.adapter.calls) == 2)
    await two.adapter.calls[0].answer()
    network.heal()
    await until(lambda: len(one.roster) == len(two.roster) == 4)
    kept = {one.automatic: one for one in one.roster if one.automatic}
    assert kept[1].node == "n2"  # it is in; the other one was still called
    assert sum(len(call.reasons) for desk in (one, two) for call in desk.adapter.calls) == 2


@pytest.mark.spec("CONF-106")
def test_tones_are_sent_at_their_times() -> None:
    async def scenario() -> None:
        (desk,) = await desks("n1")
        loop = asyncio.get_running_loop()
        await desk.node.exchange.dial("open", Wanted(destination="a@x", dtmf_sequence="1,2"))
        await desk.adapter.calls[0].answer()
        (worker,) = desk.node.pool.workers
        began = loop.time()
        times: list[float] = []
        for count in (1, 2):
            while len(worker.digits) < count:  # noqa: ASYNC110 - the fakes have no events
                await asyncio.sleep(0.05)
            times.append(round(loop.time() - began, 1))
        assert [digit for _, digit in worker.digits] == ["1", "2"]
        assert times == [3.0, 5.5]
        await desk.node.exchange.close()

    run_virtually(scenario())


# ---- transfer


@pytest.mark.spec("API-130", "CONF-120")
async def test_a_client_is_told_where_to_go() -> None:
    one, two = await desks("n1", "n2")
    guest = await Guest(one.node.exchange).join()
    host = await Guest(two.node.exchange).join()
    uuid = guest.session.participant.uuid
    await until(lambda: host.session.conference.participant(uuid) is not None)
    await host.session.conference.transfer(uuid, "hosted", Role.GUEST)
    await until(lambda: guest.listener.referred == [("hosted", Role.GUEST)])
    await until(lambda: host.session.conference.participant(uuid).is_transferring)  # type: ignore[union-attr]


@pytest.mark.spec("API-130", "CONF-120")
def test_a_client_that_does_not_go_is_put_out() -> None:
    async def scenario() -> None:
        (desk,) = await desks("n1")
        guest = await Guest(desk.node.exchange).join()
        await Guest(desk.node.exchange).join()
        await guest.session.conference.transfer(guest.session.participant.uuid, "hosted", None)
        await asyncio.sleep(29)
        assert guest.listener.reasons == []
        await asyncio.sleep(2)
        assert guest.listener.reasons == ["transfer failed"]
        await desk.node.exchange.close()

    run_virtually(scenario())


@pytest.mark.spec("CONF-117", "CONF-120", "API-130")
@pytest.mark.parametrize(
    ("alias", "role", "where"),
    [
        ("hosted", Role.HOST, ServiceType.CONFERENCE),
        ("hosted", Role.GUEST, ServiceType.WAITING_ROOM),
        ("pinned", None, ServiceType.IVR),
        ("nowhere", None, None),
    ],
)
async def test_others_are_moved(alias: str, role: Role | None, where: ServiceType | None) -> None:
    (desk,) = await desks("n1")
    caller = Guest(desk.node.exchange)
    caller.listener.goes = False
    await caller.join("open", protocol=CallProtocol.SIP)
    await Guest(desk.node.exchange).join("open")
    await caller.session.conference.transfer(caller.session.participant.uuid, alias, role)
    if where is None:
        await until(lambda: caller.listener.reasons == ["transfer failed"])
    else:
        await until(lambda: caller.session.conference.name != "Open")
        assert (caller.where, caller.listener.reasons) == (where, [])


@pytest.mark.spec("API-129")
@pytest.mark.parametrize(
    ("alias", "role", "pin", "admitted"),
    [
        ("nowhere", Role.HOST, None, False),
        ("open", Role.GUEST, None, Role.GUEST),
        ("open", None, None, None),
        ("hosted", Role.HOST, None, Role.HOST),
        ("hosted", Role.HOST, "1234", Role.HOST),
        ("hosted", None, "1234", Role.HOST),
        ("hosted", Role.GUEST, "1234", False),
        ("hosted", Role.HOST, "9999", False),
        ("pinned", Role.GUEST, "5678", Role.GUEST),
    ],
)
async def test_who_may_be_sent_where(
    alias: str, role: Role | None, pin: str | None, admitted: Role | bool | None
) -> None:
    (desk,) = await desks("n1")
    assert await desk.node.exchange.admits(alias, role, pin) == admitted
