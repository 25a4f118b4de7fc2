"""A conference begins with its first caller, is one whatever is dialled and wherever, and is over with its last."""

from __future__ import annotations

import asyncio

import pytest
from tests.calls.network import MapAtlas, Network, Node
from tests.calls.people import SERVICES, Guest, service
from tests.calls.stories import on_nodes

from rostra.calls.switchboard import CallRefused
from rostra.conference.events import MessageReceived, ParticipantCreated
from rostra.domain.admission import AccessRules
from rostra.domain.theme import ThemeSettings
from rostra.domain.vocabulary import CallProtocol, Role, ServiceType

HALL = service("Hall", AccessRules(host_pin="1234", allow_guests=True))
SWAPPED = ThemeSettings(commands={"11": "toggle_guest_mute", "22": "toggle_lock"})
ALIASES = {
    **SERVICES,
    "swapped": service("Swapped", theme=SWAPPED),
    "silent": service("Silent", theme=ThemeSettings(commands={})),
    "hall": HALL,
    "hall@example.com": HALL,
    "8000": HALL,
}


@pytest.mark.spec("SVC-003", "SVC-005", "SVC-006", "CONF-007", "REF-072", "REF-073")
def test_whatever_alias_was_dialled_on_whatever_node_by_whatever_protocol() -> None:
    async def story(_network: Network, nodes: list[Node]) -> None:
        assert not [conference for node in nodes for conference in node.exchange.conferences]
        callers: list[Guest] = []
        for number, (protocol, alias) in enumerate(
            [(CallProtocol.SIP, "hall"), (CallProtocol.H323, "8000"), (CallProtocol.API, "hall@example.com")]
        ):
            callers.append(await Guest(nodes[number % 2].exchange).join(alias, "1234", protocol))
            await asyncio.sleep(0.2)
        first = {caller.session.conference.id for caller in callers}
        assert len(first) == 1
        assert [len(caller.session.conference.participants) for caller in callers] == [3, 3, 3]
        for caller in callers:
            await caller.session.leave()
        await asyncio.sleep(10)
        assert not [conference for node in nodes for conference in node.exchange.conferences]
        again = await Guest(nodes[1].exchange).join("hall", "1234")
        assert {again.session.conference.id} != first

    on_nodes(story, count=2, services=ALIASES)


@pytest.mark.spec("CONF-078", "CONF-140", "CONF-142", "CONF-063")
def test_who_only_controls_sees_all_chats_and_leads() -> None:
    async def story(_network: Network, nodes: list[Node]) -> None:
        phone = await Guest(nodes[0].exchange).join("hall", "1234", CallProtocol.SIP)
        await phone.call("p")
        await asyncio.sleep(0.5)
        guests = [await Guest(node.exchange).join("hall", "") for node in nodes]
        host = await Guest(nodes[1].exchange).join("hall", "1234")
        await asyncio.sleep(0.5)
        assert not host.session.participant.has_media
        everybody = [phone, *guests, host]
        for watcher in (*guests, host):
            events = watcher.session.conference.subscribe(watcher.session.participant.uuid)
            known: set[str] = set()
            async with asyncio.timeout(5):
                while len(known) < len(everybody):
                    event = await anext(events)
                    if isinstance(event, ParticipantCreated):
                        known.add(event.participant.uuid)
            assert known == {one.session.participant.uuid for one in everybody}
        conference, me = host.session.conference, host.session.participant.uuid
        events = guests[0].session.conference.subscribe(guests[0].session.participant.uuid)
        await conference.message(me, "text/plain", "see https://example.com/")
        async with asyncio.timeout(5):
            while not isinstance(said := await anext(events), MessageReceived):
                pass
        assert (said.origin, said.payload, said.direct) == ("Ada", "see https://example.com/", False)
        other = phone.session.participant.uuid
        await conference.mute(other, True)
        await conference.mute_guests(True)
        await conference.set_role(guests[0].session.participant.uuid, Role.HOST)
        await conference.lock(True)
        await asyncio.sleep(0.5)
        assert [one.session.participant.is_muted for one in everybody] == [True, False, True, False]
        late = await Guest(nodes[0].exchange).join("hall", "")
        assert late.where is ServiceType.WAITING_ROOM
        await asyncio.sleep(0.5)
        await conference.admit(late.session.participant.uuid)
        assert late.where is ServiceType.CONFERENCE
        await conference.remove(other, "Disconnected by another participant")
        assert phone.listener.reasons == ["Disconnected by another participant"]

    on_nodes(story, count=2, services=ALIASES)


@pytest.mark.spec("CONF-157")
@pytest.mark.parametrize(("alias", "call", "reserved"), [("open", 12, 12), ("5555", 1, 1)])
def test_each_node_of_a_conference_reserves_for_one_call_more(alias: str, call: int, reserved: int) -> None:
    async def story(_network: Network, nodes: list[Node]) -> None:
        first = await (await Guest(nodes[0].exchange).join(alias, protocol=CallProtocol.SIP)).call("a")
        assert sorted(node.ledger.used for node in nodes) == [0, call + reserved]
        second = await (await Guest(nodes[0].exchange).join(alias, protocol=CallProtocol.SIP)).call("b")
        assert sorted(node.ledger.used for node in nodes) == [0, 2 * call + reserved]
        for guest in (first, second):
            await guest.session.leave()
        await asyncio.sleep(5)
        assert [node.ledger.used for node in nodes] == [0, 0]

    on_nodes(story, count=2, atlas=MapAtlas(reserved=12))


@pytest.mark.spec("SVC-036", "CONF-150")
def test_no_more_than_the_limit_come_in() -> None:
    async def story(_network: Network, nodes: list[Node]) -> None:
        await Guest(nodes[0].exchange).join("small")
        await asyncio.sleep(0.5)
        for node in nodes:
            with pytest.raises(CallRefused, match="Participant limit reached"):
                await Guest(node.exchange).join("small")

    on_nodes(story, count=2, services=ALIASES)


@pytest.mark.spec("REF-071", "REF-067")
@pytest.mark.parametrize(
    ("alias", "locking", "muting"), [("open", "*7", "*5"), ("swapped", "22", "11"), ("silent", "", "")]
)
def test_keys_are_those_of_the_conferences_own_theme(alias: str, locking: str, muting: str) -> None:
    async def story(_network: Network, nodes: list[Node]) -> None:
        others = [await Guest(nodes[0].exchange).join(name, None, CallProtocol.SIP) for name in ("open", "swapped")]
        caller = await Guest(nodes[0].exchange).join(alias, None, CallProtocol.SIP)
        for keys in ("*7", "*5", "22", "11"):
            before = caller.session.conference.flags
            caller.session.dtmf("", keys)
            await asyncio.sleep(0.1)
            after = caller.session.conference.flags
            assert (after.locked != before.locked, after.guests_muted != before.guests_muted) == (
                keys == locking,
                keys == muting,
            )
        for other in others:
            if other.session.conference is not caller.session.conference:
                assert not other.session.conference.flags.locked

    on_nodes(story, count=2, services=ALIASES)
